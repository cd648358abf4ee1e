//! The only file that calls the host. Every failure is a value; what to do about it is the caller's.
//!
//! Only variants that return bytes are used: the SDK's `String` getters panic on a header value that
//! is not UTF-8. The SDK also panics on a status that it does not expect from a call, so each call
//! is made only where the host can carry it out (no map is read that is not there, no stream is
//! answered twice).

use std::{
    net::{IpAddr, SocketAddr},
    panic::Location,
    time::{Duration, UNIX_EPOCH},
};

use gatepost_policy::{
    Call, Changes, FailedCall, Headers, PeerCertificate, Reply, UnixTime, call, decision::Response,
    headers::holds_control,
};
use proxy_wasm::{
    hostcalls,
    types::{BufferType, LogLevel, MapType, Status},
};

#[cfg(feature = "templates")]
use gatepost_policy::header_mutation::{Attribute, Edit};

pub(crate) use proxy_wasm::types::MetricType;

/// The longest body taken over from a reply; the rest is cut. A key set of a hundred RSA keys has
/// about 50 KiB.
pub(crate) const MAX_REPLY_BODY: usize = 256 * 1024;

/// The same for fetched rules. Ten thousand have some 5 MiB.
pub(crate) const MAX_RULES_BODY: usize = 16 * 1024 * 1024;

/// Bounds for [`Call::timeout`]: zero would mean "wait for ever" to the host.
const TIMEOUTS: std::ops::RangeInclusive<u128> = 1..=60_000;

/// The host did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error("the proxy refused `{call}` ({status:?})")]
    Refused { call: &'static str, status: Status },
    #[error("the value for the header `{0}` holds a control character")]
    BadValue(String),
}

fn refused(call: &'static str) -> impl FnOnce(Status) -> HostError {
    move |status| HostError::Refused { call, status }
}

pub(crate) fn log_error(message: &str) {
    log(LogLevel::Error, message);
}

pub(crate) fn log_warning(message: &str) {
    log(LogLevel::Warn, message);
}

pub(crate) fn log_info(message: &str) {
    log(LogLevel::Info, message);
}

/// Logs where the module broke. Not the message: it may quote what a client sent.
pub(crate) fn log_panic(location: Option<&Location>) {
    let place = location.map_or_else(String::new, |at| format!(" at {at}"));
    log(LogLevel::Critical, &format!("the module panicked{place}"));
}

fn log(level: LogLevel, message: &str) {
    // Nowhere left to report that logging failed.
    let _ = hostcalls::log(level, message);
}

pub(crate) fn now() -> Result<UnixTime, HostError> {
    let time = hostcalls::get_current_time().map_err(refused("get_current_time"))?;
    // A clock before 1970 cannot tell an expired token from a good one.
    time.duration_since(UNIX_EPOCH)
        .map(UnixTime::from_duration)
        .map_err(|_| refused("get_current_time")(Status::BadArgument))
}

pub(crate) fn configuration(size: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Sets how often the root context's `on_tick` runs. Works from a request's context too.
pub(crate) fn tick_every(period: Duration) {
    if let Err(status) = hostcalls::set_tick_period(period) {
        log_error(&refused("set_tick_period")(status).to_string());
    }
}

/// The calls that follow act on this context. An error: the host no longer has it.
pub(crate) fn act_for(context: u32) -> Result<(), HostError> {
    hostcalls::set_effective_context(context).map_err(refused("set_effective_context"))
}

/// A message whose header section can be read and changed, each in the callback that announces it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    Request,
    Response,
}

impl Message {
    const fn headers(self) -> MapType {
        match self {
            Self::Request => MapType::HttpRequestHeaders,
            Self::Response => MapType::HttpResponseHeaders,
        }
    }
}

pub(crate) fn request_headers() -> Result<Headers, HostError> {
    headers(Message::Request)
}

pub(crate) fn headers(message: Message) -> Result<Headers, HostError> {
    let pairs =
        hostcalls::get_map_bytes(message.headers()).map_err(refused("get_header_map_pairs"))?;
    Ok(Headers::new(
        pairs
            .into_iter()
            .map(|(name, value)| (name.into_bytes(), value))
            .collect(),
    ))
}

