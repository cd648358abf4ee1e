//! Clients, browsers and login pages, played by the test.

use axum::body::Body;
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::Url;

use crate::harness::{Answer, TestApp, form};

// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const CALLBACK: &str = "https://app.example/cb";

/// A registered client and its secret.
pub struct TestClient {
    pub id: String,
    pub secret: String,
}

/// Registers a client: the usual one, with some fields replaced.
pub async fn client(app: &TestApp, changes: Value) -> TestClient {
    let mut body = json!({
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "scope": "openid offline read write photos.*",
        "audience": ["https://api.example"],
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let created = app
        .admin
        .post_json("/admin/clients", &body)
        .await
        .expect_status(201)
        .json();
    TestClient {
        id: created["client_id"].as_str().unwrap().to_owned(),
        secret: created["client_secret"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    }
}

impl TestClient {
    pub fn basic(&self) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.id, self.secret))
        )
    }

    /// A form, authenticated by HTTP Basic.
    pub async fn post(&self, app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = form(path, fields);
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, self.basic().parse().unwrap());
        app.public.send(request).await
    }

    pub async fn token(&self, app: &TestApp, fields: &[(&str, &str)]) -> Answer {
        self.post(app, "/oauth2/token", fields).await
    }

    pub async fn redeem(&self, app: &TestApp, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(app, &fields).await
    }

    pub async fn refresh(&self, app: &TestApp, token: &str) -> Answer {
        self.token(
            app,
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    /// The parameters of a good authorization request, some replaced; an empty value leaves the parameter out.
    pub fn request(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut params: Vec<(String, String)> = [
            ("client_id", self.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid offline read"),
            ("state", "state-123456"),
            ("nonce", "nonce-123456"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in changes {
            params.retain(|(known, _)| known != name);
            if !value.is_empty() {
                params.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        params
    }

    /// A code for alice, who agrees to everything.
    pub async fn code(&self, app: &TestApp, changes: &[(&str, &str)]) -> String {
        let mut browser = Browser::default();
        let answer = browser.sign_in(app, &self.request(changes)).await;
        query(answer.header("location"), "code").expect("a code")
    }

    /// Tokens for alice.
    pub async fn tokens(&self, app: &TestApp) -> Value {
        let code = self.code(app, &[]).await;
        self.redeem(app, &code).await.expect_status(200).json()
    }
}

/// A browser: it keeps cookies, and follows nothing by itself.
#[derive(Default)]
pub struct Browser {
    pub cookies: Vec<(String, String)>,
}

impl Browser {
    pub async fn get(&mut self, app: &TestApp, address: &str) -> Answer {
        let path = address
            .strip_prefix(crate::harness::ISSUER)
            .unwrap_or(address);
        let request = Request::get(path).header(header::COOKIE, self.cookie_header());
        let answer = app.public.send(request.body(Body::empty()).unwrap()).await;
        self.keep(&answer);
        answer
    }

    pub async fn start(&mut self, app: &TestApp, request: &[(String, String)]) -> Answer {
        self.get(app, &format!("/oauth2/auth?{}", encoded(request)))
            .await
    }

    /// The whole way, with a page that accepts alice and everything that was asked for.
    pub async fn sign_in(&mut self, app: &TestApp, request: &[(String, String)]) -> Answer {
        self.sign_in_as(app, request, json!({"subject": "alice"}), json!({}))
            .await
    }

    pub async fn sign_in_as(
        &mut self,
        app: &TestApp,
        request: &[(String, String)],
        login: Value,
        consent: Value,
    ) -> Answer {
        let started = self.start(app, request).await.expect_status(303);
        let asked = self.log_in(app, &started, login).await;
        let challenge =
            query(asked.header("location"), "consent_challenge").expect("a consent challenge");
        let shown = app
            .admin
            .get(&consent_path("", &challenge))
            .await
            .expect_status(200)
            .json();
        let mut body = json!({
            "grant_scope": shown["requested_scope"],
            "grant_access_token_audience": shown["requested_access_token_audience"],
            "session": {"access_token": {"tier": "gold"}, "id_token": {"email": "alice@example.com"}},
        });
        for (name, value) in consent.as_object().unwrap() {
            body[name] = value.clone();
        }
        let to = decide(app, &consent_path("/accept", &challenge), &body).await;
        self.get(app, &to).await
    }

    /// From the login page to wherever the server leads next.
    pub async fn log_in(&mut self, app: &TestApp, started: &Answer, login: Value) -> Answer {
        let challenge =
            query(started.header("location"), "login_challenge").expect("a login challenge");
        let to = decide(app, &login_path("/accept", &challenge), &login).await;
        self.get(app, &to).await
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// Sends a page's decision; answers `redirect_to`.
pub async fn decide(app: &TestApp, path: &str, body: &Value) -> String {
    let answer = app
        .admin
        .send_json(Method::PUT, path, body)
        .await
        .expect_status(200);
    answer.json()["redirect_to"].as_str().unwrap().to_owned()
}

pub fn login_path(verb: &str, challenge: &str) -> String {
    format!("/admin/oauth2/auth/requests/login{verb}?login_challenge={challenge}")
}

pub fn consent_path(verb: &str, challenge: &str) -> String {
    format!("/admin/oauth2/auth/requests/consent{verb}?consent_challenge={challenge}")
}

pub async fn introspect(app: &TestApp, token: &str) -> Value {
    app.admin
        .post_form("/admin/oauth2/introspect", &[("token", token)])
        .await
        .expect_status(200)
        .json()
}

pub async fn is_active(app: &TestApp, token: &str) -> bool {
    introspect(app, token).await["active"] == true
}

pub fn encoded(params: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}

/// A query parameter of an address.
pub fn query(address: &str, name: &str) -> Option<String> {
    let address = Url::parse(address).unwrap();
    address
        .query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

/// The claims of a JWT, unverified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The `error` member.
pub fn code_of(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

/// Every token with one byte changed, and every proper prefix.
pub fn broken(token: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..token.len() {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        all.push(String::from_utf8(bytes).unwrap());
        all.push(token.get(..at).unwrap().to_owned());
    }
    all.push(format!("{token}A"));
    all.push(format!("{token} "));
    all.retain(|broken| !broken.is_empty());
    all
}

/// Polls all futures of one test together.
pub async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in pinned.iter_mut().zip(done.iter_mut()) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
