//! Envoy's `ext_authz` over gRPC, asked as Envoy asks, over HTTP/2 without TLS. What Envoy itself makes of the
//! answers is tried in host-tests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::Ordering},
};

use envoy_types::{
    ext_authz::v3::pb::{CheckRequest, CheckResponse, HeaderValueOption, HttpResponse},
    pb::envoy::{
        config::core::v3::{
            Address, HeaderMap, HeaderValue, SocketAddress, address::Address as Kind,
        },
        service::auth::v3::{
            AttributeContext,
            attribute_context::{HttpRequest, Peer, Request},
            authorization_client::AuthorizationClient,
        },
    },
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tonic::{Code, metadata::MetadataValue};

use crate::world::{World, config, rule, serve};

/// A certificate for `spiffe://mesh.test/web`.
const CERTIFICATE: &str = include_str!("ext_authz/client.pem");

fn world() -> World {
    let mut sign_in = rule("app", "unauthorized", "allow", "noop");
    sign_in["errors"] = json!([{"handler": "redirect"}]);
    World::start(
        &config(),
        &json!([
            rule("public", "anonymous", "allow", "header"),
            rule("closed", "noop", "deny", "noop"),
            rule("quiet", "noop", "allow", "noop"),
            sign_in,
        ]),
    )
}

/// `GET http://app.test` and this path, over HTTP/1.1.
fn http(path: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        scheme: "http".to_owned(),
        host: "app.test".to_owned(),
        path: path.to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    }
}

fn about(http: HttpRequest) -> CheckRequest {
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request {
                http: Some(http),
                ..Request::default()
            }),
            ..AttributeContext::default()
        }),
    }
}

fn fields(fields: &[(&str, &[u8])]) -> Option<HeaderMap> {
    let field = |(name, value): &(&str, &[u8])| HeaderValue {
        key: (*name).to_owned(),
        raw_value: value.to_vec(),
        ..HeaderValue::default()
    };
    let headers = fields.iter().map(field).collect();
    Some(HeaderMap { headers })
}

fn ask(world: &World, question: CheckRequest) -> CheckResponse {
    ask_with(world, question, "")
}

/// Asks, and says this of bodies.
fn ask_with(world: &World, question: CheckRequest, bodies: &'static str) -> CheckResponse {
    world.runtime.block_on(async {
        let mut client = AuthorizationClient::connect(format!("http://{}", world.address))
            .await
            .unwrap();
        let mut question = tonic::Request::new(question);
        let metadata = question.metadata_mut();
        metadata.insert("x-gatepost-body", MetadataValue::from_static(bodies));
        client.check(question).await.unwrap().into_inner()
    })
}

/// What Envoy is to do with the fields of these options.
fn values(options: Vec<HeaderValueOption>) -> HashMap<String, String> {
    let pair = |option: HeaderValueOption| option.header.map(|it| (it.key, it.value));
    options.into_iter().filter_map(pair).collect()
}

/// The status, fields and body for the client, which may not.
fn denied(answer: CheckResponse) -> (i32, HashMap<String, String>, String) {
    assert_ne!(answer.status.unwrap().code, i32::from(Code::Ok));
    match answer.http_response.unwrap() {
        HttpResponse::DeniedResponse(it) => (it.status.unwrap().code, values(it.headers), it.body),
        other => panic!("{other:?}"),
    }
}