/// The first `size` bytes of the request's body, which the host keeps while the request is paused.
pub(crate) fn request_body(size: usize) -> Result<Vec<u8>, HostError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let refused = refused("get_buffer_bytes");
    match hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size) {
        Ok(Some(body)) if body.len() == size => Ok(body),
        // Judged by a part of itself it could say something else.
        Ok(_) => Err(refused(Status::NotFound)),
        Err(status) => Err(refused(status)),
    }
}

/// 32 bytes that nobody can guess.
pub(crate) fn seed() -> Result<[u8; 32], HostError> {
    let mut seed = [0; 32];
    getrandom::getrandom(&mut seed).map_err(|_| refused("random_get")(Status::InternalFailure))?;
    Ok(seed)
}

/// The peer's address, where the host knows it.
///
/// Envoy takes it from `X-Forwarded-For` unless `use_remote_address` is set, and then from whoever sends
/// it. Such an address has the port 0, which no connection comes from, and counts only if
/// `trust_forwarded`.
pub(crate) fn client_address(trust_forwarded: bool) -> Option<IpAddr> {
    let bytes = hostcalls::get_property(vec!["source", "address"]).ok()??;
    address(std::str::from_utf8(&bytes).ok()?, trust_forwarded)
}

fn address(text: &str, trust_forwarded: bool) -> Option<IpAddr> {
    match text.parse::<SocketAddr>() {
        Ok(socket) => (socket.port() != 0 || trust_forwarded).then(|| socket.ip()),
        Err(_) => text.parse().ok(),
    }
}

/// The client certificate of the connection, where there is one (Envoy's attributes `connection.*`).
pub(crate) fn peer_certificate() -> Option<PeerCertificate> {
    let property = |name| {
        let bytes = hostcalls::get_property(vec!["connection", name]).ok()??;
        String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.is_empty())
    };
    let sha256 = property("sha256_peer_certificate_digest")?;
    Some(PeerCertificate {
        sha256: PeerCertificate::digest_from_hex(&sha256),
        subject: property("subject_peer_certificate"),
        uri: property("uri_san_peer_certificate"),
        dns: property("dns_san_peer_certificate"),
    })
}

/// The names in the request's trailers.
fn request_trailers() -> Result<Vec<String>, HostError> {
    let pairs = hostcalls::get_map_bytes(MapType::HttpRequestTrailers)
        .map_err(refused("get_header_map_pairs"))?;
    Ok(pairs.into_iter().map(|(name, _)| name).collect())
}

fn remove_trailer(name: &str) -> Result<(), HostError> {
    hostcalls::set_map_value_bytes(MapType::HttpRequestTrailers, name, None)
        .map_err(refused("replace_header_map_value"))
}

/// Carries out the changes, one call for each: requests with the reserved headers are rare and a rule
/// sets few, while replacing the whole map at once costs a copy of every header, and hosts bound it
/// (Envoy empties the map when it is handed more than 1024 fields).
pub(crate) fn apply(changes: &Changes) -> Result<(), HostError> {
    for name in &changes.remove {
        replace(&String::from_utf8_lossy(name), None)?;
    }
    for (name, value) in &changes.set {
        replace(name, Some(value))?;
    }
    if let Some(path) = &changes.path {
        replace(":path", Some(path.as_bytes()))?;
        // The route must be the one of the path that was matched.
        clear_route_cache();
    }
    Ok(())
}

fn replace(name: &str, value: Option<&[u8]>) -> Result<(), HostError> {
    replace_in(MapType::HttpRequestHeaders, name, value)
}

fn replace_in(map: MapType, name: &str, value: Option<&[u8]>) -> Result<(), HostError> {
    if value.is_some_and(holds_control) {
        return Err(HostError::BadValue(name.to_owned()));
    }
    hostcalls::set_map_value_bytes(map, name, value).map_err(refused("replace_header_map_value"))
}

