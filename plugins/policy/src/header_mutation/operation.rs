//! One change of headers: as written, and carried out.

use crate::{
    config::Section,
    headers::{are_aliases, check_settable, holds_control, is_token},
    template::{Message, MessageTemplate, Reads, RequestPart, ResponsePart},
};

use super::{Facts, Failure, fields::Fields, wildcard::Wildcard};

/// The longest value that is written, in bytes: several would not fit into what Envoy takes by default
/// (60 KiB for a header section).
const MAX_VALUE: usize = 16 * 1024;

/// The operations there are, by their key.
const VERBS: &str = "`set`, `append`, `set_if_absent`, `remove` or `rename`";

/// The message whose headers are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// One operation, ready to use.
#[derive(Debug)]
pub(super) struct Operation {
    /// Where it stands in the configuration: `request[2]`.
    place: String,
    act: Act,
    /// Whether the request is answered with an error if its value cannot be made.
    denies: bool,
    /// Whether no client may send the header: it is this module's word.
    pub(super) is_reserved: bool,
}

#[derive(Debug)]
enum Act {
    Write {
        how: How,
        name: String,
        value: ValueTemplate,
    },
    Remove(String),
    RemoveLike(Wildcard),
    Rename {
        from: String,
        to: String,
    },
}

/// What becomes of fields that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// They are replaced.
    Set,
    /// They stay.
    Append,
    /// They stay, and nothing is added.
    IfAbsent,
}

#[derive(Debug)]
struct ValueTemplate {
    template: MessageTemplate,
    /// Whether an empty value is a value.
    keep_empty: bool,
}

/// A name, in lower case as HTTP/2 has it (RFC 9113 section 8.2), of a header that may be changed.
///
/// # Errors
/// What is wrong with it.
pub(super) fn header_name(name: &str) -> Result<String, String> {
    if name.starts_with(':') {
        return Err(format!(
            "`{name}` is a pseudo-header: routing and access control have relied on it"
        ));
    }
    match check_settable(name) {
        Ok(()) => Ok(name.to_ascii_lowercase()),
        Err(_) if is_token(name.as_bytes()) => Err(format!(
            "`{name}` belongs to the connection or frames the message, and cannot be changed"
        )),
        Err(problem) => Err(problem),
    }
}

impl Operation {
    /// Reads one operation; mistakes are noted.
    pub(super) fn compile(section: &mut Section<'_>, side: Side) -> Option<Self> {
        let act = Act::compile(section, side);
        let written = section.string("on_error");
        let denies = match written.as_deref() {
            None => side == Side::Request,
            Some("skip") => false,
            Some("deny") if side == Side::Request => true,
            Some("deny") => {
                section.wrong(
                    "on_error",
                    "a response is not replaced; a header whose value fails is left out",
                );
                false
            }
            Some(other) => {
                section.wrong(
                    "on_error",
                    format!("`{other}` is neither `deny` nor `skip`"),
                );
                true
            }
        };
        let is_own = act
            .as_ref()
            .is_some_and(Act::tells_what_only_the_proxy_knows);
        let is_reserved = section.bool("reserved", is_own && side == Side::Request);
        if is_reserved && (side == Side::Response || !act.as_ref().is_none_or(Act::writes)) {
            section.wrong(
                "reserved",
                "is for operations that write a header of a request",
            );
        }
        Some(Self {
            place: section.place().path.clone(),
            act: act?,
            denies,
            is_reserved,
        })
    }

    /// What its template draws from.
    pub(super) fn reads(&self) -> Option<&Reads> {
        match &self.act {
            Act::Write { value, .. } => Some(value.template.reads()),
            _ => None,
        }
    }

