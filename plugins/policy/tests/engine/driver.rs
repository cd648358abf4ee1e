//! The engine driven by hand, without any host.

use anyhow::bail;
use gatepost_cases::{CertificateSpec, Outcome, RequestSpec, Script};
use gatepost_policy::{
    Call, Engine, FailedCall, PeerCertificate, Reply, Request, Step, UnixTime, Verdict, call,
};

/// Has `engine` decide a request that arrives at `at`; whatever it asks for is put to `script`.
pub(crate) fn send(
    engine: &mut Engine,
    at: u64,
    request: &RequestSpec,
    script: &mut Script<'_>,
) -> anyhow::Result<Outcome> {
    let now = UnixTime::from_secs(at);
    let fields = request.fields()?;
    let body = request.body.clone().unwrap_or_default().into_bytes();
    let mut request = Request {
        headers: fields.iter().cloned().collect(),
        client_address: request
            .client_address
            .as_deref()
            .map(str::parse)
            .transpose()?,
        peer_certificate: request.peer_certificate.as_ref().map(peer_certificate),
        body: None,
    };
    let mut step = engine.decide(&request, now);
    // No case takes more steps; an engine that does has gone astray.
    for _ in 0..16 {
        step = match step {
            Step::Done(decision) => return Ok(outcome(decision, &request)),
            Step::Call(call, pending) => {
                let reply = answer(&call, script)?;
                engine.resume(pending, &request, reply, now)
            }
            Step::Body(pending) => {
                request.body = Some(body.clone());
                engine.retry(pending, &request, now)
            }
            Step::Wait(_, pending) => {
                for (fetch, call) in engine.due(now) {
                    engine.fetched(fetch, answer(&call, script)?, now);
                }
                engine.retry(pending, &request, now)
            }
        };
    }
    bail!("the engine does not come to a decision")
}

fn peer_certificate(spec: &CertificateSpec) -> PeerCertificate {
    let sha256 = spec.sha256.as_deref();
    PeerCertificate {
        sha256: sha256.and_then(PeerCertificate::digest_from_hex),
        subject: spec.subject.clone(),
        uri: spec.uri.clone(),
        dns: spec.dns.clone(),
    }
}

fn answer(call: &Call, script: &mut Script<'_>) -> anyhow::Result<Reply> {
    let url = format!("{}{}", call.origin, call.path);
    let reply = script.answer(&call.method, &url, &call.headers, &call.body)?;
    if reply.fails {
        return Ok(Err(FailedCall::Unreachable));
    }
    Ok(Ok(call::Response {
        status: reply.status,
        body: reply.body(),
        headers: reply
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect(),
    }))
}

fn outcome(decision: gatepost_policy::Decision, request: &Request) -> Outcome {
    let rule = decision.rule.map(|rule| rule.to_string());
    let stage = Some(decision.stage.name().to_owned());
    match decision.verdict {
        Verdict::Allow(changes) => Outcome {
            status: 200,
            rule,
            stage,
            reason: None,
            headers: changes.applied_to(&request.headers),
            body: Vec::new(),
        },
        Verdict::Deny { reason, response } => Outcome {
            status: response.status,
            rule,
            stage,
            reason: Some(reason.code().to_owned()),
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: response.body,
        },
    }
}