/// Has the proxy choose the route anew. Hosts without this function do so by themselves.
pub(crate) fn clear_route_cache() {
    let _ = hostcalls::call_foreign_function("clear_route_cache", None);
}

/// Carries out the changes of a message's headers, one call for each, as in [`apply`].
#[cfg(feature = "templates")]
pub(crate) fn edit(message: Message, edits: &[Edit]) -> Result<(), HostError> {
    let map = message.headers();
    for edit in edits {
        match edit {
            Edit::Remove(name) => replace_in(map, &String::from_utf8_lossy(name), None)?,
            Edit::Replace(name, value) => {
                replace_in(map, &String::from_utf8_lossy(name), Some(value))?;
            }
            Edit::Add(name, value) if holds_control(value) => {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(HostError::BadValue(name));
            }
            Edit::Add(name, value) => {
                hostcalls::add_map_value_bytes(map, &String::from_utf8_lossy(name), value)
                    .map_err(refused("add_header_map_value"))?;
            }
        }
    }
    Ok(())
}

/// An attribute of the request or its connection, where the host has it.
#[cfg(feature = "templates")]
pub(crate) fn attribute(attribute: &Attribute) -> Option<Vec<u8>> {
    hostcalls::get_property(attribute.path().collect()).ok()?
}

/// The request's dynamic metadata, where the host has such a thing: Envoy's
/// `envoy.config.core.v3.Metadata`, in protobuf.
#[cfg(feature = "templates")]
pub(crate) fn metadata() -> Option<Vec<u8>> {
    hostcalls::get_property(vec!["metadata"]).ok()?
}

/// Takes the trailers out of the request whose names are `reserved`: upstreams may merge them with the
/// header section (RFC 9110 section 6.5.1).
pub(crate) fn scrub_trailers(reserved: impl Fn(&[u8]) -> bool) -> Result<(), HostError> {
    for name in request_trailers()? {
        if reserved(name.as_bytes()) {
            remove_trailer(&name)?;
        }
    }
    Ok(())
}

/// Tells access logs which rule decided: Envoy shows it as `%FILTER_STATE(wasm.gatepost.rule:PLAIN)%`.
pub(crate) fn publish_rule(rule: &str) {
    let _ = hostcalls::set_property(vec!["gatepost.rule"], Some(rule.as_bytes()));
}

/// Defines a metric; the same name gives the same metric. To be called while the configuration is read.
pub(crate) fn define_metric(kind: MetricType, name: &str) -> Option<u32> {
    hostcalls::define_metric(kind, name).ok()
}

/// Adds one to a counter that was defined.
pub(crate) fn increment_metric(metric: u32) {
    // Nothing hangs on a number that is not counted.
    let _ = hostcalls::increment_metric(metric, 1);
}

/// Sets a gauge, or adds a value to a histogram.
pub(crate) fn record_metric(metric: u32, value: u64) {
    let _ = hostcalls::record_metric(metric, value);
}

/// Has the host verify a signature: Envoy's foreign function, with protobuf messages both ways.
pub(crate) fn verify_signature(question: &[u8]) -> Result<Vec<u8>, HostError> {
    hostcalls::call_foreign_function("verify_signature", Some(question))
        .map(Option::unwrap_or_default)
        .map_err(refused("verify_signature"))
}

/// Has the host sign: Envoy's foreign function, with protobuf messages both ways.
pub(crate) fn sign(order: &[u8]) -> Result<Vec<u8>, HostError> {
    hostcalls::call_foreign_function("sign", Some(order))
        .map(Option::unwrap_or_default)
        .map_err(refused("sign"))
}

/// Answers the client. To be called once for a request.
pub(crate) fn respond(response: &Response) -> Result<(), HostError> {
    let fields: Vec<_> = response
        .headers
        .iter()
        .filter(|(_, value)| !holds_control(value))
        .map(|(name, value)| (*name, String::from_utf8_lossy(value)))
        .collect();
    let status = match response.status {
        status @ 200..=599 => status,
        _ => 500,
    };
    hostcalls::send_http_response(
        status.into(),
        fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect(),
        (!response.body.is_empty()).then_some(&response.body),
    )
    .map_err(refused("send_local_response"))
}

