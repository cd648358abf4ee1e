//! An engine that remembers answers decides as one that asks each time, as long as those whom it asks
//! keep to what they said: for a session or token until its end, for everything else for ever.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use gatepost_policy::{
    Call, Engine, Reply, Request, RuleSource, Sources, Step, UnixTime, call, compile,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const WORLDS: u64 = 20;
const REQUESTS: usize = 500;
const START: u64 = 1_767_225_600;
const RULES: u64 = 4;

#[test]
fn cache_on_equals_cache_off() {
    let (mut asked, mut asked_each_time) = (0, 0);
    for world in 0..WORLDS {
        let mut dice = Dice(mix(&("dice", world)) | 1);
        let rules: Vec<Rule> = (0..RULES).map(|_| Rule::random(&mut dice)).collect();
        let mut remembering = Driver::new(world, &rules, true);
        let mut forgetful = Driver::new(world, &rules, false);
        let mut now = START;
        for number in 0..REQUESTS {
            now += dice.roll(8) / 7;
            let request = request(&mut dice);
            assert_eq!(
                remembering.decide(&request, now),
                forgetful.decide(&request, now),
                "world {world}, request {number}: {request:?}\n{rules:#?}"
            );
            assert!(remembering.calls <= forgetful.calls, "world {world}");
        }
        asked += remembering.calls;
        asked_each_time += forgetful.calls;
    }
    // The requests repeat themselves: an engine that remembered nothing would prove nothing.
    assert!(
        asked * 10 < asked_each_time * 9,
        "{asked} of {asked_each_time} calls"
    );
}

/// A small generator (xorshift64), the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }

    /// Some of `choices`, which may be none.
    fn some(&mut self, choices: &[&str]) -> Vec<String> {
        let mut chosen: Vec<_> = choices.iter().map(|it| (*it).to_owned()).collect();
        chosen.retain(|_| self.roll(4) == 0);
        chosen
    }
}

