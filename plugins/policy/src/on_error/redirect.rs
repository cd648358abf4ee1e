//! `redirect`: sends a browser elsewhere, usually to a sign-in page.

use crate::{Response, config::Section};

use super::Refused;

/// Where to, and under which query parameter the way back is told.
#[derive(Debug)]
pub(crate) struct Redirect {
    /// The target without fragment and query.
    base: String,
    /// The target's query, decoded; sent sorted by key, as Go does.
    query: Vec<(String, String)>,
    fragment: Option<String>,
    /// The target as configured, for redirects that carry no way back.
    to: String,
    code: u16,
    return_to_query_param: Option<String>,
}

impl Redirect {
    pub(super) fn compile(section: &mut Section<'_>) -> Option<Self> {
        let code = section.number("code").unwrap_or(302);
        if !matches!(code, 301 | 302) {
            section.wrong("code", "must be 301 or 302");
        }
        let param = section
            .string("return_to_query_param")
            .filter(|param| !param.is_empty());
        if let Some(param) = &param
            && !param.bytes().all(is_param_byte)
        {
            section.wrong(
                "return_to_query_param",
                "may hold only letters, digits and `,._~-`",
            );
        }
        let to = section.required_string("to")?;
        if to.is_empty()
            || to
                .bytes()
                .any(|byte| byte <= b' ' || byte == 0x7f || !byte.is_ascii())
        {
            section.wrong(
                "to",
                "must be a URL without spaces, such as `https://id.example.test/login`",
            );
            return None;
        }
        let (rest, fragment) = match to.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment.to_owned())),
            None => (to.as_str(), None),
        };
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        Some(Self {
            base: base.to_owned(),
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            fragment,
            code: if code == 301 { 301 } else { 302 },
            return_to_query_param: param,
            to,
        })
    }

    pub(super) fn respond(&self, refused: &Refused<'_>) -> Response {
        Response {
            status: self.code,
            headers: vec![("location", self.location(refused).into_bytes())],
            body: Vec::new(),
        }
    }

    fn location(&self, refused: &Refused<'_>) -> String {
        let (Some(param), Some(url)) = (&self.return_to_query_param, refused.request_url()) else {
            return self.to.clone();
        };
        let mut query = self.query.clone();
        query.retain(|(key, _)| key != param);
        query.push((param.clone(), url));
        query.sort_by(|(a, _), (b, _)| a.cmp(b));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let fragment = match &self.fragment {
            Some(fragment) => format!("#{fragment}"),
            None => String::new(),
        };
        format!("{}?{query}{fragment}", self.base)
    }
}

/// Oathkeeper's pattern for the parameter's name.
const fn is_param_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'.' | b'_' | b'~' | b'-')
}