/// Lets a paused request go on to the upstream.
pub(crate) fn resume() -> Result<(), HostError> {
    hostcalls::resume_http_request().map_err(refused("continue_stream"))
}

/// Sends `call` to `cluster`; the reply comes back under the token.
pub(crate) fn send(cluster: &str, call: &Call) -> Result<u32, HostError> {
    if let Some((name, _)) = call.headers.iter().find(|(_, value)| holds_control(value)) {
        return Err(HostError::BadValue(name.clone()));
    }
    let authority = call
        .origin
        .split_once("://")
        .map_or(&*call.origin, |(_, authority)| authority);
    // A value that is not UTF-8 is passed on with replacement characters: it cannot become a credential.
    let fields: Vec<_> = call
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)))
        .collect();
    let mut headers = vec![
        (":method", call.method.as_str()),
        (":path", call.path.as_str()),
        (":authority", authority),
    ];
    headers.extend(fields.iter().map(|(name, value)| (*name, &**value)));
    let body = (!call.body.is_empty()).then_some(call.body.as_slice());
    hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), timeout(call))
        .map_err(refused("http_call"))
}

fn timeout(call: &Call) -> Duration {
    let millis = call.timeout.as_millis();
    let millis = millis.clamp(*TIMEOUTS.start(), *TIMEOUTS.end());
    Duration::from_millis(u64::try_from(millis).unwrap_or(1))
}

/// The reply to a call, within the callback that announced its size. No header fields at all: the
/// call failed on its way, and the host does not say how.
pub(crate) fn reply(num_headers: usize, body_size: usize, limit: usize) -> Reply {
    if num_headers == 0 {
        return Err(FailedCall::Unreachable);
    }
    let fields = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders)
        .map_err(|_| FailedCall::Unreachable)?;
    let status = fields
        .iter()
        .find(|(name, _)| name == ":status")
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok())
        .ok_or(FailedCall::Unreachable)?;
    if let Some(failure) = answered_by_the_proxy(status, &fields) {
        return Err(failure);
    }
    let body = match body_size.min(limit) {
        0 => Vec::new(),
        size => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
            .map_err(|_| FailedCall::Unreachable)?
            .unwrap_or_default(),
    };
    Ok(call::Response {
        status,
        headers: fields
            .into_iter()
            .filter(|(name, _)| !name.starts_with(':'))
            .collect(),
        body,
    })
}

/// Why there is no answer, where this one is Envoy's own: it answers in the place of a server that it
/// cannot reach (503) or that takes too long (504), with a line of text and no field that is not needed
/// for that. A server's own answer has a `date` (RFC 9110 section 6.6.1), and gets
/// `x-envoy-upstream-service-time` on its way. Tried with Envoy 1.40.
fn answered_by_the_proxy(status: u16, fields: &[(String, Vec<u8>)]) -> Option<FailedCall> {
    let failure = match status {
        503 => FailedCall::Unreachable,
        504 => FailedCall::TimedOut,
        _ => return None,
    };
    let is_text =
        |(name, value): &(String, Vec<u8>)| name == "content-type" && value == b"text/plain";
    let is_bare = fields
        .iter()
        .all(|field| matches!(field.0.as_str(), ":status" | "content-length") || is_text(field));
    (is_bare && fields.iter().any(is_text)).then_some(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_connection_is_believed_only_on_request() {
        let ours = "10.0.0.1".parse().ok();
        assert_eq!(address("10.0.0.1:4711", false), ours);
        assert_eq!(address("10.0.0.1:0", false), None);
        assert_eq!(address("10.0.0.1:0", true), ours);
        assert_eq!(address("[::1]:80", false), "::1".parse().ok());
        assert_eq!(address("[::1]:0", false), None);
        // A host that tells no ports.
        assert_eq!(address("10.0.0.1", false), ours);
        assert_eq!(address("/run/envoy.sock", true), None);
    }
}
