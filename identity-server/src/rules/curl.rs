//! A request out of a curl command line, as people and browsers copy it around.

use std::iter::Peekable;

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gatepost_cases::RequestSpec;

/// Options that change nothing about the request, without an argument.
const IGNORED: &[&str] = &[
    "compressed",
    "fail",
    "globoff",
    "http1.1",
    "http2",
    "http2-prior-knowledge",
    "include",
    "insecure",
    "location",
    "no-buffer",
    "no-progress-meter",
    "path-as-is",
    "show-error",
    "silent",
    "verbose",
];

/// Options that change nothing about the request, with an argument.
const IGNORED_WITH_ARGUMENT: &[&str] = &[
    "cacert",
    "cert",
    "connect-timeout",
    "connect-to",
    "key",
    "max-time",
    "output",
    "proxy",
    "resolve",
    "retry",
    "write-out",
];

/// Options of one letter, by their long names.
const SHORT: &[(char, &str)] = &[
    ('A', "user-agent"),
    ('b', "cookie"),
    ('d', "data"),
    ('E', "cert"),
    ('e', "referer"),
    ('f', "fail"),
    ('G', "get"),
    ('g', "globoff"),
    ('H', "header"),
    ('I', "head"),
    ('i', "include"),
    ('k', "insecure"),
    ('L', "location"),
    ('m', "max-time"),
    ('N', "no-buffer"),
    ('o', "output"),
    ('S', "show-error"),
    ('s', "silent"),
    ('u', "user"),
    ('v', "verbose"),
    ('w', "write-out"),
    ('X', "request"),
    ('x', "proxy"),
];

const FORM: &str = "application/x-www-form-urlencoded";

/// What the options say so far.
#[derive(Default)]
struct Parsed {
    url: Option<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    removed: Vec<String>,
    data: Vec<String>,
    content_type: Option<&'static str>,
    as_query: bool,
    head: bool,
}

/// The request that the command would send.
///
/// # Errors
/// What of the command is not understood.
pub fn from_curl(command: &str) -> anyhow::Result<RequestSpec> {
    // Copied commands are continued over lines.
    let command = command.replace("\\\r\n", " ").replace("\\\n", " ");
    let words = shlex::split(&command).context("the quotes of the curl command do not balance")?;
    let mut words = words.into_iter().peekable();
    words.next_if(|word| word == "curl" || word.ends_with("/curl"));
    let mut parsed = Parsed::default();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            parsed.option(long, None, &mut words)?;
        } else if let Some(short) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            parsed.letters(short, &mut words)?;
        } else {
            parsed.set_url(word)?;
        }
    }
    parsed.finish()
}

impl Parsed {
    /// `-sXPOST`: letters without an argument, and one with it at the end.
    fn letters(&mut self, letters: &str, words: &mut Words) -> anyhow::Result<()> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let known = SHORT.iter().find(|(short, _)| *short == letter);
            let (_, name) =
                known.with_context(|| format!("`-{letter}` of curl is not understood"))?;
            if takes_argument(name) {
                let attached = rest.as_str();
                let attached = (!attached.is_empty()).then_some(attached);
                return self.option(name, attached, words);
            }
            self.option(name, None, words)?;
        }
        Ok(())
    }

    fn option(
        &mut self,
        name: &str,
        attached: Option<&str>,
        words: &mut Words,
    ) -> anyhow::Result<()> {
        let mut argument = || {
            attached
                .map(str::to_owned)
                .or_else(|| words.next())
                .with_context(|| format!("`{name}` of curl needs an argument"))
        };
        match name {
            "request" => self.method = Some(argument()?),
            "header" => self.header(&argument()?)?,
            "url" => self.set_url(argument()?)?,
            "data" | "data-ascii" | "data-binary" => self.data(argument()?, true)?,
            "data-raw" => self.data(argument()?, false)?,
            "data-urlencode" => {
                let text = argument()?;
                self.data(urlencoded(&text)?, false)?;
            }
            "json" => {
                self.data(argument()?, true)?;
                self.content_type = Some("application/json");
            }
            "get" => self.as_query = true,
            "head" => self.head = true,
            "user" => {
                let credentials = STANDARD.encode(argument()?);
                self.set("Authorization", format!("Basic {credentials}"));
            }
            "oauth2-bearer" => {
                let token = argument()?;
                self.set("Authorization", format!("Bearer {token}"));
            }
            "cookie" => {
                let cookies = argument()?;
                ensure!(
                    cookies.contains('='),
                    "`--cookie {cookies}`: cookies from files are not read; write `name=value`"
                );
                self.set("Cookie", cookies);
            }
            "user-agent" => {
                let agent = argument()?;
                self.set("User-Agent", agent);
            }
            "referer" => {
                let referer = argument()?;
                self.set("Referer", referer);
            }
            ignored if IGNORED.contains(&ignored) => {}
            ignored if IGNORED_WITH_ARGUMENT.contains(&ignored) => drop(argument()?),
            other => bail!("`--{other}` of curl is not understood"),
        }
        Ok(())
    }

    /// `Name: value`; `Name:` removes what curl itself would send, `Name;` sends it empty.
    fn header(&mut self, line: &str) -> anyhow::Result<()> {
        if let Some((name, value)) = line.split_once(':') {
            match value.trim() {
                "" => self.removed.push(name.trim().to_owned()),
                value => self.set(name.trim(), value.to_owned()),
            }
            return Ok(());
        }
        let name = line.strip_suffix(';');
        let name = name.with_context(|| format!("`{line}` is no header; write `Name: value`"))?;
        self.set(name, String::new());
        Ok(())
    }

    fn set(&mut self, name: &str, value: String) {
        self.headers.push((name.to_owned(), value));
    }

    fn data(&mut self, data: String, may_be_file: bool) -> anyhow::Result<()> {
        ensure!(
            !(may_be_file && data.starts_with('@')),
            "`{data}`: bodies are not read from files; write the body itself"
        );
        self.data.push(data);
        self.content_type.get_or_insert(FORM);
        Ok(())
    }

    fn set_url(&mut self, url: String) -> anyhow::Result<()> {
        if let Some(first) = &self.url {
            bail!("the curl command has two URLs, `{first}` and `{url}`");
        }
        self.url = Some(url);
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<RequestSpec> {
        let url = self.url.take().context("the curl command has no URL")?;
        let mut url = url.split('#').next().unwrap_or_default().to_owned();
        if !url.contains("://") {
            url.insert_str(0, "http://");
        }
        let joined = (!self.data.is_empty()).then(|| self.data.join("&"));
        let (query, body) = if self.as_query {
            (joined, None)
        } else {
            (None, joined)
        };
        if let Some(query) = query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&query);
        }
        let usual_method = match (&body, self.head) {
            (_, true) => "HEAD",
            (Some(_), false) => "POST",
            (None, false) => "GET",
        };
        self.usual("Accept", Some("*/*"));
        if body.is_some() {
            self.usual("Content-Type", self.content_type);
        }
        Ok(RequestSpec {
            method: self.method.unwrap_or_else(|| usual_method.to_owned()),
            url,
            headers: self.headers,
            client_address: None,
            peer_certificate: None,
            body,
        })
    }

    /// What curl sends by itself, unless it is told otherwise.
    fn usual(&mut self, name: &str, value: Option<&str>) {
        let is_told = self
            .removed
            .iter()
            .any(|removed| removed.eq_ignore_ascii_case(name))
            || self
                .headers
                .iter()
                .any(|(set, _)| set.eq_ignore_ascii_case(name));
        if let Some(value) = value.filter(|_| !is_told) {
            self.set(name, value.to_owned());
        }
    }
}

