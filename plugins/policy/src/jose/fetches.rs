//! When a set of keys is fetched: at first, again before it is stale, soon after a failure, and never
//! twice at once.

use std::time::Duration;

use super::{KeySetSettings, jwks::FetchFault};
use crate::{Call, UnixTime, call::Endpoint};

/// Driver's grace on top of a call's timeout, after which a fetch that never ended counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// The call that fetches a document.
pub(super) fn call(endpoint: Endpoint, settings: &KeySetSettings) -> Call {
    Call {
        origin: endpoint.origin,
        method: "GET".to_owned(),
        path: endpoint.path,
        headers: vec![("accept".to_owned(), b"application/json".to_vec())],
        body: Vec::new(),
        timeout: settings.timeout,
    }
}

/// Where the fetches of a set stand. At most one is under way.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    /// When the next one is due by itself.
    pub(super) next: UnixTime,
    /// A token named an unknown `kid`: fetch at once.
    pub(super) wanted: bool,
    pub(super) last_wanted: Option<UnixTime>,
    pub(super) under_way_since: Option<UnixTime>,
    pub(super) started: u64,
    pub(super) ended: u64,
    pub(super) failures: u32,
    pub(super) fault: Option<FetchFault>,
}

impl Fetches {
    /// What is left of it when its set goes to another policy: nobody will tell the end of the fetch
    /// that is under way.
    pub(super) fn inherited(self) -> Self {
        Self {
            wanted: self.wanted || self.under_way_since.is_some(),
            under_way_since: None,
            started: 0,
            ended: 0,
            ..self
        }
    }

    pub(super) fn begin(&mut self, now: UnixTime) -> bool {
        let begins = self.under_way_since.is_none() && (self.wanted || self.next <= now);
        if begins {
            self.wanted = false;
            self.under_way_since = Some(now);
            self.started = self.started.saturating_add(1);
        }
        begins
    }

    /// The metadata has come: the keys are fetched next. Both together are one fetch to those that
    /// wait for its end.
    pub(super) fn go_on(&mut self, now: UnixTime) {
        self.under_way_since = None;
        self.next = self.next.min(now);
        self.wanted = true;
    }

    /// Asks for a fetch because of an unknown `kid`. False if the last one is too recent.
    pub(super) fn want(&mut self, now: UnixTime, settings: &KeySetSettings) -> bool {
        let allowed = self
            .last_wanted
            .is_none_or(|last| now.since(last) >= settings.refetch_window);
        if allowed {
            self.wanted = true;
            self.last_wanted = Some(now);
        }
        allowed
    }

    pub(super) fn end_well(&mut self, now: UnixTime, settings: &KeySetSettings) {
        self.end();
        self.failures = 0;
        self.fault = None;
        let early = settings.ttl.checked_div(5).unwrap_or_default();
        let fresh_for = settings.ttl.saturating_sub(early);
        self.next = now.after(fresh_for.max(settings.first_retry));
    }

    pub(super) fn end_badly(
        &mut self,
        fault: FetchFault,
        now: UnixTime,
        settings: &KeySetSettings,
    ) {
        self.end();
        let doubled = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.fault = Some(fault);
        let pause = settings.first_retry.saturating_mul(doubled);
        self.next = now.after(pause.min(settings.last_retry));
    }

    /// A clock that is set back must not put off what was planned, and nothing happened in the future.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        self.next = self.next.min(now);
        self.last_wanted = None;
        self.under_way_since = self.under_way_since.map(|since| since.min(now));
    }

    /// A fetch whose end nobody tells must not be the last one.
    pub(super) fn give_up_if_lost(&mut self, now: UnixTime, settings: &KeySetSettings) {
        let patience = settings.timeout.saturating_add(LOST_AFTER);
        let lost = self
            .under_way_since
            .is_some_and(|since| now.since(since) > patience);
        if lost {
            self.end_badly(FetchFault::Lost, now, settings);
        }
    }

    fn end(&mut self) {
        self.under_way_since = None;
        self.ended = self.started;
    }
}
