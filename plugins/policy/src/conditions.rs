//! What a rule demands of a request beyond its URL and method, and which rule goes first where several
//! match. Oathkeeper has neither; both stand below a rule's `gatepost` key.

use std::borrow::Cow;

use crate::{
    Request,
    compile::Compiler,
    config::Section,
    headers::{are_aliases, is_token},
    matching::{Admission, Pattern, TooManySteps},
    path::{EncodedSlashes, Url},
};

/// How many values of one name are looked at. With more than that it is not clear what they say.
const MAX_VALUES: usize = 16;

/// The demands of one rule: all must be met.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    headers: Vec<(String, Demand)>,
    query: Vec<(String, Demand)>,
    /// Whether the rule is for every method, whatever `match.methods` lists.
    pub(crate) any_method: bool,
    /// Which encoded slashes the rule takes.
    pub(crate) encoded_slashes: EncodedSlashes,
}

fn encoded_slashes(section: &mut Section<'_>) -> EncodedSlashes {
    let Some(name) = section.string("encoded_slashes") else {
        return EncodedSlashes::default();
    };
    EncodedSlashes::parse(&name).unwrap_or_else(|| {
        let message = format!("`{name}` is neither `refuse`, `decode` nor `keep`");
        section.wrong("encoded_slashes", message);
        EncodedSlashes::default()
    })
}

/// What is demanded of a header field or a parameter.
#[derive(Debug)]
enum Demand {
    /// It must not be there.
    Absent,
    /// It must be there with a value like this, whichever value an upstream may take it to have.
    Like(Pattern),
}

impl Conditions {
    /// Reads `match` below `gatepost`: patterns by name, `null` for what must be absent.
    pub(crate) fn compile(section: &mut Section<'_>, compiler: &mut Compiler<'_>) -> Self {
        let mut section = section.section("match");
        let headers = demands(&mut section, "headers", compiler);
        for (name, _) in &headers {
            if !is_token(name.as_bytes()) {
                section.wrong("headers", format!("`{name}` is not the name of a header"));
            }
        }
        let query = demands(&mut section, "query", compiler);
        let any_method = section.bool("any_method", false);
        let encoded_slashes = encoded_slashes(&mut section);
        section.finish();
        Self {
            headers,
            query,
            any_method,
            encoded_slashes,
        }
    }

    /// Whether a request meets all of them.
    ///
    /// # Errors
    /// If that takes too long to find out.
    pub(crate) fn admit(&self, request: &Request, url: &Url) -> Result<Admission, TooManySteps> {
        let mut admission = Admission::Yes;
        for (name, demand) in &self.headers {
            match demand.of_header(name, request)? {
                Admission::No => return Ok(Admission::No),
                Admission::Unclear => admission = Admission::Unclear,
                Admission::Yes => {}
            }
        }
        let query = url.query.as_deref().unwrap_or_default();
        for (name, demand) in &self.query {
            match demand.of_parameter(name, query)? {
                Admission::No => return Ok(Admission::No),
                Admission::Unclear => admission = Admission::Unclear,
                Admission::Yes => {}
            }
        }
        Ok(admission)
    }
}

impl Demand {
    /// Of a header: by all fields that some upstream takes for it.
    fn of_header(&self, name: &str, request: &Request) -> Result<Admission, TooManySteps> {
        let mut own = Vec::new();
        let mut all = Vec::new();
        for (sent, value) in request.headers.iter() {
            if !are_aliases(name.as_bytes(), sent) {
                continue;
            }
            let (Self::Like(_), Ok(value)) = (self, std::str::from_utf8(value)) else {
                // There where it must be absent; or no text, which everybody reads in another way.
                return Ok(match self {
                    Self::Absent => Admission::No,
                    Self::Like(_) => Admission::Unclear,
                });
            };
            if sent.eq_ignore_ascii_case(name.as_bytes()) {
                own.push(Cow::Borrowed(value));
            }
            all.push(Cow::Borrowed(value));
        }
        self.of_values(&own, &all, ", ")
    }

    fn of_parameter(&self, name: &str, query: &str) -> Result<Admission, TooManySteps> {
        let values: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect();
        self.of_values(&values, &values, ",")
    }

    /// By `own`, the values under just this name, and `all`, those under names that are taken for it
    /// too. Upstreams take the first one, the last one, or all of them joined; only where none of them
    /// would judge otherwise is it clear what the request says.
    fn of_values(
        &self,
        own: &[Cow<'_, str>],
        all: &[Cow<'_, str>],
        separator: &str,
    ) -> Result<Admission, TooManySteps> {
        let Self::Like(pattern) = self else {
            return Ok(if all.is_empty() {
                Admission::Yes
            } else {
                Admission::No
            });
        };
        if all.len() > MAX_VALUES {
            return Ok(Admission::Unclear);
        }
        let is_like = |value: &str| Ok(pattern.captures(value)?.is_some());
        let mut verdicts = Vec::new();
        if own.is_empty() {
            verdicts.push(false);
        }
        for value in all {
            verdicts.push(is_like(value)?);
        }
        for values in [own, all] {
            if values.len() > 1 {
                verdicts.push(is_like(&values.join(separator))?);
            }
        }
        Ok(
            match (verdicts.contains(&true), verdicts.contains(&false)) {
                (true, false) => Admission::Yes,
                (true, true) => Admission::Unclear,
                (false, _) => Admission::No,
            },
        )
    }
}

fn demands(
    section: &mut Section<'_>,
    key: &'static str,
    compiler: &mut Compiler<'_>,
) -> Vec<(String, Demand)> {
    let place = section.place().key(key);
    let map = match section.value_or_null(key) {
        None => return Vec::new(),
        Some(serde_json::Value::Object(map)) => map.clone(),
        Some(_) => {
            section.wrong(key, "must be an object: patterns by name");
            return Vec::new();
        }
    };
    let mut demands = Vec::new();
    for (name, value) in map {
        let demand = match &value {
            serde_json::Value::Null => Some(Demand::Absent),
            serde_json::Value::String(pattern) => compiler
                .pattern(pattern, place.key(&name))
                .map(Demand::Like),
            _ => {
                let message = "must be a pattern, or null for what must be absent";
                compiler.errors().add(place.key(&name), message);
                None
            }
        };
        demands.extend(demand.map(|demand| (name, demand)));
    }
    demands
}
