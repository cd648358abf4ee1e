//! One VM with the module in it: start, configure, and let time pass.

use std::time::Duration;

use serde_json::Value;
use wasmtime::{Engine, Instance, Linker, Module, Result, Store, WasmParams, WasmResults};

use crate::{
    abi,
    exchange::{Fields, Outcome, Request, Response},
    module,
    upstream::{Answer, CallOut, End},
    world::{InFlight, Stream, Verdict, World},
};

const ROOT: u32 = 1;
const CONTINUE: u32 = 0;
const ERROR: u32 = 4;

/// The clock at the start: 2026-11-22T00:00:00Z.
const START: Duration = Duration::from_secs(1_795_305_600);

/// The longest that [`Host::request`] waits for a decision.
const PATIENCE: Duration = Duration::from_secs(120);

/// Names a request in the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId(u32);

/// A proxy with the module loaded.
pub struct Host {
    store: Store<World>,
    instance: Instance,
    last_context: u32,
    /// Why the module serves nothing any more.
    trap: Option<String>,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// Starts the module `access-rules`, without configuration. The host offers `verify_signature`.
    ///
    /// # Panics
    /// If the module cannot be built or does not start.
    #[must_use]
    pub fn new() -> Self {
        Self::of("access-rules")
    }

    /// Like [`Host::new`], with the module that is built of `package`.
    ///
    /// # Panics
    /// If the module cannot be built or does not start.
    #[must_use]
    pub fn of(package: &str) -> Self {
        #[expect(clippy::panic, reason = "tests cannot run without the module")]
        Self::try_new(&module::built(package))
            .unwrap_or_else(|error| panic!("the module does not start: {error:#}"))
    }

    /// Like [`Host::new`], and counts what the module executes: see [`Host::executed`].
    ///
    /// # Panics
    /// If the module cannot be built or does not start.
    #[must_use]
    pub fn counting() -> Self {
        #[expect(clippy::panic, reason = "nothing can be measured without the module")]
        Self::try_new(&module::counted("access-rules"))
            .unwrap_or_else(|error| panic!("the module does not start: {error:#}"))
    }

    fn try_new((engine, module): &(Engine, Module)) -> Result<Self> {
        let mut store = Store::new(
            engine,
            World {
                start: START,
                verifies: true,
                ..World::default()
            },
        );
        let mut linker = Linker::new(engine);
        abi::link(&mut linker, module)?;
        // Without effect, and refused, where nothing is counted.
        drop(store.set_fuel(u64::MAX));
        let instance = linker.instantiate(&mut store, module)?;
        let mut host = Self {
            store,
            instance,
            last_context: ROOT,
            trap: None,
        };
        host.call::<(), ()>("_initialize", ROOT, ());
        host.create_context(ROOT, 0);
        host.call::<_, u32>("proxy_on_vm_start", ROOT, (ROOT, 0_u32));
        Ok(host)
    }

    /// With the clock at this time, in seconds since the epoch.
    #[must_use]
    pub fn at(mut self, unix_time: u64) -> Self {
        self.store.data_mut().start = Duration::from_secs(unix_time);
        self
    }

    /// With a cluster of this name, whose answers `script` makes.
    #[must_use]
    pub fn cluster(
        mut self,
        name: &str,
        script: impl FnMut(&CallOut) -> Answer + Send + 'static,
    ) -> Self {
        self.store.data_mut().upstreams.add(name, Box::new(script));
        self
    }

    /// Without the foreign function `verify_signature`.
    #[must_use]
    pub fn without_verify_signature(mut self) -> Self {
        self.store.data_mut().verifies = false;
        self
    }

    /// As Envoy is without `allow_on_headers_stop_iteration`: the body of a paused request is kept from the
    /// module.
    #[must_use]
    pub fn without_request_bodies(mut self) -> Self {
        self.store.data_mut().hides_bodies = true;
        self
    }

    /// Hands the plugin its configuration, and lets the first tick pass.
    ///
    /// # Errors
    /// What the module logged as errors, if it refuses.
    pub fn configure(&mut self, configuration: &Value) -> Result<(), Vec<String>> {
        self.configure_bytes(configuration.to_string())
    }

