//! Password hashes: argon2id in the PHC string format, and bcrypt.
//!
//! What they may cost is bounded when they are read: the check runs on the proxy's worker thread, and
//! memory that a VM once took it never gives back.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD, general_purpose::STANDARD_NO_PAD},
};
use subtle::ConstantTimeEq as _;

/// The most memory that a hash may take, in KiB: 64 MiB.
const ARGON2_MEMORY_MAX: u32 = 64 * 1024;
/// The most work: memory times passes, in KiB. OWASP's settings (19 MiB twice, 46 MiB once) need 46 MiB
/// at most.
const ARGON2_WORK_MAX: u64 = 128 * 1024;
/// Twice as much with each step; 12 is a quarter of a second already.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=12;
/// No person types more.
const PASSWORD_LIMIT: usize = 1024;
/// bcrypt takes no more notice of a password than this, in bytes with the final NUL.
const BCRYPT_PASSWORD: usize = 72;

const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

/// The hash of a password.
#[derive(Clone)]
pub(super) enum PasswordHash {
    Argon2id {
        params: Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    Bcrypt {
        cost: u32,
        salt: [u8; 16],
        hash: [u8; 23],
    },
}

/// Hashes are not shown: with one a password can be searched for.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Argon2id { .. } => "argon2id",
            Self::Bcrypt { .. } => "bcrypt",
        })
    }
}

/// Why a hash cannot be used, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHash {
    #[error(
        "must be an argon2id hash in the PHC string format (`$argon2id$v=19$m=19456,t=2,p=1$…`) or \
         a bcrypt hash (`$2b$10$…`)"
    )]
    Unknown,
    #[error(
        "costs too much inside a proxy; argon2id may take 64 MiB, and 128 MiB times passes, bcrypt \
         a cost of 4 to 12"
    )]
    TooCostly,
}

impl PasswordHash {
    pub(super) fn read(text: &str) -> Result<Self, BadHash> {
        match text.strip_prefix("$argon2id$v=19$") {
            Some(rest) => argon2id(rest),
            None => bcrypt_hash(text),
        }
    }

    /// About how many microseconds a check takes, to compare hashes.
    pub(super) fn cost(&self) -> u64 {
        match self {
            // A microsecond for each KiB that is gone through; bcrypt's cost doubles some sixty of them.
            Self::Argon2id { params, .. } => {
                u64::from(params.m_cost()).saturating_mul(u64::from(params.t_cost()))
            }
            Self::Bcrypt { cost, .. } => {
                60_u64.saturating_mul(1_u64.checked_shl(*cost).unwrap_or(0))
            }
        }
    }

    /// Whether `password` is the one. Takes as long as the hash says, whatever the password.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        if password.len() > PASSWORD_LIMIT {
            return false;
        }
        match self {
            Self::Argon2id { params, salt, hash } => {
                let mut computed = vec![0; hash.len()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                argon2
                    .hash_password_into(password, salt, &mut computed)
                    .is_ok()
                    && computed.ct_eq(hash).into()
            }
            Self::Bcrypt { cost, salt, hash } => {
                let mut text: Vec<u8> = password.to_vec();
                text.push(0);
                text.truncate(BCRYPT_PASSWORD);
                let computed = bcrypt::bcrypt(*cost, *salt, &text);
                computed
                    .get(..hash.len())
                    .is_some_and(|computed| computed.ct_eq(hash).into())
            }
        }
    }
}

/// `m=19456,t=2,p=1$salt$hash`
fn argon2id(text: &str) -> Result<PasswordHash, BadHash> {
    let mut parts = text.split('$');
    let (Some(costs), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadHash::Unknown);
    };
    let mut costs = costs.split(',');
    let mut cost = |name: &str| {
        let cost = costs.next()?.strip_prefix(name)?;
        cost.parse::<u32>().ok()
    };
    let (Some(memory), Some(passes), Some(lanes)) = (cost("m="), cost("t="), cost("p=")) else {
        return Err(BadHash::Unknown);
    };
    let work = u64::from(memory).saturating_mul(u64::from(passes));
    if memory > ARGON2_MEMORY_MAX || work > ARGON2_WORK_MAX || lanes > 16 {
        return Err(BadHash::TooCostly);
    }
    let decode = |text| STANDARD_NO_PAD.decode(text).map_err(|_| BadHash::Unknown);
    let (salt, hash) = (decode(salt)?, decode(hash)?);
    if !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
        return Err(BadHash::Unknown);
    }
    let params = Params::new(memory, passes, lanes, Some(hash.len()));
    Ok(PasswordHash::Argon2id {
        params: params.map_err(|_| BadHash::Unknown)?,
        salt,
        hash,
    })
}

