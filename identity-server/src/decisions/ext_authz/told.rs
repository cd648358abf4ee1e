//! What Envoy is told.

use axum::http::{HeaderMap, StatusCode};
use envoy_types::{
    ext_authz::v3::pb::{
        CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
        HttpResponse, HttpStatus, OkHttpResponse,
    },
    pb::google::rpc,
};
use gatepost_policy::{Changes, Response as Denied};
use tonic::Code;

use super::super::{
    answer::{self, OWN},
    trouble::{Trouble, refusal_text},
};

/// The client may: with what the upstream is to be told, and under which path.
pub(super) fn allowed(changes: &Changes) -> Result<CheckResponse, Trouble> {
    // The same checks as over HTTP.
    let mut fields = answer::allowed(changes)?;
    for own in OWN {
        fields.headers_mut().remove(own);
    }
    let mut headers = options(fields.headers(), HeaderAppendAction::OverwriteIfExistsOrAdd);
    headers.extend(
        changes
            .path
            .iter()
            .map(|path| option(":path", path.as_bytes())),
    );
    let removed = changes.remove.iter();
    Ok(answered(
        Code::Ok,
        HttpResponse::OkResponse(OkHttpResponse {
            headers,
            headers_to_remove: removed
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect(),
            ..OkHttpResponse::default()
        }),
    ))
}

/// The client may not, and gets this.
pub(super) fn denied(response: Denied) -> Result<CheckResponse, Trouble> {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let answer = answer::denied(response)?;
    let headers = options(answer.headers(), HeaderAppendAction::AppendIfExistsOrAdd);
    Ok(no(answer.status(), headers, body))
}

/// There is no decision, so the client may not.
pub(super) fn refused(trouble: &Trouble) -> CheckResponse {
    tracing::warn!("a request was refused: {trouble}");
    let status = trouble.status();
    let json = option("content-type", b"application/json");
    no(status, vec![json], refusal_text(status))
}

fn no(status: StatusCode, headers: Vec<HeaderValueOption>, body: String) -> CheckResponse {
    let code = match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        _ => Code::PermissionDenied,
    };
    let status = HttpStatus {
        code: status.as_u16().into(),
    };
    answered(
        code,
        HttpResponse::DeniedResponse(DeniedHttpResponse {
            status: Some(status),
            headers,
            body,
        }),
    )
}

fn answered(code: Code, response: HttpResponse) -> CheckResponse {
    CheckResponse {
        status: Some(rpc::Status {
            code: code.into(),
            ..rpc::Status::default()
        }),
        http_response: Some(response),
        ..CheckResponse::default()
    }
}

fn options(fields: &HeaderMap, action: HeaderAppendAction) -> Vec<HeaderValueOption> {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| option(name.as_str(), value.as_bytes()));
    fields
        .map(|option| HeaderValueOption {
            append_action: action.into(),
            ..option
        })
        .collect()
}

/// Sets a field in place of all of that name.
fn option(name: &str, value: &[u8]) -> HeaderValueOption {
    let key = name.to_owned();
    let header = match std::str::from_utf8(value) {
        Ok(value) => HeaderValue {
            key,
            value: value.to_owned(),
            ..HeaderValue::default()
        },
        Err(_) => HeaderValue {
            key,
            raw_value: value.to_owned(),
            ..HeaderValue::default()
        },
    };
    HeaderValueOption {
        header: Some(header),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        // An empty value says that there is none, which is not the same as the client's own.
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}
