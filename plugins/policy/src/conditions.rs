//! What a rule demands of a request beyond its URL and method, and which rule goes first where several
//! match. Oathkeeper has neither; both stand below a rule's `gatepost` key.

use crate::{
    Request,
    compile::Compiler,
    config::Section,
    headers::is_token,
    matching::{Pattern, TooManySteps},
    path::{EncodedSlashes, Url},
};

/// The demands of one rule: all must be met.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    headers: Vec<(String, Demand)>,
    query: Vec<(String, Demand)>,
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
    /// It must be there once, with a value like this. Of two values an upstream might take the other
    /// one.
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
        let encoded_slashes = encoded_slashes(&mut section);
        section.finish();
        Self {
            headers,
            query,
            encoded_slashes,
        }
    }

    /// Whether a request meets all of them.
    ///
    /// # Errors
    /// If that takes too long to find out.
    pub(crate) fn admit(&self, request: &Request, url: &Url) -> Result<bool, TooManySteps> {
        for (name, demand) in &self.headers {
            let mut values = request.headers.all(name);
            let value = (values.next(), values.next());
            if !demand.is_met(value, |value| std::str::from_utf8(value).ok())? {
                return Ok(false);
            }
        }
        let query = url.query.as_deref().unwrap_or_default();
        for (name, demand) in &self.query {
            let mut values = form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value);
            let (first, second) = (values.next(), values.next());
            if !demand.is_met((first.as_deref(), second.as_deref()), Some)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Demand {
    fn is_met<'v, V: ?Sized>(
        &self,
        values: (Option<&'v V>, Option<&'v V>),
        text: impl Fn(&'v V) -> Option<&'v str>,
    ) -> Result<bool, TooManySteps> {
        match (self, values) {
            (Self::Absent, (value, _)) => Ok(value.is_none()),
            (Self::Like(pattern), (Some(value), None)) => match text(value) {
                Some(value) => Ok(pattern.captures(value)?.is_some()),
                None => Ok(false),
            },
            (Self::Like(_), _) => Ok(false),
        }
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