type Words = Peekable<std::vec::IntoIter<String>>;

fn takes_argument(name: &str) -> bool {
    !IGNORED.contains(&name) && !matches!(name, "get" | "head")
}

/// `name=value`, `=value` or `value`: the value is encoded, the name is sent as it is.
fn urlencoded(text: &str) -> anyhow::Result<String> {
    let encode =
        |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
    match text.split_once('=') {
        Some(("", value)) => Ok(encode(value)),
        Some((name, value)) => Ok(format!("{name}={}", encode(value))),
        None if text.contains('@') => bail!("`{text}`: bodies are not read from files"),
        None => Ok(encode(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(command: &str) -> String {
        let request = from_curl(command).unwrap();
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}"))
            .collect();
        let body = request.body.unwrap_or_default();
        format!(
            "{} {} | {} | {body}",
            request.method,
            request.url,
            headers.join(", ")
        )
    }

    #[test]
    fn the_usual_commands_are_understood() {
        for (command, expected) in [
            ("curl http://h/a", "GET http://h/a | Accept: */* | "),
            (
                "curl -sSXPUT h/a#b -H 'X-A: 1' -H accept:",
                "PUT http://h/a | X-A: 1 | ",
            ),
            (
                "curl -X POST -d a=1 --data-urlencode 'b=x y' http://h",
                "POST http://h | Accept: */*, Content-Type: application/x-www-form-urlencoded | a=1&b=x+y",
            ),
            (
                "curl -G -d q=1 'http://h/s?p=0' -o /dev/null",
                "GET http://h/s?p=0&q=1 | Accept: */* | ",
            ),
            (
                "curl --json '{\"a\": 1}' http://h -H 'Accept: text/html'",
                "POST http://h | Accept: text/html, Content-Type: application/json | {\"a\": 1}",
            ),
            (
                "/usr/bin/curl -u ada:pw -I http://h/a",
                "HEAD http://h/a | Authorization: Basic YWRhOnB3, Accept: */* | ",
            ),
            (
                "curl 'http://h/a' \\\n  -H 'Cookie: s=1' \\\n  --compressed",
                "GET http://h/a | Cookie: s=1, Accept: */* | ",
            ),
            (
                "curl -b s=1 -A me -e http://r http://h/",
                "GET http://h/ | Cookie: s=1, User-Agent: me, Referer: http://r, Accept: */* | ",
            ),
        ] {
            assert_eq!(lines(command), expected, "{command}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (command, word) in [
            ("curl", "no URL"),
            ("curl http://a http://b", "two URLs"),
            ("curl 'http://a", "balance"),
            ("curl --upload-file x http://a", "upload-file"),
            ("curl -Z http://a", "-Z"),
            ("curl -d @file http://a", "files"),
            ("curl -b jar http://a", "files"),
            ("curl http://a -H", "argument"),
            ("curl http://a -H nonsense", "Name: value"),
        ] {
            let error = format!("{:#}", from_curl(command).unwrap_err());
            assert!(error.contains(word), "{command}: {error}");
        }
    }
}