    /// Like [`Host::configure`], with any bytes.
    ///
    /// # Errors
    /// What the module logged as errors, if it refuses.
    pub fn configure_bytes(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), Vec<String>> {
        let world = self.store.data_mut();
        world.configuration = bytes.into();
        let size = u32::try_from(world.configuration.len()).unwrap_or(u32::MAX);
        let before = world.logs.len();
        if self.call("proxy_on_configure", ROOT, (ROOT, size)) == Some(1_u32) {
            self.advance(Duration::from_millis(1));
            return Ok(());
        }
        let errors = self.store.data().logs.iter().skip(before);
        Err(errors
            .filter(|(level, _)| *level >= ERROR)
            .map(|(_, line)| line.clone())
            .chain(self.trap.clone())
            .collect())
    }

    /// Sends a request and lets time pass until it is decided.
    pub fn request(&mut self, request: Request) -> Outcome {
        let id = self.send(request);
        let deadline = self.store.data().elapsed.saturating_add(PATIENCE);
        while self.outcome(id) == Outcome::Pending && self.step(deadline) {}
        self.outcome(id)
    }

    /// Sends a request; no time passes.
    pub fn send(&mut self, request: Request) -> StreamId {
        self.last_context += 1;
        let id = self.last_context;
        let fields = count(&request.headers);
        let has_rest = !request.body.is_empty() || !request.trailers.is_empty() || request.is_cut;
        let stream = Stream {
            headers: request.headers.clone(),
            held: true,
            request,
            ..Stream::default()
        };
        let early = stream.request.is_answered_early;
        self.store.data_mut().streams.insert(id, stream);
        self.create_context(id, ROOT);
        if early {
            self.answer_early(id);
            return StreamId(id);
        }
        let arguments = (id, fields, u32::from(!has_rest));
        let goes_on = self.goes_on("proxy_on_request_headers", id, arguments);
        let hides_bodies = self.store.data().hides_bodies;
        if goes_on || (!hides_bodies && has_rest && self.offer_rest(id)) {
            self.pass(id);
        }
        self.settle();
        StreamId(id)
    }

