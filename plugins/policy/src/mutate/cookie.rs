//! `cookie`: sets request cookies to what templates make of the session.

use std::sync::Arc;

use crate::{
    Denial, Headers, Session,
    ask::Progress,
    compile::{Compiler, Entry},
    headers::is_token,
    pipeline::Facts,
    template::{Data, Template},
};

/// Cookie names with the templates of their values, in the order of the names.
#[derive(Debug)]
pub(crate) struct Cookie {
    templates: Vec<(Box<str>, Template)>,
    /// The field that is set.
    field: Arc<str>,
}

impl Cookie {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        if section.value("cookies").is_none() {
            section.wrong(
                "cookies",
                "is required: cookie names with the templates of their values",
            );
        }
        let cookies = section.string_map("cookies");
        let place = section.place().key("cookies");
        section.finish();
        let mut templates = Vec::new();
        for (name, source) in cookies? {
            let place = place.key(&name);
            if !is_token(name.as_bytes()) {
                let message = format!("`{name}` is not a cookie's name (RFC 6265 section 4.1.1)");
                compiler.errors().add(place, message);
                continue;
            }
            match Template::parse(&source) {
                Ok(template) => templates.push((name.into(), template)),
                Err(error) => compiler.errors().add(place, error.to_string()),
            }
        }
        Some(Self {
            templates,
            field: "Cookie".into(),
        })
    }

    pub(super) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Progress {
        self.set(session, facts).into()
    }

    fn set(&self, session: &mut Session, facts: &Facts<'_>) -> Result<(), Denial> {
        let mut field = String::new();
        for (name, template) in &self.templates {
            let data = Data {
                session,
                context: facts.match_context(),
            };
            let value = template.render(&data).map_err(|error| {
                Denial::Internal(format!("the template of cookie `{name}` failed: {error}"))
            })?;
            if let Some(byte) = value.bytes().find(|byte| !is_value_byte(*byte)) {
                // Leaving it out, as Oathkeeper does, would make an `admin` of `ad"min`.
                return Err(Denial::Internal(format!(
                    "the value of cookie `{name}` holds a byte that no cookie can carry ({byte:#04x})"
                )));
            }
            push(&mut field, name, &value, false);
        }
        let is_replaced = |name: &str| self.templates.iter().any(|(set, _)| &**set == name);
        for sent in sent(session, &facts.request.headers) {
            if !is_replaced(sent.name) {
                push(&mut field, sent.name, sent.value, sent.is_quoted);
            }
        }
        session.set_header(&self.field, field);
        Ok(())
    }
}

/// A cookie as it came.
struct Sent<'a> {
    name: &'a str,
    value: &'a str,
    is_quoted: bool,
}

/// The cookies that go upstream so far: what an earlier mutator has set, else what the client sent.
fn sent<'a>(session: &'a Session, headers: &'a Headers) -> impl Iterator<Item = Sent<'a>> {
    let set = session
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("cookie"))
        .map(|(_, value)| value.as_str());
    let from_client = set.is_none().then(|| {
        headers
            .all("cookie")
            .filter_map(|field| std::str::from_utf8(field).ok())
    });
    set.into_iter()
        .chain(from_client.into_iter().flatten())
        .flat_map(|field| field.split(';'))
        .filter_map(read)
}

/// Reads `name=value` as Go does: what is no cookie by RFC 6265 is left out.
fn read(pair: &str) -> Option<Sent<'_>> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let pair = pair.trim_matches(BLANKS);
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = name.trim_matches(BLANKS);
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let value = unquoted.unwrap_or(value);
    (is_token(name.as_bytes()) && value.bytes().all(is_value_byte)).then_some(Sent {
        name,
        value,
        is_quoted: unquoted.is_some(),
    })
}

fn push(field: &mut String, name: &str, value: &str, is_quoted: bool) {
    if !field.is_empty() {
        field.push_str("; ");
    }
    field.push_str(name);
    field.push('=');
    if is_quoted || value.contains([' ', ',']) {
        field.extend(["\"", value, "\""]);
    } else {
        field.push_str(value);
    }
}

/// What Go lets stand in a cookie's value: RFC 6265's bytes, and blanks and commas, which it quotes.
const fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b';' | b'\\')
}
