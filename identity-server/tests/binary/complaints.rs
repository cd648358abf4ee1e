//! What is said when something is wrong: one message, status 1, and what to do.

use std::net::TcpListener;

use crate::server::complaint;

const SECRET: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

#[test]
fn an_occupied_port_names_the_address_and_the_key_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let variables = [
        ("SERVE_PUBLIC_PORT", "0"),
        ("SERVE_ADMIN_PORT", port.as_str()),
    ];
    let said = complaint(folder.path(), &["serve", "--dev"], &variables);
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(
        said.contains("`serve.admin.port`") && said.contains("`SERVE_ADMIN_PORT`"),
        "{said}"
    );
    assert_eq!(said.matches("in use").count(), 1, "said once: {said}");
    assert!(
        !folder.path().join("gatepost.sqlite").exists(),
        "and nothing was touched"
    );
}

#[test]
fn an_unreadable_database_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("notes.sqlite"),
        "no database ".repeat(500),
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("folder.sqlite")).unwrap();
    let ports = [("SERVE_PUBLIC_PORT", "0"), ("SERVE_ADMIN_PORT", "0")];
    for file in ["notes.sqlite", "folder.sqlite", "missing/gatepost.sqlite"] {
        let said = complaint(
            folder.path(),
            &["serve", "--dev", "--dsn", &format!("sqlite://{file}")],
            &ports,
        );
        assert!(
            said.contains(&format!("`{file}`")) && said.contains("`dsn`"),
            "{said}"
        );
    }
    let said = complaint(
        folder.path(),
        &["keys", "list", "--dev", "--dsn", "sqlite://none.sqlite"],
        &[],
    );
    assert!(said.contains("`none.sqlite`"), "{said}");
    assert!(
        !folder.path().join("none.sqlite").exists(),
        "looking makes nothing"
    );
}

#[test]
fn production_refuses_missing_and_weak_secrets_and_an_http_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let said = complaint(folder.path(), &["serve"], &[]);
    assert!(
        said.contains("`secrets.system`: missing") && said.contains("`urls.self.issuer`: missing"),
        "{said}"
    );
    assert!(said.contains("--dev"), "{said}");

    let weak = [
        ("URLS_SELF_ISSUER", "http://id.example"),
        ("SECRETS_SYSTEM", "correct-horse"),
    ];
    let said = complaint(folder.path(), &["serve"], &weak);
    assert!(
        said.contains("`secrets.system[0]`: too weak") && said.contains("openssl rand"),
        "{said}"
    );
    assert!(said.contains("not https"), "{said}");
    assert!(
        !said.contains("correct-horse"),
        "a weak secret is still a secret: {said}"
    );
}

#[test]
fn a_wrong_file_is_named_with_the_wrong_key() {
    let folder = tempfile::tempdir().unwrap();
    let said = complaint(folder.path(), &["serve", "-c", "absent.yaml"], &[]);
    assert!(said.contains("`absent.yaml`"), "{said}");
    std::fs::write(
        folder.path().join("gatepost.yaml"),
        "ttl: { acces_token: 1h }",
    )
    .unwrap();
    let said = complaint(folder.path(), &["serve", "-c", "gatepost.yaml"], &[]);
    assert!(
        said.contains("`gatepost.yaml`") && said.contains("acces_token"),
        "{said}"
    );
}

#[test]
fn a_key_that_no_secret_opens_is_reported_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let with = |secret| {
        [
            ("SECRETS_SYSTEM", secret),
            ("SERVE_PUBLIC_PORT", "0"),
            ("SERVE_ADMIN_PORT", "0"),
        ]
    };
    let run = |arguments: &[&str]| crate::server::run(folder.path(), arguments, &with(SECRET));
    assert!(run(&["migrate", "--dev"]).status.success());
    assert!(run(&["keys", "rotate", "--dev"]).status.success());
    let said = complaint(
        folder.path(),
        &["serve", "--dev"],
        &with("another-secret-0123456789-abcdef"),
    );
    assert!(
        said.contains("signing key") && said.contains("`secrets.system`"),
        "{said}"
    );
}

#[test]
fn a_secret_is_rotated_by_putting_the_new_one_in_front() {
    let folder = tempfile::tempdir().unwrap();
    let new = "another-secret-0123456789-abcdef";
    let both = format!("{new},{SECRET}");
    let start = |secrets: &str| {
        let variables = [
            ("SECRETS_SYSTEM", secrets),
            ("SERVE_PUBLIC_PORT", "0"),
            ("SERVE_ADMIN_PORT", "0"),
        ];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = crate::server::Server::start(folder.path(), &variables).await;
            assert_eq!(server.stop().await.0, Some(0));
        });
    };
    start(SECRET);
    start(&both);
    start(new);
}

#[test]
fn a_server_that_is_not_there_is_named_with_the_option_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("http://{closed}");
    for command in [
        &["create", "client", "--endpoint", &endpoint][..],
        &[
            "perform",
            "client-credentials",
            "--client-id",
            "a",
            "--client-secret",
            "b",
            "--endpoint",
            &endpoint,
        ],
        &["introspect", "token", "t", "--endpoint", &endpoint],
    ] {
        let said = complaint(folder.path(), command, &[]);
        assert!(
            said.contains(&endpoint) && said.contains("--endpoint"),
            "{said}"
        );
    }
}
