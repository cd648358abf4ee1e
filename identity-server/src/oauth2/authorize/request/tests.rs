use time::OffsetDateTime;

use super::*;
use crate::oauth2::client::{AuthMethod, Profile, rules};

const GOOD: &str = "response_type=code&client_id=app&scope=openid&state=12345678&redirect_uri=https%3A%2F%2Fapp.example%2Fcb";
const CHALLENGE: &str =
    "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn client() -> Client {
    let profile = Profile {
        redirect_uris: vec!["https://app.example/cb".into()],
        scope: "openid offline".into(),
        audience: vec!["https://api.example".into()],
        ..Profile::default()
    };
    Client {
        id: ClientId::new("app"),
        profile: rules::complete(profile, time::Duration::DAY).unwrap(),
        secret: None,
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn rules() -> RequestRules {
    RequestRules {
        scope_strategy: Scopes::Wildcard,
        pkce_enforced: false,
        pkce_enforced_for_public_clients: true,
        dev: false,
    }
}

fn parse_for(
    client: &Client,
    rules: RequestRules,
    query: &str,
) -> Result<AuthorizationRequest, OAuthError> {
    let params = Params::parse(query.as_bytes())?;
    let destination = Destination::resolve(&params, client, false)?;
    AuthorizationRequest::parse(&params, client, destination, rules)
}

fn parse(query: &str) -> Result<AuthorizationRequest, OAuthError> {
    parse_for(&client(), rules(), query)
}

fn code_of(query: &str) -> String {
    let error = parse(query).unwrap_err();
    error.status_and_code().1.to_owned()
}

#[test]
fn a_plain_request_is_read() {
    let request = parse(&format!(
        "{GOOD}&nonce=87654321&max_age=60&login_hint=a%40b.example&ui_locales=de+en"
    ))
    .unwrap();
    assert_eq!(request.destination.state.as_deref(), Some("12345678"));
    assert_eq!(request.nonce.as_deref(), Some("87654321"));
    assert_eq!(request.max_age, Some(60));
    assert_eq!(request.hints.login_hint.as_deref(), Some("a@b.example"));
    assert_eq!(request.hints.ui_locales, ["de", "en"]);
    assert!(request.is_openid());
}

#[test]
fn each_broken_parameter_has_its_code() {
    for (addition, code) in [
        ("&scope=root", "invalid_request"), // repeated
        ("&audience=https%3A%2F%2Fother.example", "invalid_request"),
        ("&nonce=short", "insufficient_entropy"),
        ("&max_age=-1", "invalid_request"),
        ("&max_age=99999999999", "invalid_request"),
        ("&prompt=none+login", "invalid_request"),
        ("&prompt=dance", "invalid_request"),
        ("&request=abc", "request_not_supported"),
        ("&request_uri=abc", "request_uri_not_supported"),
        ("&registration=abc", "registration_not_supported"),
        ("&response_mode=jwt", "unsupported_response_mode"),
        ("&code_challenge=abc", "invalid_request"),
    ] {
        assert_eq!(code_of(&format!("{GOOD}{addition}")), code, "{addition}");
    }
    assert_eq!(
        code_of(&GOOD.replace("scope=openid", "scope=root")),
        "invalid_scope"
    );
    assert_eq!(
        code_of(&GOOD.replace("12345678", "1234567")),
        "invalid_state"
    );
    assert_eq!(
        code_of(&GOOD.replace("response_type=code", "response_type=token")),
        "unsupported_response_type"
    );
    assert_eq!(
        code_of(&GOOD.replace("response_type=code&", "")),
        "unsupported_response_type"
    );
}

#[test]
fn a_bad_redirect_uri_fails_before_there_is_a_destination() {
    for query in [
        GOOD.replace("%2Fcb", "%2Fevil"),
        GOOD.replace("&redirect_uri=https%3A%2F%2Fapp.example%2Fcb", ""),
    ] {
        let params = Params::parse(query.as_bytes()).unwrap();
        assert!(
            Destination::resolve(&params, &client(), false).is_err(),
            "{query}"
        );
    }
}

#[test]
fn pkce_is_demanded_as_configured() {
    let enforced = RequestRules {
        pkce_enforced: true,
        ..rules()
    };
    assert!(parse_for(&client(), enforced, GOOD).is_err());
    assert!(parse_for(&client(), enforced, &format!("{GOOD}&{CHALLENGE}")).is_ok());

    let mut public = client();
    public.profile.token_endpoint_auth_method = AuthMethod::None;
    assert!(parse_for(&public, rules(), GOOD).is_err());
    assert!(parse_for(&public, rules(), &format!("{GOOD}&{CHALLENGE}")).is_ok());
}