/// What the world is like: the same question has the same answer.
fn mix(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// One authenticator's configuration, without what it remembers.
#[derive(Debug)]
struct Rule {
    handler: &'static str,
    config: Value,
    ttl: Option<String>,
}

impl Rule {
    fn random(dice: &mut Dice) -> Self {
        let ttl = (dice.roll(3) > 0).then(|| format!("{}s", dice.roll(60)));
        let (handler, config) = match dice.roll(6) {
            0 => ("cookie_session", session_check(dice)),
            1 => ("bearer_token", session_check(dice)),
            2 => (
                "oauth2_client_credentials",
                json!({
                    "token_url": dice.pick(&["http://a.test/token", "http://b.test/token"]),
                    "required_scope": dice.some(&["read", "write"]),
                }),
            ),
            _ => ("oauth2_introspection", introspection(dice)),
        };
        Self {
            handler,
            config,
            ttl,
        }
    }

    fn json(&self, number: usize, remembers: bool) -> Value {
        let mut authenticator = json!({"handler": self.handler, "config": self.config});
        if remembers && self.handler.starts_with("oauth2") {
            authenticator["config"]["cache"] = json!({"enabled": true, "ttl": self.ttl});
        } else if remembers && let Some(ttl) = &self.ttl {
            authenticator["gatepost"] = json!({"cache": {"ttl": ttl}});
        }
        json!({
            "id": format!("r{number}"),
            "match": {"url": format!("http://h/r{number}/<.*>"), "methods": ["GET", "POST"]},
            "authenticators": [authenticator],
            "authorizer": {"handler": "allow"},
            "mutators": [{"handler": "header", "config": {"headers": {
                "X-User": "{{ print .Subject }}", "X-Extra": "{{ printf \"%v\" .Extra }}",
            }}}],
        })
    }
}

fn session_check(dice: &mut Dice) -> Value {
    json!({
        "check_session_url": dice.pick(&["http://a.test/whoami?a=1", "http://b.test/whoami"]),
        "preserve_path": dice.roll(2) == 0,
        "preserve_query": dice.roll(2) == 0,
        "preserve_host": dice.roll(2) == 0,
        "subject_from": dice.pick(&["subject", "other"]),
        "extra_from": dice.pick(&["extra", "@this"]),
        "forward_http_headers": dice.some(&["X-Tenant", "Cookie", "Authorization"]),
    })
}

fn introspection(dice: &mut Dice) -> Value {
    let urls = ["http://a.test/introspect", "http://b.test/introspect"];
    json!({
        "introspection_url": dice.pick(&urls),
        "scope_strategy": dice.pick(&["none", "exact", "hierarchic", "wildcard"]),
        "required_scope": dice.some(&["read", "write", "read.all"]),
        "target_audience": dice.some(&["x", "y"]),
        "trusted_issuers": dice.some(&["i", "j"]),
        "introspection_request_headers": if dice.roll(3) == 0 { json!({"X-Tenant": "1"}) } else { json!({}) },
        "pre_authorization": {
            "enabled": dice.roll(3) == 0,
            "client_id": dice.pick(&["one", "two"]),
            "client_secret": "secret",
            "token_url": "http://a.test/token",
        },
    })
}

fn request(dice: &mut Dice) -> Request {
    let path = format!("/r{}/{}", dice.roll(RULES), dice.roll(2));
    let mut fields = vec![
        (":method", dice.pick(&["GET", "GET", "POST"]).to_owned()),
        (":scheme", "http".to_owned()),
        (":authority", "h".to_owned()),
        (":path", path),
    ];
    let authorizations = [
        "Bearer t0",
        "Bearer t1",
        "Bearer t2",
        "Bearer t1|x",
        // a:b, a%3Ab: and two clients that share a name.
        "Basic YTpi",
        "Basic YSUzQWI6",
        "Basic YTpj",
        "",
    ];
    let authorization = dice.pick(&authorizations);
    if !authorization.is_empty() {
        fields.push(("authorization", authorization.to_owned()));
    }
    for _ in 0..dice.roll(4) / 2 {
        fields.push(("cookie", dice.pick(&["sid=1", "sid=2", "t=1"]).to_owned()));
    }
    if dice.roll(8) == 0 {
        fields.push(("x-tenant", dice.pick(&["1", "2"]).to_owned()));
    }
    Request {
        headers: fields.into_iter().collect(),
        ..Request::default()
    }
}

/// An engine, and those whom it asks.
struct Driver {
    engine: Engine,
    world: u64,
    calls: u64,
}

impl Driver {
    fn new(world: u64, rules: &[Rule], remembers: bool) -> Self {
        let handlers = [
            "cookie_session",
            "bearer_token",
            "oauth2_client_credentials",
            "oauth2_introspection",
        ];
        let enabled = handlers.map(|name| (name, json!({"enabled": true})));
        let config = json!({
            "authenticators": enabled.into_iter().collect::<BTreeMap<_, _>>(),
            "authorizers": {"allow": {"enabled": true}},
            "mutators": {"header": {"enabled": true}},
        });
        let rules = rules.iter().enumerate();
        let rules: Value = rules
            .map(|(number, rule)| rule.json(number, remembers))
            .collect();
        let policy = compile(&Sources {
            config: &config,
            rules: &[RuleSource {
                file: "rules.json",
                rules: &rules,
            }],
            documents: &BTreeMap::new(),
        })
        .unwrap();
        assert_eq!(policy.faults(), []);
        Self {
            engine: Engine::new(policy, [7; 32]),
            world,
            calls: 0,
        }
    }

    /// All that there is to tell of the decision.
    fn decide(&mut self, request: &Request, now: u64) -> String {
        let at = UnixTime::from_secs(now);
        let mut step = self.engine.decide(request, at);
        loop {
            step = match step {
                Step::Done(decision) => return format!("{decision:?}"),
                Step::Call(call, pending) => {
                    self.calls += 1;
                    let reply = self.answer(&call, now);
                    self.engine.resume(pending, request, reply, at)
                }
                other => panic!("nothing else is waited for: {other:?}"),
            };
        }
    }

    fn answer(&self, call: &Call, now: u64) -> Reply {
        // Who is asked sees the whole call; what it says of it is up to chance, but does not change.
        let chance = mix(&(
            self.world,
            &call.origin,
            &call.method,
            &call.path,
            &call.body,
            &call.headers,
        ));
        let (status, body) = match call.path.as_str() {
            _ if chance.is_multiple_of(29) => (503, json!(null)),
            _ if chance % 29 == 1 => (200, json!("nonsense")),
            _ if chance % 29 == 2 => (429, json!(null)),
            "/token" => token(chance, now),
            "/introspect" => introspected(chance, now),
            _ => session(chance, now),
        };
        Ok(call::Response {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }
}

/// When a thing ends: some never do, as far as anybody says.
fn end(chance: u64) -> Option<u64> {
    (!chance.is_multiple_of(4)).then_some(START + chance / 4 % 90)
}

/// A token for as long as one can have it, the same as long as it is good.
fn token(chance: u64, now: u64) -> (u16, Value) {
    match end(chance) {
        Some(end) if end <= now => (401, json!({"error": "invalid_client"})),
        end => (
            200,
            json!({"access_token": format!("a{chance}"), "expires_in": end.map(|end| end - now)}),
        ),
    }
}

fn introspected(chance: u64, now: u64) -> (u16, Value) {
    let end = end(chance);
    let is_over = end.is_some_and(|end| end <= now);
    let scopes = ["", "read", "read write", "read.*", "*", "write read.all"];
    let audiences = [json!(null), json!("x"), json!(["x", "y"]), json!(["y"])];
    let body = json!({
        "active": !is_over && !chance.is_multiple_of(17),
        "exp": end,
        "sub": format!("u{}", chance % 5),
        "scope": scopes[usize::try_from(chance / 3 % 6).unwrap()],
        "aud": audiences[usize::try_from(chance / 5 % 4).unwrap()],
        "iss": if chance.is_multiple_of(2) { "i" } else { "j" },
        "ext": {"chance": chance.to_string()},
    });
    (200, body)
}

fn session(chance: u64, now: u64) -> (u16, Value) {
    let end = end(chance);
    if end.is_some_and(|end| end <= now) || chance.is_multiple_of(17) {
        return (401, json!(null));
    }
    let time = |secs: u64| OffsetDateTime::from_unix_timestamp(i64::try_from(secs).unwrap());
    let body = json!({
        "subject": format!("u{}", chance % 5),
        "other": if chance.is_multiple_of(3) { json!(1) } else { json!(format!("o{}", chance % 7)) },
        "extra": {"chance": chance.to_string()},
        "expires_at": end.map(|end| time(end).unwrap().format(&Rfc3339).unwrap()),
    });
    (200, body)
}
