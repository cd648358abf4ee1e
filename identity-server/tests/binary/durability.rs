//! What was answered is kept: `kill -9` in the middle of writing, again and again.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

use crate::server::Server;

/// How many write at the same time.
const WRITERS: usize = 4;

/// After how many answers the process dies, per round.
const ANSWERS: [usize; 3] = [3, 17, 31];

const PASSWORD: &str = "correct horse battery";
// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// Pages that are never opened: the test decides in their place.
pub const PAGES: [(&str, &str); 2] = [
    ("URLS_LOGIN", "http://127.0.0.1:9/login"),
    ("URLS_CONSENT", "http://127.0.0.1:9/consent"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_client_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let clients = killed_again_and_again(folder.path(), make_client).await;
    let server = Server::start(folder.path(), &[]).await;
    for id in &clients {
        let answer = reqwest::get(format!("{}/admin/clients/{id}", server.admin))
            .await
            .unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::OK,
            "client {id}, one of {}",
            clients.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_registration_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = killed_again_and_again(folder.path(), register).await;
    let server = Server::start(folder.path(), &[]).await;
    for token in &sessions {
        let asked = Client::new()
            .get(format!("{}/sessions/whoami", server.public))
            .header("x-session-token", token);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "one of {}", sessions.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_refresh_token_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = killed_again_and_again(folder.path(), get_refresh_token).await;
    let server = Server::start(folder.path(), &[]).await;
    for pair in &tokens {
        let (client, token) = pair.split_once(' ').unwrap();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", client),
        ];
        let asked = Client::new()
            .post(format!("{}/oauth2/token", server.public))
            .form(&form);
        let answer = asked.send().await.unwrap();
        let status = answer.status();
        assert_eq!(
            status,
            StatusCode::OK,
            "one of {}: {}",
            tokens.len(),
            answer.text().await.unwrap()
        );
    }
}

/// The two addresses of a server.
#[derive(Clone)]
pub struct Addresses {
    pub public: String,
    pub admin: String,
}

/// What survives must have been answered; `None` means that the server died before it answered.
async fn make_client(http: Client, server: Addresses) -> Option<String> {
    let body = json!({"grant_types": ["client_credentials"], "scope": "read"});
    let made = json_of(
        http.post(format!("{}/admin/clients", server.admin))
            .json(&body)
            .send()
            .await,
        201,
    )
    .await?;
    Some(made["client_id"].as_str().unwrap().to_owned())
}

/// Answers the session token.
async fn register(http: Client, server: Addresses) -> Option<String> {
    let opened = http
        .get(format!("{}/self-service/registration/api", server.public))
        .send()
        .await;
    let flow = json_of(opened, 200).await?;
    let action = Url::parse(flow["ui"]["action"].as_str().unwrap()).unwrap();
    let email = format!("{}@example.com", flow["id"].as_str().unwrap());
    let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": email}});
    let submit = http
        .post(format!(
            "{}{}?{}",
            server.public,
            action.path(),
            action.query().unwrap()
        ))
        .json(&body);
    let registered = json_of(submit.send().await, 200).await?;
    Some(registered["session_token"].as_str().unwrap().to_owned())
}

/// Goes the whole way of an authorization code; answers client id and refresh token.
async fn get_refresh_token(http: Client, server: Addresses) -> Option<String> {
    let body = json!({
        "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"], "scope": "offline", "token_endpoint_auth_method": "none",
    });
    let made = json_of(
        http.post(format!("{}/admin/clients", server.admin))
            .json(&body)
            .send()
            .await,
        201,
    )
    .await?;
    let id = made["client_id"].as_str().unwrap();
    let query = [
        ("client_id", id),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "offline"),
        ("state", "state-123456"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let to_login = location(
        http.get(format!("{}/oauth2/auth", server.public))
            .query(&query)
            .send()
            .await,
    )?;
    let login = json!({"subject": "alice"});
    let after_login = decide(
        &http,
        &server,
        "login",
        &parameter(&to_login, "login_challenge"),
        &login,
    )
    .await?;
    let to_consent = location(http.get(after_login).send().await)?;
    let consent = json!({"grant_scope": ["offline"]});
    let challenge = parameter(&to_consent, "consent_challenge");
    let after_consent = decide(&http, &server, "consent", &challenge, &consent).await?;
    let back = location(http.get(after_consent).send().await)?;
    let code = parameter(&back, "code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", id),
    ];
    let tokens = json_of(
        http.post(format!("{}/oauth2/token", server.public))
            .form(&form)
            .send()
            .await,
        200,
    )
    .await?;
    Some(format!(
        "{id} {}",
        tokens["refresh_token"].as_str().unwrap()
    ))
}

pub async fn decide(
    http: &Client,
    server: &Addresses,
    page: &str,
    challenge: &str,
    body: &Value,
) -> Option<String> {
    let address = format!("{}/admin/oauth2/auth/requests/{page}/accept", server.admin);
    let sent = http
        .put(address)
        .query(&[(format!("{page}_challenge"), challenge)])
        .json(body)
        .send()
        .await;
    Some(
        json_of(sent, 200).await?["redirect_to"]
            .as_str()
            .unwrap()
            .to_owned(),
    )
}

pub async fn json_of(answer: reqwest::Result<Response>, status: u16) -> Option<Value> {
    let answer = answer.ok()?;
    let got = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert_eq!(got, status, "{text}");
    Some(serde_json::from_str(&text).unwrap())
}

pub fn location(answer: reqwest::Result<Response>) -> Option<Url> {
    let answer = answer.ok()?;
    assert!(answer.status().is_redirection(), "{answer:?}");
    Some(Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap())
}

pub fn parameter(address: &Url, name: &str) -> String {
    let found = address.query_pairs().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("no `{name}` in {address}"))
        .1
        .into_owned()
}

/// All rounds on one database; what was answered in any of them.
async fn killed_again_and_again<W, F>(folder: &Path, write: W) -> Vec<String>
where
    W: Fn(Client, Addresses) -> F + Clone + Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    let mut kept = Vec::new();
    for answers in ANSWERS {
        kept.extend(killed_once(folder, answers, write.clone()).await);
    }
    kept
}

/// Has `write` run by several tasks until enough were answered, kills the server under them, and tells which
/// answers came.
async fn killed_once<W, F>(folder: &Path, answers: usize, write: W) -> Vec<String>
where
    W: Fn(Client, Addresses) -> F + Clone + Send + 'static,
    F: Future<Output = Option<String>> + Send,
{
    let server = Server::start(folder, &PAGES).await;
    let addresses = Addresses {
        public: server.public.clone(),
        admin: server.admin.clone(),
    };
    let (tell, mut answered) = mpsc::unbounded_channel();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (write, tell, addresses) = (write.clone(), tell.clone(), addresses.clone());
        writers.spawn(async move {
            let client = Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .cookie_store(true)
                .build()
                .unwrap();
            // Ends with the server: then there is no answer any more.
            while let Some(answer) = write(client.clone(), addresses.clone()).await {
                tell.send(answer).unwrap();
            }
        });
    }
    drop(tell);
    let mut kept = Vec::new();
    while kept.len() < answers {
        let answer = tokio::time::timeout(Duration::from_secs(60), answered.recv())
            .await
            .expect("it answers");
        kept.push(answer.expect("it does not refuse"));
    }
    server.kill().await;
    writers.join_all().await;
    while let Some(answer) = answered.recv().await {
        kept.push(answer);
    }
    kept
}
