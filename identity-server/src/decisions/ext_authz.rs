//! Envoy's `ext_authz` over gRPC: `envoy.service.auth.v3.Authorization/Check`.
//!
//! A call describes a request in full, so only peers that are named may make it, as with `X-Forwarded-*`.
//! Whatever goes wrong is answered by a refusal rather than by a gRPC error: of an error Envoy may be told to
//! let the request pass (`failure_mode_allow`).

mod asked;
mod certificate;
mod told;

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use envoy_types::ext_authz::v3::pb::{
    Authorization, AuthorizationServer, CheckRequest, CheckResponse,
};
use gatepost_policy::{Verdict, request::MAX_BODY};
use tokio::time::timeout;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::{
    endpoint::{Endpoint, MAX_TIME},
    trouble::Trouble,
};

/// The path of the one method.
pub(super) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The longest question, in bytes: a body that may be judged, and as much again for header fields.
const MAX_QUESTION: usize = 2 * MAX_BODY;

/// The status of a gRPC answer that is an error.
const GRPC_STATUS: &str = "grpc-status";

/// The metadata in which Envoy's configuration says that it sends bodies, and the value that says so. No client
/// can write it.
const BODIES: (&str, &str) = ("x-gatepost-body", "sent");

/// A message without content, framed (five bytes: not compressed, of length zero).
const EMPTY: &[u8] = &[0; 5];

/// Answers a call of the method.
pub(super) async fn check(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    question: Request,
) -> Response {
    let asker = peer.ip();
    if !endpoint.settings().trusts(asker) {
        return refuse(endpoint, Trouble::UnknownAsker(asker)).await;
    }
    // Also the message itself has to come in time.
    match timeout(MAX_TIME, call(Arc::clone(&endpoint), question)).await {
        Ok(answer) => match error(&answer) {
            None => answer,
            Some(trouble) => refuse(endpoint, trouble).await,
        },
        Err(_) => refuse(endpoint, Trouble::Late).await,
    }
}

async fn call(endpoint: Arc<Endpoint>, question: Request) -> Response {
    let server = AuthorizationServer::new(Checks(endpoint)).max_decoding_message_size(MAX_QUESTION);
    match server.oneshot(question).await {
        Ok(answer) => answer.map(Body::new),
        Err(never) => match never {},
    }
}

/// What kept tonic from handing the question on.
fn error(answer: &Response) -> Option<Trouble> {
    let status = answer.headers().get(GRPC_STATUS)?;
    match Code::from_bytes(status.as_bytes()) {
        Code::Ok => None,
        Code::OutOfRange => Some(Trouble::LargeQuestion),
        code => Some(Trouble::BadQuestion(code.description())),
    }
}

/// A refusal, by way of a question without content that carries its answer along.
async fn refuse(endpoint: Arc<Endpoint>, trouble: Trouble) -> Response {
    let mut question = Request::new(Body::from(Bytes::from_static(EMPTY)));
    let grpc = HeaderValue::from_static("application/grpc");
    question.headers_mut().insert(header::CONTENT_TYPE, grpc);
    *question.uri_mut() = axum::http::Uri::from_static(CHECK);
    *question.method_mut() = axum::http::Method::POST;
    question.extensions_mut().insert(trouble);
    call(endpoint, question).await
}

struct Checks(Arc<Endpoint>);

#[async_trait]
impl Authorization for Checks {
    async fn check(
        &self,
        request: tonic::Request<CheckRequest>,
    ) -> Result<tonic::Response<CheckResponse>, Status> {
        let trouble = request.extensions().get::<Trouble>().cloned();
        let told = request.metadata().get(BODIES.0);
        let sends_bodies = told.is_some_and(|value| value == BODIES.1);
        let answer = match trouble {
            Some(trouble) => Err(trouble),
            None => timeout(MAX_TIME, self.decide(request.into_inner(), sends_bodies))
                .await
                .unwrap_or(Err(Trouble::Late)),
        };
        Ok(tonic::Response::new(
            answer.unwrap_or_else(|trouble| told::refused(&trouble)),
        ))
    }
}

impl Checks {
    async fn decide(
        &self,
        check: CheckRequest,
        sends_bodies: bool,
    ) -> Result<CheckResponse, Trouble> {
        let began = self.0.now();
        let (request, mut content) = asked::read(check, self.0.settings(), sends_bodies)?;
        match self.0.judge(request, &mut content, began).await? {
            Verdict::Allow(changes) => told::allowed(&changes),
            Verdict::Deny { response, .. } => told::denied(response),
        }
    }
}
