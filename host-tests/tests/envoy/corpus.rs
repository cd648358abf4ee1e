//! The corpus of policy cases, decided by the module within a real Envoy.
//!
//! One Envoy with one VM per worker holds the policies of all cases, each behind a listener of its own. The
//! servers that rules call, and the upstream, are scripted. Everything speaks over sockets in a folder.
//!
//! Envoy has a clock of its own, so the times in a case are moved to the present before it is played.

mod bootstrap;
mod door;
mod moment;
mod scripted;
pub(crate) mod wire;

use std::path::{Path, PathBuf};

use gatepost_cases::{Case, install_crypto, play_case};

use self::door::Proxied;

/// A case that does not end as it is written, and why.
type Different = (&'static str, &'static str, &'static str);

const NO_TLS: &str = "the sockets have no TLS, so Envoy knows no certificate";
const LATER: &str = "the request comes at another moment, and Envoy's clock cannot be moved";
const SEED: &str = "the nonce is drawn from randomness that differs each time";
const IN_WORDS: &str = "the authorizer is told the time in words, which are those of another day";
const JOINED: &str =
    "Envoy joins two `Authorization` fields into one, and the upstream gets that one too";
const HOP: &str = "Envoy takes `Connection` and what belongs to it out before the session is shown";

const DIFFERENT: &[Different] = &[
    (
        "authenticate/bearer_token.yaml",
        "A11 two tokens are refused, for the upstream might read the other one",
        JOINED,
    ),
    (
        "authenticate/certificate.yaml",
        "a name below a prefix",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a name that is listed",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a name that is not",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a certificate without a name of that kind",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a DNS name with one label before the parent",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a DNS name with two",
        NO_TLS,
    ),
    ("authenticate/certificate.yaml", "the whole subject", NO_TLS),
    (
        "authenticate/certificate.yaml",
        "a bound token on its connection",
        NO_TLS,
    ),
    (
        "authenticate/certificate.yaml",
        "a bound token there",
        NO_TLS,
    ),
    ("authenticate/dpop.yaml", "an old proof", LATER),
    (
        "authenticate/dpop.yaml",
        "a nonce is asked for, challenge or not",
        SEED,
    ),
    ("authenticate/dpop.yaml", "and then taken", SEED),
    (
        "authenticate/introspection_cache.yaml",
        "A21 T20 primed where scope read is enough, asked where write is needed",
        LATER,
    ),
    (
        "authenticate/introspection_cache.yaml",
        "A21 a ttl is for this rule, and for tokens without an end too",
        LATER,
    ),
    (
        "authenticate/introspection_cache.yaml",
        "A21 a ttl does not outlive the token",
        LATER,
    ),
    (
        "authenticate/introspection_cache.yaml",
        "pre_authorization gets a token first, and introspects with it",
        LATER,
    ),
    (
        "authenticate/oauth2_client_credentials.yaml",
        "a client that got a token is known until that expires",
        LATER,
    ),
    (
        "authenticate/oauth2_client_credentials.yaml",
        "a ttl caps the time, a refusal is never remembered",
        LATER,
    ),
    (
        "authenticate/session_cache.yaml",
        "a session is known for the ttl",
        LATER,
    ),
    (
        "authenticate/session_cache.yaml",
        "the session's own end comes first",
        LATER,
    ),
    (
        "authorize/keto.yaml",
        "L08 Keto is asked about the groups that matched",
        IN_WORDS,
    ),
    (
        "authorize/keto.yaml",
        "K03 subject and flavor as configured",
        IN_WORDS,
    ),
    (
        "mutate/hydrator.yaml",
        "U07 the session is shown as Oathkeeper writes it",
        HOP,
    ),
    (
        "mutate/id_token.yaml",
        "U05 without a template only our claims, for fifteen minutes",
        LATER,
    ),
];

/// The files that are not played here: their cases say how fetches in the background fail, one call after
/// the other. Envoy makes these calls as soon as it has read its configuration, and again and again.
const BACKGROUND: &[&str] = &[
    "authenticate/discovery.yaml",
    "authenticate/jwks_faults.yaml",
];

/// How often a request is played again that is about a very second, which may have ended meanwhile.
const TRIES: usize = 3;

#[test]
fn every_case_is_decided_as_written() {
    install_crypto();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/policy/cases");
    let mut cases = Case::read_all(&folder).unwrap();
    // Other modules have tests of their own here.
    cases.retain(|case| case.module() == "access-rules" && case.cel != Some(true));
    // With these no Envoy starts: see tests/envoy/refused.rs.
    let (refused, cases): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|it| it.requests.is_empty());
    let written: usize = cases.iter().map(|case| case.requests.len()).sum();
    let (background, cases): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|case| BACKGROUND.iter().any(|file| case.file.ends_with(file)));
    let unplayed: usize = background.iter().map(|case| case.requests.len()).sum();
    let mut played = Played::default();
    played.play(&cases);
    let Played {
        count,
        different,
        failures,
    } = played;
    println!(
        "{count} played, {different} of them differ, {unplayed} not played, {} refused at load",
        refused.len()
    );
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(different, DIFFERENT.len(), "some entry names no case");
    assert_eq!(count + unplayed, written, "some case was not played");
}

/// What became of the cases.
#[derive(Default)]
struct Played {
    count: usize,
    different: usize,
    failures: Vec<String>,
}

impl Played {
    fn play(&mut self, cases: &[Case]) {
        let mut door = Proxied::start(cases);
        for case in cases {
            for (name, result) in play_file(case, &mut door) {
                self.judge(case, &name, result);
            }
        }
        door.check_alive();
    }

    fn judge(&mut self, case: &Case, name: &str, result: anyhow::Result<()>) {
        self.count += 1;
        let mut different = DIFFERENT.iter();
        let listed =
            different.find(|(file, wanted, _)| case.file.ends_with(file) && name == *wanted);
        match (result, listed) {
            (Ok(()), None) => {}
            (Err(_), Some(_)) => self.different += 1,
            (Err(error), None) => self
                .failures
                .push(format!("{}: {name}: {error:#}", case.file)),
            (Ok(()), Some((_, _, why))) => self.failures.push(format!(
                "{}: {name}: ends as written, though listed as different: {why}",
                case.file
            )),
        }
    }
}

/// Plays the requests of a file at the present moment. Those that change what is remembered for the next
/// are moved there one by one; of the others, what fails is played again.
fn play_file(case: &Case, door: &mut Proxied) -> Vec<(String, anyhow::Result<()>)> {
    let file = PathBuf::from(&case.file);
    door.turn_to(&case.file);
    if door.remembers(&case.file) {
        let numbers = 0..case.requests.len();
        return numbers
            .filter_map(|number| play_one(&file, number, door))
            .collect();
    }
    let mut results = play_case(&moment::moved(&file), door);
    for (number, result) in results.iter_mut().enumerate() {
        for _ in 0..TRIES {
            if result.1.is_err()
                && let Some(again) = play_one(&file, number, door)
            {
                *result = again;
            }
        }
    }
    results
}

fn play_one(
    file: &Path,
    number: usize,
    door: &mut Proxied,
) -> Option<(String, anyhow::Result<()>)> {
    let mut present = moment::moved(file);
    present.requests = vec![present.requests.swap_remove(number)];
    play_case(&present, door).pop()
}
