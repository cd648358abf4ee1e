//! Everything that the module can see and change: what a proxy keeps for a plugin.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    exchange::{Fields, Outcome, Request, Response},
    upstream::{CallOut, End, Upstreams},
};

/// A request in the host.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) request: Request,
    /// The header fields as changed so far.
    pub(crate) headers: Fields,
    /// Whether the header fields can be read and changed: until the request goes on.
    pub(crate) held: bool,
    /// How many bytes of the body the module was shown.
    pub(crate) shown: usize,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) properties: BTreeMap<String, Vec<u8>>,
    /// The response's header fields as changed so far, while they pass.
    pub(crate) response: Option<Fields>,
}

impl Stream {
    /// What the host keeps of the body while the request is paused.
    pub(crate) fn shown_body(&self) -> &[u8] {
        self.request.body.get(..self.shown).unwrap_or_default()
    }
}

/// What the module did with a request; the host acts on it after the callback.
pub(crate) enum Verdict {
    Pass,
    Answer(Response),
}

/// A counter, a gauge or a histogram.
#[derive(Default)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) kind: u32,
    /// For a histogram: the sum of what was recorded.
    pub(crate) value: u64,
}

/// A call on its way.
pub(crate) struct InFlight {
    pub(crate) due: Duration,
    pub(crate) token: u32,
    pub(crate) call: CallOut,
    pub(crate) end: End,
}

/// The state behind the imports.
#[derive(Default)]
pub(crate) struct World {
    /// The clock at the host's start, since the epoch.
    pub(crate) start: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) logs: Vec<(u32, String)>,
    pub(crate) configuration: Vec<u8>,
    pub(crate) contexts: BTreeSet<u32>,
    pub(crate) streams: BTreeMap<u32, Stream>,
    pub(crate) outcomes: BTreeMap<u32, (Outcome, BTreeMap<String, Vec<u8>>)>,
    /// The header fields of responses, as clients got them.
    pub(crate) responses: BTreeMap<u32, Fields>,
    /// The context of the running callback, or the one the module chose.
    pub(crate) context: u32,
    pub(crate) upstreams: Upstreams,
    pub(crate) in_flight: Vec<InFlight>,
    pub(crate) tokens: u32,
    /// The reply that is being delivered.
    pub(crate) reply: Option<Response>,
    pub(crate) tick: Option<Duration>,
    pub(crate) next_tick: Duration,
    pub(crate) shared_data: BTreeMap<String, (Vec<u8>, u32)>,
    /// Metrics by name and kind, in the order in which they were defined.
    pub(crate) metrics: Vec<Metric>,
    /// How many metrics were changed.
    pub(crate) metric_calls: usize,
    /// Whether the foreign function `verify_signature` is there.
    pub(crate) verifies: bool,
    pub(crate) verified: usize,
    /// Whether bodies of paused requests are kept from the module.
    pub(crate) hides_bodies: bool,
    pub(crate) random: u64,
}

impl World {
    pub(crate) fn now(&self) -> Duration {
        self.start.saturating_add(self.elapsed)
    }

    /// The request that the module acts on now.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context)
    }

    pub(crate) fn set_tick(&mut self, period: Duration) {
        self.tick = (!period.is_zero()).then_some(period);
        self.next_tick = self.elapsed.saturating_add(period);
    }

    /// When something happens next.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        let tick = self.tick.map(|_| self.next_tick);
        let reply = self.in_flight.iter().map(|call| call.due).min();
        tick.into_iter().chain(reply).min()
    }
}