    /// Another filter answers; the module sees only the response.
    fn answer_early(&mut self, id: u32) {
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            stream.held = false;
            let response = stream.request.response.clone();
            self.finish(id, Outcome::Answered(response));
        }
    }

    /// The client goes away.
    pub fn disconnect(&mut self, id: StreamId) {
        if self.outcome(id) == Outcome::Pending {
            self.finish(id.0, Outcome::Gone);
        }
    }

    /// What has become of a request so far.
    #[must_use]
    pub fn outcome(&self, id: StreamId) -> Outcome {
        match (self.store.data().outcomes.get(&id.0), &self.trap) {
            (Some((outcome, _)), _) => outcome.clone(),
            (None, Some(trap)) => Outcome::Trapped(trap.clone()),
            (None, None) => Outcome::Pending,
        }
    }

    /// The header fields of a response, with `:status`, as the client got them.
    #[must_use]
    pub fn response(&self, id: StreamId) -> Fields {
        let responses = &self.store.data().responses;
        responses.get(&id.0).cloned().unwrap_or_default()
    }

    /// What the module published under `name` about a decided request.
    #[must_use]
    pub fn property(&self, id: StreamId, name: &str) -> Option<String> {
        let (_, properties) = self.store.data().outcomes.get(&id.0)?;
        Some(String::from_utf8_lossy(properties.get(name)?).into_owned())
    }

    /// Lets time pass; replies and ticks come as they are due.
    pub fn advance(&mut self, time: Duration) {
        let deadline = self.store.data().elapsed.saturating_add(time);
        while self.step(deadline) {}
        self.store.data_mut().elapsed = deadline;
    }

    /// The host's clock, in seconds since the epoch.
    #[must_use]
    pub fn unix_time(&self) -> u64 {
        self.store.data().now().as_secs()
    }

    /// Every call that the module made so far.
    #[must_use]
    pub fn calls(&self) -> &[CallOut] {
        &self.store.data().upstreams.calls
    }

    /// The calls that were [`Answer::held`], and the tokens to answer them by.
    #[must_use]
    pub fn held_calls(&self) -> Vec<(u32, CallOut)> {
        let in_flight = self.store.data().in_flight.iter();
        in_flight
            .filter(|call| matches!(call.end, End::Held))
            .map(|call| (call.token, call.call.clone()))
            .collect()
    }

    /// Answers a held call, now or after the answer's delay.
    pub fn reply(&mut self, token: u32, answer: Answer) {
        let world = self.store.data_mut();
        let due = world.elapsed.saturating_add(answer.delay);
        if let Some(call) = world.in_flight.iter_mut().find(|call| call.token == token) {
            call.due = due;
            call.end = answer.end;
        }
        self.advance(Duration::ZERO);
    }

    /// Every line that the module logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<&str> {
        let lines = self.store.data().logs.iter();
        lines.map(|(_, line)| line.as_str()).collect()
    }

    /// The value of the metric of this name, if it was defined.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        let metrics = self.store.data().metrics.iter();
        let mut named = metrics.filter(|metric| metric.name == name);
        named.next().map(|metric| metric.value)
    }

    /// How many metrics the module defined, and how often it has changed one.
    #[must_use]
    pub fn metric_costs(&self) -> (usize, usize) {
        let world = self.store.data();
        (world.metrics.len(), world.metric_calls)
    }

    /// How many signatures the host has checked for the module.
    #[must_use]
    pub fn signatures_checked(&self) -> usize {
        self.store.data().verified
    }

    /// How many bytes of memory the module holds.
    pub fn memory(&mut self) -> usize {
        self.instance
            .get_memory(&mut self.store, "memory")
            .map_or(0, |memory| memory.data_size(&self.store))
    }

    /// How many instructions the module has executed, if it is [`Host::counting`]: a measure of time
    /// without noise.
    #[must_use]
    pub fn executed(&self) -> u64 {
        u64::MAX.saturating_sub(self.store.get_fuel().unwrap_or(u64::MAX))
    }

    /// Carries out what is due next; false if that is after `deadline`.
    fn step(&mut self, deadline: Duration) -> bool {
        let world = self.store.data_mut();
        let Some(due) = world.next_event().filter(|due| *due <= deadline) else {
            return false;
        };
        world.elapsed = world.elapsed.max(due);
        let now = world.elapsed;
        let arrived = world.in_flight.iter().position(|call| call.due <= now);
        if let Some(index) = arrived {
            let reply = world.in_flight.remove(index);
            self.deliver(reply);
        } else {
            world.next_tick = now.saturating_add(world.tick.unwrap_or_default());
            self.call::<_, ()>("proxy_on_tick", ROOT, ROOT);
        }
        self.trap.is_none()
    }

    fn deliver(&mut self, call: InFlight) {
        let (fields, size) = match &call.end {
            End::Response(reply) => (count(&reply.headers) + 1, reply.body.len()),
            End::Failure | End::Refusal | End::Held => (0, 0),
        };
        self.store.data_mut().reply = match call.end {
            End::Response(reply) => Some(reply),
            End::Failure | End::Refusal | End::Held => None,
        };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let arguments = (ROOT, call.token, fields, size, 0_u32);
        self.call::<_, ()>("proxy_on_http_call_response", ROOT, arguments);
        self.store.data_mut().reply = None;
    }

    /// Shows the module a request's body and trailers; whether it lets any of it go on.
    fn offer_rest(&mut self, id: u32) -> bool {
        let Some(stream) = self.store.data().streams.get(&id) else {
            return false;
        };
        let request = &stream.request;
        let (body, is_cut) = (request.body.len(), request.is_cut);
        let part = if request.part == 0 {
            body
        } else {
            request.part
        };
        let trailers = count(&request.trailers);
        let mut shown = 0;
        let mut goes_on = false;
        while shown < body || (is_cut && shown == 0) {
            shown = body.min(shown + part.max(1));
            let is_whole = shown == body && trailers == 0 && !is_cut;
            goes_on |= self.show_body(id, shown, is_whole);
            if is_cut && shown == body {
                return goes_on;
            }
        }
        if trailers > 0 && !self.is_answered(id) {
            goes_on |= self.goes_on("proxy_on_request_trailers", id, (id, trailers));
        }
        goes_on
    }

    /// Shows the module the first `shown` bytes of a body; whether it lets them go on.
    fn show_body(&mut self, id: u32, shown: usize, is_whole: bool) -> bool {
        if self.is_answered(id) {
            return false;
        }
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id) {
            stream.shown = shown;
        }
        let size = u32::try_from(shown).unwrap_or(u32::MAX);
        let arguments = (id, size, u32::from(is_whole));
        self.goes_on("proxy_on_request_body", id, arguments)
    }

    /// Whether the client was answered; its request is then shown no more.
    fn is_answered(&self, id: u32) -> bool {
        let stream = self.store.data().streams.get(&id);
        stream.is_none_or(|stream| matches!(stream.verdict, Some(Verdict::Answer(_))))
    }

    fn pass(&mut self, id: u32) {
        if let Some(stream) = self.store.data_mut().streams.get_mut(&id)
            && stream.verdict.is_none()
        {
            stream.verdict = Some(Verdict::Pass);
            stream.held = false;
        }
    }

    fn create_context(&mut self, id: u32, parent: u32) {
        self.store.data_mut().contexts.insert(id);
        self.call::<_, ()>("proxy_on_context_create", id, (id, parent));
    }

    /// Runs a callback, then what the module asked for in it.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        callback: &str,
        context: u32,
        arguments: P,
    ) -> Option<R> {
        let result = self.call_bare(callback, context, arguments);
        self.settle();
        result
    }

    /// Whether a request goes on after this callback, as it does where the module has none.
    fn goes_on<P: WasmParams>(&mut self, callback: &str, context: u32, arguments: P) -> bool {
        self.trap.is_none()
            && (!self.exports(callback)
                || self.call_bare(callback, context, arguments) == Some(CONTINUE))
    }

    fn exports(&mut self, callback: &str) -> bool {
        self.instance.get_func(&mut self.store, callback).is_some()
    }

    /// Runs a callback; nothing happens if the module does without it.
    fn call_bare<P: WasmParams, R: WasmResults>(
        &mut self,
        callback: &str,
        context: u32,
        arguments: P,
    ) -> Option<R> {
        if self.trap.is_some() || !self.exports(callback) {
            return None;
        }
        self.store.data_mut().context = context;
        let result = self
            .instance
            .get_typed_func::<P, R>(&mut self.store, callback)
            .and_then(|function| function.call(&mut self.store, arguments));
        if let Err(error) = &result {
            self.trap = Some(format!("{callback}: {error:#}; {:?}", self.log().last()));
        }
        result.ok()
    }

    /// Ends the requests that the module has decided.
    fn settle(&mut self) {
        let streams = self.store.data_mut().streams.iter_mut();
        let decided: Vec<_> = streams
            .filter_map(|(id, stream)| Some((*id, stream.verdict.take()?, stream.headers.clone())))
            .collect();
        for (id, verdict, headers) in decided {
            let outcome = match verdict {
                Verdict::Pass if self.holds_back(id) => {
                    Outcome::Trapped("the rest of an allowed request is held back".to_owned())
                }
                Verdict::Pass => Outcome::Upstream(self.merged(id, headers)),
                Verdict::Answer(response) => Outcome::Answered(response),
            };
            self.finish(id, outcome);
        }
    }

    /// The header fields and the trailers that are left, as a careless upstream merges them.
    fn merged(&self, id: u32, mut headers: Fields) -> Fields {
        if let Some(stream) = self.store.data().streams.get(&id) {
            headers.extend(stream.request.trailers.clone());
        }
        headers
    }

    /// Whether the module stops the body or trailers of a request that it has allowed.
    fn holds_back(&mut self, id: u32) -> bool {
        let rest = self.store.data().streams.get(&id);
        let rest =
            rest.is_some_and(|s| !s.request.body.is_empty() || !s.request.trailers.is_empty());
        rest && !self.offer_rest(id)
    }

    /// Notes the outcome; then the response passes the module, and the stream goes.
    fn finish(&mut self, id: u32, outcome: Outcome) {
        let world = self.store.data_mut();
        let Some(stream) = world.streams.get_mut(&id) else {
            return;
        };
        let response = match &outcome {
            Outcome::Gone => None,
            Outcome::Answered(response) => Some(response),
            _ => Some(&stream.request.response),
        };
        stream.response = response.map(Response::fields);
        let count = stream.response.as_deref().map(count);
        let properties = stream.properties.clone();
        world.outcomes.insert(id, (outcome, properties));
        if let Some(count) = count {
            self.call_bare::<_, u32>("proxy_on_response_headers", id, (id, count, 1_u32));
        }
        let world = self.store.data_mut();
        let ended = world.streams.remove(&id);
        if let Some(response) = ended.and_then(|stream| stream.response) {
            world.responses.insert(id, response);
        }
        self.call_bare::<_, u32>("proxy_on_done", id, id);
        self.call_bare::<_, ()>("proxy_on_log", id, id);
        self.call_bare::<_, ()>("proxy_on_delete", id, id);
        self.store.data_mut().contexts.remove(&id);
    }
}

fn count(fields: &[(String, Vec<u8>)]) -> u32 {
    u32::try_from(fields.len()).unwrap_or(u32::MAX)
}