/// `$2b$10$` with 22 characters of salt and 31 of hash. `$2x$` marks hashes made by a broken program.
fn bcrypt_hash(text: &str) -> Result<PasswordHash, BadHash> {
    let rest = ["$2a$", "$2b$", "$2y$"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .ok_or(BadHash::Unknown)?;
    let (cost, rest) = rest.split_once('$').ok_or(BadHash::Unknown)?;
    let cost: u32 = match (cost.len(), cost.parse()) {
        (2, Ok(cost)) => cost,
        _ => return Err(BadHash::Unknown),
    };
    let (salt, hash) = rest.split_at_checked(22).ok_or(BadHash::Unknown)?;
    let salt = BCRYPT.decode(salt).map_err(|_| BadHash::Unknown)?;
    let hash = BCRYPT.decode(hash).map_err(|_| BadHash::Unknown)?;
    let (Ok(salt), Ok(hash)) = (salt.try_into(), hash.try_into()) else {
        return Err(BadHash::Unknown);
    };
    if !BCRYPT_COSTS.contains(&cost) {
        return Err(BadHash::TooCostly);
    }
    Ok(PasswordHash::Bcrypt { cost, salt, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with argon2-cffi and Python's bcrypt.
    const ARGON2ID: &str = "$argon2id$v=19$m=64,t=1,p=1$s2ArwP3TGrioEdLpBNTInw$rFs/hdPayr8iEi/5OWtLrjfD4L0RbOKKR8Y4q9vy1wA";
    const BCRYPT_HASH: &str = "$2b$04$NASrLHgSAKlitNhEq1MvJOOGaUNLl1YR5O6v2teqRJunILlBiT/FK";

    #[test]
    fn hashes_of_other_programs_are_understood() {
        for text in [
            ARGON2ID.to_owned(),
            BCRYPT_HASH.to_owned(),
            BCRYPT_HASH.replace("$2b$", "$2y$"),
        ] {
            let hash = PasswordHash::read(&text).unwrap();
            assert!(hash.is_of("correct horse".as_bytes()), "{text}");
            for wrong in ["correct hors", "correct horse ", "", "Correct horse"] {
                assert!(!hash.is_of(wrong.as_bytes()), "{text} {wrong}");
            }
            assert!(!hash.is_of(&[b'x'; 2000]));
        }
    }

    #[test]
    fn hashes_that_are_odd_or_cost_too_much_are_refused() {
        let (salt, hash) = ("c29tZXNhbHQ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let argon2id = |costs: &str| format!("$argon2id$v=19${costs}${salt}${hash}");
        assert!(PasswordHash::read(&argon2id("m=19456,t=2,p=1")).is_ok());
        assert!(PasswordHash::read(&argon2id("m=47104,t=1,p=1")).is_ok());
        let bcrypt = |cost: &str| BCRYPT_HASH.replace("$04$", cost);
        for text in [
            argon2id("m=65537,t=1,p=1"),
            argon2id("m=65536,t=3,p=1"),
            argon2id("m=4294967295,t=4294967295,p=1"),
            argon2id("m=1024,t=1,p=17"),
            bcrypt("$13$"),
            bcrypt("$31$"),
            bcrypt("$03$"),
        ] {
            assert_eq!(
                PasswordHash::read(&text).unwrap_err(),
                BadHash::TooCostly,
                "{text}"
            );
        }
        for text in [
            String::new(),
            "password".to_owned(),
            argon2id("m=19456,t=2"),
            argon2id("t=2,m=19456,p=1"),
            argon2id("m=0,t=0,p=0"),
            argon2id("m=-1,t=1,p=1"),
            argon2id("m=19456,t=2,p=1").replace("argon2id", "argon2i"),
            argon2id("m=19456,t=2,p=1").replace("v=19", "v=16"),
            format!("$argon2id$v=19$m=64,t=1,p=1${salt}$"),
            format!("$argon2id$v=19$m=64,t=1,p=1$${hash}"),
            format!("{}$", argon2id("m=64,t=1,p=1")),
            bcrypt("$4$"),
            bcrypt("$xx$"),
            BCRYPT_HASH.replace("$2b$", "$2x$"),
            format!("{BCRYPT_HASH}x"),
            BCRYPT_HASH.chars().take(59).collect(),
            format!("$2b$04$ä{}", "x".repeat(51)),
        ] {
            assert_eq!(
                PasswordHash::read(&text).unwrap_err(),
                BadHash::Unknown,
                "{text}"
            );
        }
    }

    #[test]
    fn hashes_are_not_shown() {
        let shown = format!("{:?}", PasswordHash::read(ARGON2ID).unwrap());
        assert_eq!(shown, "argon2id");
    }
}