    /// The header that it writes, in lower case.
    pub(super) fn writes(&self) -> Option<&str> {
        match &self.act {
            Act::Write { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Carries it out.
    ///
    /// # Errors
    /// The value cannot be made. The header is then not there, whoever had set it.
    pub(super) fn run(
        &self,
        fields: &mut Fields<'_>,
        side: Side,
        facts: &Facts<'_>,
    ) -> Result<(), Failure> {
        match &self.act {
            Act::Remove(name) => remove(fields, side, name),
            Act::RemoveLike(wildcard) => {
                fields.remove(|name| is_like(wildcard, name, side));
            }
            Act::Rename { from, to } => rename(fields, side, from, to),
            Act::Write { how, name, value } => {
                if *how == How::IfAbsent && fields.has(name) {
                    return Ok(());
                }
                let made = value.make(fields, side, facts);
                if *how == How::Set {
                    remove(fields, side, name);
                }
                match made {
                    Ok(Some(value)) => fields.add(name, value.into_bytes()),
                    Ok(None) => {}
                    Err(reason) => {
                        return Err(Failure {
                            place: self.place.clone(),
                            reason: format!("the value of header `{name}` {reason}"),
                            denies: self.denies,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Act {
    fn compile(section: &mut Section<'_>, side: Side) -> Option<Self> {
        let written = [
            ("set", section.string("set")),
            ("append", section.string("append")),
            ("set_if_absent", section.string("set_if_absent")),
            ("remove", section.string("remove")),
            ("rename", section.string("rename")),
        ];
        let mut named = written
            .into_iter()
            .filter_map(|(verb, name)| Some((verb, name?)));
        let (Some((verb, name)), None) = (named.next(), named.next()) else {
            let message = format!("must have one of {VERBS}");
            section.errors().add(section.place().clone(), message);
            // That is enough to say of it.
            for key in ["value", "keep_empty", "to"] {
                section.value(key);
            }
            return None;
        };
        let how = match verb {
            "set" => How::Set,
            "append" => How::Append,
            "set_if_absent" => How::IfAbsent,
            "remove" => return Self::removal(section, &name),
            _ => return Self::renaming(section, &name),
        };
        let name = checked(section, verb, &name);
        let value = ValueTemplate::compile(section, side);
        Some(Self::Write {
            how,
            name: name?,
            value: value?,
        })
    }

    fn removal(section: &Section<'_>, name: &str) -> Option<Self> {
        if !name.contains('*') {
            return checked(section, "remove", name).map(Self::Remove);
        }
        // `*` may stand in a name (RFC 9110 section 5.6.2), but hardly does.
        let lower = name.to_ascii_lowercase();
        if !is_token(lower.as_bytes()) {
            section.wrong(
                "remove",
                format!("`{name}` is not a header name with `*` in it"),
            );
            return None;
        }
        match Wildcard::parse(&lower) {
            Ok(wildcard) => Some(Self::RemoveLike(wildcard)),
            Err(problem) => {
                section.wrong("remove", format!("`{name}` {problem}"));
                None
            }
        }
    }

    fn renaming(section: &mut Section<'_>, from: &str) -> Option<Self> {
        let from = checked(section, "rename", from);
        let to = section.required_string("to")?;
        let to = checked(section, "to", &to)?;
        let from = from?;
        if are_aliases(from.as_bytes(), to.as_bytes()) {
            section.wrong("to", "is the same name");
            return None;
        }
        Some(Self::Rename { from, to })
    }

    /// Whether an upstream takes the header for the proxy's own word.
    fn tells_what_only_the_proxy_knows(&self) -> bool {
        match self {
            Self::Write { value, .. } => {
                let reads = value.template.reads();
                reads.claims || !reads.attributes.is_empty()
            }
            _ => false,
        }
    }

    const fn writes(&self) -> bool {
        matches!(self, Self::Write { .. })
    }
}

fn checked(section: &Section<'_>, key: &str, name: &str) -> Option<String> {
    header_name(name)
        .map_err(|problem| section.wrong(key, problem))
        .ok()
}

impl ValueTemplate {
    fn compile(section: &mut Section<'_>, side: Side) -> Option<Self> {
        let source = section.required_string("value");
        let keep_empty = section.bool("keep_empty", false);
        let template = match MessageTemplate::parse(&source?, side == Side::Response) {
            Ok(template) => template,
            Err(error) => {
                section.wrong("value", error.to_string());
                return None;
            }
        };
        let problem = match template.literal() {
            Some("") if !keep_empty => {
                Some("is empty: nothing would be written; use `remove`, or `keep_empty: true`")
            }
            Some(text) => unfit(text),
            None => None,
        };
        if let Some(problem) = problem {
            section.wrong("value", problem);
            return None;
        }
        Some(Self {
            template,
            keep_empty,
        })
    }

    /// The value; `None` if there is nothing to write.
    fn make(
        &self,
        fields: &Fields<'_>,
        side: Side,
        facts: &Facts<'_>,
    ) -> Result<Option<String>, String> {
        let request = match side {
            Side::Request => Some(&fields.now),
            Side::Response => facts.request,
        };
        let message = Message {
            claims: facts.claims,
            attributes: facts.attributes,
            request: request.map(|headers| RequestPart {
                headers,
                url: facts.url,
            }),
            response: (side == Side::Response).then_some(ResponsePart {
                headers: &fields.now,
                status: facts.status,
            }),
        };
        let value = self
            .template
            .render(&message)
            .map_err(|error| format!("cannot be made: {error}"))?;
        let value = value.filter(|value| self.keep_empty || !value.is_empty());
        match value.as_deref().and_then(unfit) {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(value),
        }
    }
}

/// Why a text cannot be a header's value.
fn unfit(value: &str) -> Option<&'static str> {
    if holds_control(value.as_bytes()) {
        // A line break would let a claim write headers of its own.
        Some("holds a control character")
    } else if value.trim_matches([' ', '\t']) != value {
        // Receivers take these away (RFC 9110 section 5.5): ` admin` would become `admin`.
        Some("begins or ends with a blank")
    } else if value.len() > MAX_VALUE {
        Some("is longer than 16 KiB")
    } else {
        None
    }
}

/// Of a request a name goes with all that upstreams may take for it.
fn remove(fields: &mut Fields<'_>, side: Side, name: &str) {
    match side {
        Side::Request => fields.remove_aliases(name),
        Side::Response => fields.remove(|sent| sent.eq_ignore_ascii_case(name.as_bytes())),
    }
}

/// Whether a name is meant, and one that may be removed.
fn is_like(wildcard: &Wildcard, name: &[u8], side: Side) -> bool {
    let mut lower = name.to_ascii_lowercase();
    let is_removable = std::str::from_utf8(&lower).is_ok_and(|it| check_settable(it).is_ok());
    let mut meant = wildcard.matches(&lower);
    if side == Side::Request && !meant {
        for byte in &mut lower {
            if *byte == b'_' {
                *byte = b'-';
            }
        }
        meant = wildcard.matches(&lower);
    }
    meant && is_removable
}

/// Moves the fields of one name to another. Where there are none nothing changes.
fn rename(fields: &mut Fields<'_>, side: Side, from: &str, to: &str) {
    let values: Vec<Vec<u8>> = fields.now.all(from).map(<[u8]>::to_vec).collect();
    if values.is_empty() {
        return;
    }
    remove(fields, side, from);
    remove(fields, side, to);
    for value in values {
        fields.add(to, value);
    }
}
