//! One exchange: a request, and the response to it.

use std::rc::Rc;

use gatepost_policy::{
    Response,
    header_mutation::{Exchange, Failure, Needs, Refusal, Told},
};
use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use crate::{
    host::{self, HostError, Message},
    root::Parked,
};

use super::{Shared, count};

/// The longest reason in a log line, in characters.
const MAX_REASON: usize = 512;

pub(super) struct Http {
    shared: Option<Rc<Shared>>,
    /// From the request until the response.
    exchange: Option<Exchange>,
    /// Its share of what may be kept.
    kept: Option<Parked>,
}

/// Why a request was not passed on.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Trouble {
    const fn status(&self) -> u16 {
        match self {
            Self::Host(_) => 500,
            Self::Refused(refusal) => refusal.status(),
        }
    }
}

impl Http {
    pub(super) const fn new(shared: Option<Rc<Shared>>) -> Self {
        Self {
            shared,
            exchange: None,
            kept: None,
        }
    }

    fn request(&mut self, shared: &Shared) -> Result<(), Trouble> {
        let plan = &shared.plan;
        if !plan.looks_at_requests() {
            self.exchange = Some(plan.begin_at_response());
            return Ok(());
        }
        let headers = host::headers(Message::Request)?;
        let mut exchange = plan.begin(&headers)?;
        let told = ask(&plan.request_needs(&exchange));
        let outcome = plan.on_request(&mut exchange, &headers, &told)?;
        shared.tell_skipped(&outcome.skipped);
        host::edit(Message::Request, &outcome.edits)?;
        if shared.clear_route_cache && !outcome.edits.is_empty() {
            host::clear_route_cache();
        }
        if exchange.kept_bytes() > 0 {
            self.kept = Parked::new(&shared.kept_bytes, exchange.kept_bytes());
            if self.kept.is_none() {
                host::log_warning("too many requests wait for responses: theirs are not kept");
                exchange.forget();
            }
        }
        self.exchange = Some(exchange);
        Ok(())
    }

    fn response(&mut self, shared: &Shared) -> Result<(), HostError> {
        let plan = &shared.plan;
        if !plan.looks_at_responses() {
            return Ok(());
        }
        // None: another filter has answered before the request came here, or this one has refused it.
        let exchange = self.exchange.take();
        let exchange = exchange.unwrap_or_else(|| plan.begin_at_response());
        self.kept = None;
        if !plan.awaits_response(&exchange) {
            return Ok(());
        }
        let headers = host::headers(Message::Response)?;
        let told = ask(&plan.response_needs(&exchange));
        let outcome = plan.on_response(&exchange, &headers, &told);
        shared.tell_skipped(&outcome.skipped);
        host::edit(Message::Response, &outcome.edits)
    }

    fn refuse(&self, shared: &Shared, trouble: &Trouble) -> Action {
        host::log_error(&format!(
            "request refused: {}",
            printable(&trouble.to_string())
        ));
        count(shared.counters.refused);
        answer(trouble.status())
    }
}

impl Shared {
    fn tell_skipped(&self, skipped: &[Failure]) {
        for failure in skipped {
            host::log_warning(&format!("left out: {}", printable(&failure.to_string())));
            count(self.counters.skipped);
        }
    }
}

/// Asks the host for what templates name.
fn ask(needs: &Needs) -> Told {
    Told {
        metadata: needs.metadata.then(host::metadata).flatten(),
        attributes: needs
            .attributes
            .iter()
            .filter_map(|attribute| Some((*attribute, host::attribute(attribute)?)))
            .collect(),
    }
}

/// Answers the client in the upstream's place. Where the host will not, the request stays paused.
fn answer(status: u16) -> Action {
    let response = Response {
        status,
        ..Response::default()
    };
    if let Err(error) = host::respond(&response) {
        host::log_error(&error.to_string());
    }
    Action::Pause
}

/// What may quote a client, for a log: on one line, and not too long.
fn printable(text: &str) -> String {
    text.chars()
        .take(MAX_REASON)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(shared) = self.shared.clone() else {
            return answer(503);
        };
        match self.request(&shared) {
            Ok(()) => Action::Continue,
            Err(trouble) => self.refuse(&shared, &trouble),
        }
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let Some(shared) = self.shared.clone() else {
            return Action::Pause;
        };
        if !shared.plan.reserves_any() {
            return Action::Continue;
        }
        match host::scrub_trailers(|name| shared.plan.reserves(name)) {
            Ok(()) => Action::Continue,
            Err(error) => {
                host::log_error(&format!("request stopped at its trailers: {error}"));
                Action::Pause
            }
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(shared) = self.shared.clone()
            && let Err(error) = self.response(&shared)
        {
            host::log_error(&format!("the response stays as it came: {error}"));
        }
        Action::Continue
    }
}
