//! `match` of a rule: which requests it is for, as a pattern of the engine.

use gatepost_policy::config::Section;
use serde_json::{Map, Value, json};

/// Which requests a rule is for, in the engine's terms.
#[derive(Default)]
pub(super) struct Matching {
    pub(super) url: String,
    pub(super) methods: Option<Value>,
    /// Headers and query, in the engine's terms.
    pub(super) conditions: Map<String, Value>,
}

impl Matching {
    /// Reads it. Mistakes are noted with the section.
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let path = path(&mut section);
        let host = host(&mut section);
        let methods = section.value("methods").cloned();
        if methods
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
        {
            section.wrong("methods", "names no method; leave it out for all of them");
        }
        let conditions = super::taken(&mut section, &[("headers", "headers"), ("query", "query")]);
        section.finish();
        Self {
            url: format!("<*>://{host}{path}"),
            methods,
            conditions,
        }
    }

    /// What the engine is told below `gatepost.match`.
    pub(super) fn extension(&self) -> Value {
        let mut extension = self.conditions.clone();
        if self.methods.is_none() {
            extension.insert("any_method".to_owned(), true.into());
        }
        extension.into()
    }

    /// What the engine is told below `match`.
    pub(super) fn rule(&self) -> Value {
        json!({"url": self.url, "methods": self.methods.clone().unwrap_or_else(|| json!([]))})
    }
}

fn path(section: &mut Section<'_>) -> String {
    let mut named = Vec::new();
    for key in ["path", "prefix", "glob"] {
        if let Some(text) = section.string(key) {
            named.push((key, text));
        }
    }
    let [(kind, text)] = named.as_slice() else {
        let message = "needs exactly one of `path`, `prefix` and `glob`";
        section.errors().add(section.place().clone(), message);
        return String::new();
    };
    if !text.starts_with('/') {
        section.wrong(kind, "must begin with `/`");
    }
    if text.contains(['<', '>', '?', '#', '%']) && (*kind != "glob" || text.contains(['<', '>'])) {
        let message = "is compared with the decoded path: it holds no query, no `%` escapes and \
                       neither `<` nor `>`";
        section.wrong(kind, message);
    }
    match *kind {
        "glob" => format!("<{text}>"),
        // The engine takes the slash at the end of a path away.
        "path" if text == "/" => text.clone(),
        "path" => text.trim_end_matches('/').to_owned(),
        _ => format!("{}<{{,/**}}>", text.trim_end_matches('/')),
    }
}

/// Any of `hosts`, whatever the port; of all where there are none.
fn host(section: &mut Section<'_>) -> String {
    let Some(hosts) = section.strings("hosts") else {
        return "<*>".to_owned();
    };
    if hosts.is_empty() {
        section.wrong("hosts", "names no host; leave it out for all of them");
    }
    let mut alternatives = Vec::new();
    for host in &hosts {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!(
                "`{host}` is not a host name; write `app.example.com`, or `*.example.com` for all \
                 below it, without a port"
            );
            section.wrong("hosts", message);
        }
        let host = host.to_ascii_lowercase();
        alternatives.push(format!("{host},{host}:*"));
    }
    format!("<{{{}}}>", alternatives.join(","))
}
