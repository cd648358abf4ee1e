//! The request, in whatever way it is given.

use anyhow::{Context as _, bail};
use clap::Args;
use gatepost_cases::RequestSpec;
use gatepost_policy::UnixTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::secrets::Secrets;
use crate::{
    clock::{Clock as _, SystemClock},
    rules::{Subject, from_curl, from_har},
};

/// The request to explain.
#[derive(Debug, Args)]
pub(super) struct RequestArgs {
    /// Its URL.
    #[arg(long, required_unless_present_any = ["curl", "har"])]
    url: Option<String>,

    /// Its method.
    #[arg(short = 'X', long, default_value = "GET", conflicts_with_all = ["curl", "har"])]
    method: String,

    /// A header, as `Name: value`. Repeat for each.
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(String, String)>,

    /// Its body.
    #[arg(long, conflicts_with_all = ["curl", "har"])]
    body: Option<String>,

    /// A curl command line, in one argument.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["url", "har"])]
    curl: Option<String>,

    /// A request of an HTTP archive: the file, and which of its entries, from 1.
    #[arg(long, value_name = "FILE[#N]", conflicts_with = "url")]
    har: Option<String>,

    /// The address of the client.
    #[arg(long, value_name = "IP")]
    client_address: Option<String>,

    /// When it arrives, such as 2026-01-01T00:00:00Z. Tokens expire; absent means now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<UnixTime>,
}

impl RequestArgs {
    pub(super) fn subject(&self) -> anyhow::Result<Subject> {
        Subject::new(&self.spec()?, self.at.unwrap_or_else(now))
    }

    /// The credentials in the request.
    pub(super) fn secrets(&self) -> anyhow::Result<Secrets> {
        Ok(Secrets::of(&self.spec()?))
    }

    /// The request in one line, without its query.
    pub(super) fn line(&self) -> String {
        self.spec().map_or_else(
            |_| String::new(),
            |spec| {
                let (url, query) = spec.url.split_once('?').unwrap_or((&spec.url, ""));
                format!(
                    "{} {url}{}",
                    spec.method,
                    if query.is_empty() { "" } else { "?…" }
                )
            },
        )
    }

    fn spec(&self) -> anyhow::Result<RequestSpec> {
        let mut spec = match (&self.curl, &self.har, &self.url) {
            (Some(command), _, _) => from_curl(command)?,
            (_, Some(archive), _) => out_of(archive)?,
            (_, _, Some(url)) => RequestSpec {
                peer_certificate: None,
                method: self.method.clone(),
                url: url.clone(),
                headers: Vec::new(),
                client_address: None,
                body: self.body.clone(),
            },
            _ => bail!("no request is given; name one with `--url`, `--curl` or `--har`"),
        };
        spec.headers.extend(self.headers.iter().cloned());
        spec.client_address.clone_from(&self.client_address);
        Ok(spec)
    }
}

fn out_of(archive: &str) -> anyhow::Result<RequestSpec> {
    let (file, number) = match archive.rsplit_once('#') {
        Some((file, number)) => {
            let number: usize = number
                .parse()
                .with_context(|| format!("`{number}` is no number of an entry"))?;
            (file, number)
        }
        None => (archive, 1),
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let requests = from_har(&text).with_context(|| format!("`{file}`"))?;
    let entries = requests.len();
    let mut requests = requests.into_iter().skip(number.saturating_sub(1));
    requests
        .next()
        .filter(|_| number > 0)
        .with_context(|| format!("`{file}` has no entry {number}; it has 1 to {entries}"))
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.trim().to_owned())),
        _ => Err("write it like `Name: value`".to_owned()),
    }
}

fn time(text: &str) -> Result<UnixTime, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(UnixTime::from_secs(seconds));
    }
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "write it like `2026-01-01T00:00:00Z`, or in seconds since 1970".to_owned())?;
    Ok(unix(time))
}

fn now() -> UnixTime {
    unix(SystemClock.now())
}

fn unix(time: OffsetDateTime) -> UnixTime {
    UnixTime::from_secs(time.unix_timestamp().try_into().unwrap_or(0))
}
