//! `gatepost credentials generate password`: the hash of a password, for the rules.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cli::show;
use crate::entropy::SystemEntropy;
use crate::identity::password::{Argon2Cost, PasswordHasher};
use crate::secret::SecretText;

/// The longest password that the authenticator `basic` takes, in bytes.
const MAX_BYTES: usize = 1024;

/// Make the hash of a password for the authenticator `basic`.
///
/// The password comes from the keyboard, or from standard input; never from the command line, which other users of
/// this machine can see. The hash is argon2id in the PHC string format:
///
///   gatepost:
///     authenticators:
///       - handler: basic
///         config: { users: [ { username: ada, password_hash: "$argon2id$…" } ] }
///
/// Examples:
///   gatepost credentials generate password                       asks for it, twice
///   pass show ada | gatepost credentials generate password       takes the first line
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Password {}

impl Password {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let password = if std::io::stdin().is_terminal() {
            typed()?
        } else {
            piped(std::io::stdin())?
        };
        check(password.expose())?;
        let hasher = PasswordHasher::new(Argon2Cost::default(), 1)?;
        let hash = hasher.hash(&password, &SystemEntropy::default()).await?;
        show::out(&format!("{hash}\n"));
        Ok(())
    }
}

fn typed() -> anyhow::Result<SecretText> {
    let ask = |prompt| rpassword::prompt_password(prompt).context("cannot read the password");
    let password = SecretText::new(ask("Password: ")?);
    let again = SecretText::new(ask("The same again: ")?);
    if password.expose() != again.expose() {
        bail!("these are two different passwords; try again");
    }
    Ok(password)
}

/// The first line.
fn piped(input: impl std::io::Read) -> anyhow::Result<SecretText> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let limit = u64::try_from(MAX_BYTES)?.saturating_mul(2);
    input
        .take(limit)
        .read_to_string(&mut text)
        .context("cannot read a password from standard input")?;
    Ok(SecretText::new(text.lines().next().unwrap_or_default()))
}

/// What nobody could sign in with makes no hash.
fn check(password: &str) -> anyhow::Result<()> {
    if password.is_empty() {
        bail!("the password is empty; type one, or pipe it into the command");
    }
    if password.chars().any(char::is_control) {
        bail!(
            "the password has a control character, which Basic credentials cannot carry (RFC 7617 section 2)"
        );
    }
    if password.len() > MAX_BYTES {
        bail!("the password is longer than {MAX_BYTES} bytes, the most that `basic` takes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_piped_the_first_line_counts() {
        for (input, expected) in [
            ("open sesame\n", "open sesame"),
            ("open sesame\r\nuser: ada\n", "open sesame"),
            ("  spaces count ", "  spaces count "),
            ("", ""),
        ] {
            assert_eq!(piped(input.as_bytes()).unwrap().expose(), expected);
        }
    }
}