/// The fields for the upstream and those to take out, for a client who may.
fn allowed(answer: CheckResponse) -> (HashMap<String, String>, Vec<String>) {
    assert_eq!(answer.status.unwrap().code, i32::from(Code::Ok));
    match answer.http_response.unwrap() {
        HttpResponse::OkResponse(it) => (values(it.headers), it.headers_to_remove),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_may_passes_with_the_headers_that_rules_set_and_the_path_that_was_judged() {
    let world = world();
    let (set, removed) = allowed(ask(&world, about(http("/public/a?b=c"))));
    let expected = [("x-user".to_owned(), "anonymous".to_owned())];
    assert_eq!((set, removed.len()), (HashMap::from(expected), 0));
    let cleaned = HttpRequest {
        header_map: fields(&[("x-user", b"root"), ("x_user", b"root")]),
        ..http("/quiet/x/../y?z")
    };
    let (set, removed) = allowed(ask(&world, about(cleaned)));
    let expected = [(":path".to_owned(), "/quiet/y?z".to_owned())];
    assert_eq!(set, HashMap::from(expected));
    assert_eq!(removed, ["x-user", "x_user"]);
}

#[test]
fn whoever_may_not_gets_what_the_error_handler_says() {
    let world = world();
    let (status, headers, body) = denied(ask(&world, about(http("/closed"))));
    assert_eq!(
        (status, &*headers["content-type"]),
        (403, "application/json")
    );
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"]["code"], 403);
    let (status, headers, _) = denied(ask(&world, about(http("/app"))));
    assert_eq!(
        (status, &*headers["location"]),
        (302, "http://id.test/login")
    );
    for (path, status) in [
        ("/elsewhere", 404),
        ("/public/..%2fclosed", 400),
        ("/public/../closed", 403),
        ("/public#/closed", 400),
        ("//app.test/public", 404),
        ("", 400),
    ] {
        assert_eq!(denied(ask(&world, about(http(path)))).0, status, "{path}");
    }
}

#[test]
fn what_is_no_question_about_one_request_is_refused() {
    let world = world();
    assert_eq!(denied(ask(&world, CheckRequest::default())).0, 400);
    let two_hosts = HttpRequest {
        header_map: fields(&[(":authority", b"other.test")]),
        ..http("/public")
    };
    let own_fragment = HttpRequest {
        fragment: "/closed".to_owned(),
        ..http("/public")
    };
    for odd in [two_hosts, own_fragment] {
        assert_eq!(denied(ask(&world, about(odd))).0, 400);
    }
    let long = HttpRequest {
        raw_body: vec![b'x'; 3 << 20],
        ..http("/public")
    };
    assert_eq!(denied(ask(&world, about(long))).0, 413);
}

#[test]
fn t11_only_a_proxy_that_is_named_may_ask() {
    let mut config = config();
    config["serve"]["api"]["gatepost"]["trusted_proxies"] = json!(["192.0.2.1"]);
    let rules = json!([rule("public", "anonymous", "allow", "header")]);
    let world = World::start(&config, &rules);
    assert_eq!(denied(ask(&world, about(http("/public")))).0, 403);
}

#[test]
fn t11_what_the_client_says_of_its_address_counts_only_behind_a_proxy_that_is_named() {
    let mut config = config();
    config["serve"]["api"]["gatepost"]["trusted_proxies"] = json!(["127.0.0.1", "10.0.0.0/8"]);
    let mut office = rule("office", "noop", "allow", "noop");
    office["gatepost"] = json!({"authorizers": [{
        "handler": "cidr", "config": {"allow": ["192.0.2.0/24"]},
    }]});
    let world = World::start(&config, &json!([office]));
    for (peer, passes) in [("10.0.0.9", true), ("198.51.100.1", false)] {
        let mut question = about(HttpRequest {
            header_map: fields(&[("x-forwarded-for", b"192.0.2.7")]),
            ..http("/office")
        });
        question.attributes.as_mut().unwrap().source = Some(Peer {
            address: Some(Address {
                address: Some(Kind::SocketAddress(SocketAddress {
                    address: peer.to_owned(),
                    ..SocketAddress::default()
                })),
            }),
            ..Peer::default()
        });
        let code = ask(&world, question).status.unwrap().code;
        assert_eq!(code == i32::from(Code::Ok), passes, "{peer}");
    }
}

#[test]
fn a_body_is_judged_only_if_it_is_there_and_whole() {
    let runtime = Runtime::new().unwrap();
    let (port, asked) = serve(&runtime, &Arc::new(Mutex::new((200, String::new()))));
    let mut config = config();
    config["authorizers"]["remote"] = json!({"enabled": true, "config": {
        "remote": format!("http://127.0.0.1:{port}/check"),
    }});
    let world = World::start(
        &config,
        &json!([
            rule("open", "noop", "allow", "noop"),
            rule("checked", "noop", "remote", "noop"),
        ]),
    );
    let question = |protocol: &str, body: &[u8], headers: &[(&str, &[u8])]| {
        about(HttpRequest {
            method: "POST".to_owned(),
            protocol: protocol.to_owned(),
            raw_body: body.to_vec(),
            header_map: fields(headers),
            ..http("/checked")
        })
    };
    let whole: (&str, &[u8]) = ("x-envoy-auth-partial-body", b"false");
    let part: (&str, &[u8]) = ("x-envoy-auth-partial-body", b"true");
    let length: (&str, &[u8]) = ("content-length", b"5");
    let chunked: (&str, &[u8]) = ("transfer-encoding", b"chunked");
    for (protocol, body, headers, bodies, status) in [
        ("HTTP/1.1", &b"hello"[..], &[length, whole][..], "", 0),
        ("HTTP/1.1", b"hell", &[length, part], "sent", 413),
        ("HTTP/1.1", b"hell", &[length, whole, part], "sent", 413),
        ("HTTP/1.1", b"hello", &[length], "sent", 500),
        ("HTTP/1.1", b"", &[length], "sent", 500),
        ("HTTP/1.1", b"", &[length, whole], "sent", 500),
        ("HTTP/1.1", b"", &[], "", 0),
        ("HTTP/1.1", b"", &[chunked], "", 500),
        ("HTTP/1.1", b"", &[chunked], "sent", 500),
        // Only Envoy's configuration can say that no body means none.
        ("HTTP/2", b"", &[], "", 500),
        ("HTTP/2", b"", &[whole], "", 500),
        ("HTTP/2", b"", &[], "sent", 0),
        ("HTTP/2", b"hello", &[whole], "", 0),
    ] {
        let before = asked.load(Ordering::SeqCst);
        let answer = ask_with(&world, question(protocol, body, headers), bodies);
        let is_asked = asked.load(Ordering::SeqCst) > before;
        let told = match status {
            0 => {
                allowed(answer);
                0
            }
            _ => denied(answer).0,
        };
        assert_eq!(
            (told, is_asked),
            (status, status == 0),
            "{protocol} {headers:?}"
        );
    }
    let unread = HttpRequest {
        header_map: fields(&[length, part]),
        ..http("/open")
    };
    allowed(ask(&world, about(unread)));
}

#[test]
fn a_certificate_counts_where_the_configuration_says_that_envoy_sends_it() {
    for is_configured in [true, false] {
        let mut config = config();
        config["serve"]["api"]["gatepost"]["client_certificates"] = json!(is_configured);
        let mut mesh = rule("mesh", "unauthorized", "allow", "header");
        mesh["gatepost"] = json!({"authenticators": [{
            "handler": "peer_certificate", "config": {"allowed": ["spiffe://mesh.test/*"]},
        }]});
        let world = World::start(&config, &json!([mesh]));
        let encoded = CERTIFICATE.replace('\n', "%0A").replace(' ', "%20");
        for (certificate, is_one) in [(&*encoded, true), ("", false), ("%ff", false)] {
            let mut question = about(http("/mesh"));
            question.attributes.as_mut().unwrap().source = Some(Peer {
                certificate: certificate.to_owned(),
                ..Peer::default()
            });
            let answer = ask(&world, question);
            match is_configured && is_one {
                true => assert_eq!(allowed(answer).0["x-user"], "spiffe://mesh.test/web"),
                false => assert_eq!(denied(answer).0, 401),
            }
        }
    }
}
