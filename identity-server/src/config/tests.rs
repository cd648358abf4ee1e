//! What a configuration may say and what a wrong one is told.

use super::*;

const GOOD: &str = "
urls: { self: { issuer: https://id.example/ } }
secrets: { system: [0a1b2c3d4e5f60718293a4b5c6d7e8f9] }
";

fn read(yaml: &str, variables: &[(&str, &str)]) -> Result<Written, ConfigError> {
    Written::read(yaml, "test.yaml", |name| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn keys(error: &ConfigError) -> Vec<&str> {
    error
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect()
}

#[test]
fn the_shortest_production_file_is_enough() {
    let settings = Settings::resolve(read(GOOD, &[]).unwrap(), Mode::Production, "test").unwrap();
    assert_eq!(settings.issuer, "https://id.example/", "byte for byte");
    assert_eq!(
        settings.public_url("/oauth2/token"),
        "https://id.example/oauth2/token"
    );
    assert_eq!((settings.public.port, settings.admin.port), (4444, 4445));
    assert_eq!(settings.admin.host, "127.0.0.1");
    assert!(settings.secure_cookies());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file =
        format!("{GOOD}\nserve: {{ public: {{ host: 0.0.0.0 }} }}\nttl: {{ access_token: 5m }}");
    let variables = [
        ("SERVE_PUBLIC_PORT", "8080"),
        ("TTL_ACCESS_TOKEN", "7m"),
        ("OAUTH2_PKCE_ENFORCED", "true"),
        (
            "SECRETS_SYSTEM",
            "f0e1d2c3b4a5968778695a4b3c2d1e0f, 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        ),
    ];
    let written = read(&file, &variables).unwrap();
    assert_eq!(
        (
            written.serve.public.host.as_str(),
            written.serve.public.port
        ),
        ("0.0.0.0", 8080)
    );
    assert_eq!(written.ttl.access_token, GoDuration::minutes(7));
    assert!(written.oauth2.pkce.enforced);
    assert_eq!(written.secrets.system.len(), 2);
}

#[test]
fn a_listener_half_written_keeps_its_own_defaults() {
    let written = read("serve: { admin: { host: 10.0.0.1 } }", &[]).unwrap();
    assert_eq!(
        (written.serve.admin.host.as_str(), written.serve.admin.port),
        ("10.0.0.1", 4445)
    );
}

#[test]
fn an_unknown_key_is_named_with_its_path() {
    let error = read("serve: { public: { prot: 1 } }", &[]).unwrap_err();
    assert!(error.to_string().contains("serve.public"), "{error}");
    assert!(error.to_string().contains("`prot`"), "{error}");
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_path() {
    assert_eq!(
        keys(&read("ttl: { access_token: soon }", &[]).unwrap_err()),
        ["ttl.access_token"]
    );
    assert_eq!(
        keys(&read("", &[("SERVE_PUBLIC_PORT", "many")]).unwrap_err()),
        ["serve.public.port"]
    );
    assert!(read("- a list", &[]).is_err());
    assert!(read("serve: [", &[]).is_err());
}

#[test]
fn all_problems_come_together() {
    let yaml = "
dsn: mysql://x
urls: { self: { issuer: http://id.example }, login: nowhere }
secrets: { system: [short, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] }
ttl: { auth_code: 0s }
keys: { publish_ahead: 5m }
";
    let error = Settings::resolve(read(yaml, &[]).unwrap(), Mode::Production, "test").unwrap_err();
    for key in [
        "dsn",
        "urls.self.issuer",
        "urls.login",
        "secrets.system[0]",
        "secrets.system[1]",
        "ttl.auth_code",
        "keys.publish_ahead",
    ] {
        assert!(keys(&error).contains(&key), "{key} in {error}");
    }
    assert!(
        !error.to_string().contains("aaaa"),
        "a weak secret is still a secret: {error}"
    );
}

#[test]
fn missing_secrets_and_issuer_are_refused_with_a_remedy() {
    let error = Settings::resolve(read("", &[]).unwrap(), Mode::Production, "test")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`secrets.system`: missing") && error.contains("openssl rand"),
        "{error}"
    );
    assert!(error.contains("`urls.self.issuer`: missing"), "{error}");
}

#[test]
fn development_allows_http_and_derives_the_issuer() {
    let yaml = "secrets: { system: [0a1b2c3d4e5f60718293a4b5c6d7e8f9] }";
    let settings = Settings::resolve(read(yaml, &[]).unwrap(), Mode::Dev, "test").unwrap();
    assert_eq!(settings.issuer, "http://127.0.0.1:4444");
    assert!(!settings.secure_cookies());
}

#[test]
fn the_derived_issuer_follows_a_port_that_the_system_chose() {
    let yaml =
        "secrets: { system: [0a1b2c3d4e5f60718293a4b5c6d7e8f9] }\nserve: { public: { port: 0 } }";
    let resolve =
        |yaml: &str| Settings::resolve(read(yaml, &[]).unwrap(), Mode::Dev, "test").unwrap();
    let mut derived = resolve(yaml);
    derived.listens_on("127.0.0.1:4711".parse().unwrap());
    assert_eq!(derived.issuer, "http://127.0.0.1:4711");
    assert_eq!(derived.public_url("/x"), "http://127.0.0.1:4711/x");
    let mut configured = resolve(&format!(
        "{yaml}\nurls: {{ self: {{ issuer: http://id.test }} }}"
    ));
    configured.listens_on("127.0.0.1:4711".parse().unwrap());
    assert_eq!(configured.issuer, "http://id.test");
}

#[test]
fn development_stays_on_this_machine() {
    let resolve = |side: &str, host: &str| {
        let yaml = format!(
            "secrets: {{ system: [0a1b2c3d4e5f60718293a4b5c6d7e8f9] }}\nserve: {{ {side}: {{ host: '{host}' }} }}"
        );
        Settings::resolve(read(&yaml, &[]).unwrap(), Mode::Dev, "test")
    };
    for (side, key) in [
        ("public", "serve.public.host"),
        ("admin", "serve.admin.host"),
    ] {
        for host in ["0.0.0.0", "::", "10.0.0.1", "id.example"] {
            let error = resolve(side, host).unwrap_err();
            assert_eq!(keys(&error), [key], "{host}");
            assert!(error.to_string().contains("`127.0.0.1`"), "{error}");
        }
        for host in ["localhost", "127.0.0.2", "::1", "[::1]"] {
            assert!(resolve(side, host).is_ok(), "{host}");
        }
    }
}

#[test]
fn trusted_proxies_are_ranges_of_the_public_side() {
    let file = "serve: { public: { trusted_proxies: [10.0.0.0/8, 192.0.2.7, 'fd00::/8'] } }";
    let proxies = read(file, &[]).unwrap().serve.public.trusted_proxies;
    let trusted = |address: &str| {
        proxies
            .iter()
            .any(|range| range.contains(address.parse().unwrap()))
    };
    assert!(trusted("10.9.9.9") && trusted("192.0.2.7") && trusted("fd12::1"));
    assert!(trusted("::ffff:10.0.0.1") && !trusted("192.0.2.8"));
    let none = read("", &[]).unwrap().serve.public.trusted_proxies;
    assert!(none.is_empty(), "nobody by default");
    let error = read("serve: { public: { trusted_proxies: [proxy] } }", &[]).unwrap_err();
    assert_eq!(keys(&error), ["serve.public.trusted_proxies[0]"]);
    assert!(error.to_string().contains("`10.0.0.0/8`"), "{error}");
    assert!(read("serve: { admin: { trusted_proxies: [10.0.0.0/8] } }", &[]).is_err());
}
