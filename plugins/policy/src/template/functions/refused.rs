//! The functions of Go and sprig that a rule file may name, and why there is none of them here.

const SECRETS: &str = "it would hand the host's environment or files to a request";
const NETWORK: &str = "it would look up names on the network while deciding";
const KEYS: &str = "it makes keys, certificates or password hashes, which do not belong in a rule";
const RANDOM: &str = "it is random, and a decision depends on its request alone; take ids from the proxy or the claims";
const CLOCK: &str = "it reads or formats the clock, and a decision depends on its request alone; take times from claims";
const CHANGES: &str = "it changes a map in place; build a new one with `dict`";
const WEAK: &str = "SHA-1 is broken; use `sha256sum`";
const CALLS: &str = "the session holds no functions to call; name the method, as in `.MatchContext.URL.Query.Get \"q\"`";
const ABSENT: &str =
    "it is not in the supported part of sprig; change the value where it is issued";

const REFUSED: &[(&str, &[&str])] = &[
    (SECRETS, &["env", "expandenv"]),
    (NETWORK, &["getHostByName"]),
    (
        KEYS,
        &[
            "bcrypt",
            "htpasswd",
            "genPrivateKey",
            "derivePassword",
            "buildCustomCert",
            "genCA",
            "genCAWithKey",
            "genSelfSignedCert",
            "genSelfSignedCertWithKey",
            "genSignedCert",
            "genSignedCertWithKey",
            "encryptAES",
            "decryptAES",
        ],
    ),
    (
        RANDOM,
        &[
            "uuidv4",
            "randAlphaNum",
            "randAlpha",
            "randAscii",
            "randNumeric",
            "randInt",
            "randBytes",
            "shuffle",
        ],
    ),
    (
        CLOCK,
        &[
            "now",
            "ago",
            "date",
            "date_in_zone",
            "date_modify",
            "dateInZone",
            "dateModify",
            "duration",
            "durationRound",
            "htmlDate",
            "htmlDateInZone",
            "must_date_modify",
            "mustDateModify",
            "mustToDate",
            "toDate",
            "unixEpoch",
        ],
    ),
    (
        CHANGES,
        &[
            "set",
            "unset",
            "merge",
            "mergeOverwrite",
            "mustMerge",
            "mustMergeOverwrite",
        ],
    ),
    (WEAK, &["sha1sum"]),
    (CALLS, &["call"]),
    (
        ABSENT,
        &[
            "hello",
            "snakecase",
            "camelcase",
            "kebabcase",
            "sha512sum",
            "semver",
            "semverCompare",
        ],
    ),
];

/// Why there is no function of that name.
pub(super) fn reason(name: &str) -> String {
    let has_pattern = name.starts_with("regex") || name.starts_with("mustRegex");
    let is_large = matches!(name, "sha256sum" | "urlParse" | "urlJoin");
    if (cfg!(not(feature = "regexp")) && has_pattern)
        || (cfg!(not(feature = "functions")) && is_large)
    {
        return format!(
            "function `{name}` is left out of this module to keep it small; `access_rules.wasm` \
             has it"
        );
    }
    let refused = REFUSED.iter().find(|(_, names)| names.contains(&name));
    match refused {
        Some((ABSENT, _)) => format!("function `{name}` is not supported: {ABSENT}"),
        Some((reason, _)) => format!("function `{name}` is refused: {reason}"),
        None => format!(
            "unknown function `{name}`; is it misspelt, or a field that misses its dot (`.{name}`)?"
        ),
    }
}
