//! The table in `docs/proxies.md`: which cases end differently behind which proxy.

use std::collections::{BTreeMap, BTreeSet};

use super::places::shipped;

/// How the table begins.
const HEAD: &str = "| proxy | case | instead | why |";

/// What stands for the headers that rules set to nothing, whatever the case.
const EMPTY: &str = "a header that a rule sets to nothing";

/// The cases that end differently behind a proxy, and how.
#[derive(Default)]
pub(super) struct Differences {
    by_case: BTreeMap<String, Instead>,
    /// Headers that are set to nothing do not arrive, in whatever case.
    pub(super) drops_empty: bool,
}

/// What happens instead of what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Instead {
    /// The case cannot be played.
    NotPlayed,
    /// The client gets this status, and the upstream nothing.
    Status(u16),
    /// The case allows, and so it is, but the upstream sees other headers or another spelling of the path.
    Passes,
    /// The case refuses; the proxy makes another request of it, with this path, which is allowed.
    PassesAs(String),
}

/// Those behind the proxy of this name.
pub(super) fn of(proxy: &str) -> Differences {
    let page = shipped("docs/proxies.md");
    let (_, table) = page.split_once(HEAD).expect("docs/proxies.md has no table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut listed = Differences::default();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [proxies, cases, instead, why] = cells[..] else {
            panic!("not four cells: {row}");
        };
        assert!(!why.is_empty(), "no reason: {row}");
        if !proxies.split(", ").any(|name| name == proxy) {
            continue;
        }
        if cases == EMPTY {
            listed.drops_empty = true;
            continue;
        }
        for case in cases.split("<br>") {
            let case = case.trim_matches('`').to_owned();
            let former = listed.by_case.insert(case, Instead::read(instead));
            assert!(former.is_none(), "listed twice: {row}");
        }
    }
    listed
}

impl Instead {
    fn read(cell: &str) -> Self {
        match cell {
            "not played" => Self::NotPlayed,
            "passes" => Self::Passes,
            _ => match cell.strip_prefix("passes as ") {
                Some(path) => Self::PassesAs(path.trim_matches('`').to_owned()),
                None => Self::Status(cell.parse().expect(cell)),
            },
        }
    }
}

impl Differences {
    /// How the case is listed: by its name, or with all of its file.
    fn entry(&self, case: &str) -> Option<(&String, &Instead)> {
        let (file, _) = case.split_once(": ").unwrap_or_default();
        let listed = self.by_case.get_key_value(case);
        listed.or_else(|| self.by_case.get_key_value(&format!("{file}: *")))
    }

    pub(super) fn is_played(&self, case: &str) -> bool {
        self.entry(case)
            .is_none_or(|(_, instead)| *instead != Instead::NotPlayed)
    }

    /// Whether a case that refuses is listed as one that the proxy makes another request of, with this path.
    pub(super) fn passes_as(&self, case: &str, path: &str) -> bool {
        let entry = self.entry(case);
        entry.is_some_and(|(_, instead)| *instead == Instead::PassesAs(path.to_owned()))
    }

    /// The entry for a case that did not end as written, but with this status; `None` if this is not listed.
    pub(super) fn explained(&self, case: &str, status: Option<u16>, arrived: bool) -> Option<&str> {
        let (entry, instead) = self.entry(case)?;
        let is_so = match instead {
            Instead::NotPlayed => false,
            Instead::Status(wanted) => !arrived && status == Some(*wanted),
            Instead::Passes | Instead::PassesAs(_) => arrived,
        };
        is_so.then_some(entry)
    }

    /// Whether a case that ends as written is listed by its own name.
    pub(super) fn has(&self, case: &str) -> bool {
        self.by_case.contains_key(case)
    }

    /// The entries that should explain something and are not among `used`.
    pub(super) fn without(&self, used: &BTreeSet<String>) -> Vec<&String> {
        let listed = self.by_case.iter();
        let listed = listed.filter(|(_, instead)| **instead != Instead::NotPlayed);
        let listed = listed.map(|(entry, _)| entry);
        listed.filter(|entry| !used.contains(*entry)).collect()
    }
}

/// A file of the corpus as the table names it.
pub(super) fn short(file: &str) -> &str {
    let (_, name) = file.rsplit_once("/cases/").unwrap_or(("", file));
    name.trim_end_matches(".yaml")
}
