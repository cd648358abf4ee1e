//! `dsn`: where everything is kept.

use std::path::PathBuf;

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dsn {
    /// In memory; gone when the process ends.
    Memory,
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl Dsn {
    /// Reads `memory` or `sqlite://<file>`. The parameters that Hydra's examples carry (`_fk`, `mode`) are accepted
    /// and change nothing: foreign keys are always on and the file is always made.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, parameters) = text.split_once('?').unwrap_or((text, ""));
        if let Some(unknown) = form_urlencoded::parse(parameters.as_bytes())
            .map(|(name, _)| name)
            .find(|name| name != "_fk" && name != "mode")
        {
            return Err(format!("parameter `{unknown}` is not known; remove it"));
        }
        if address == "memory" {
            return Ok(Self::Memory);
        }
        match address
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest))
        {
            Some("") => Err("no file is named; write it like `sqlite://gatepost.sqlite`".into()),
            Some(file) => Ok(Self::Sqlite(PathBuf::from(file))),
            // The address is not repeated: another database's carries a password.
            None => Err("only `memory` and `sqlite://<file>` are understood so far".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hydras_forms() {
        let file = |path: &str| Ok(Dsn::Sqlite(PathBuf::from(path)));
        assert_eq!(Dsn::parse("memory"), Ok(Dsn::Memory));
        assert_eq!(
            Dsn::parse("sqlite://gatepost.sqlite"),
            file("gatepost.sqlite")
        );
        assert_eq!(
            Dsn::parse("sqlite:///var/db.sqlite?_fk=true&mode=rwc"),
            file("/var/db.sqlite")
        );
        assert_eq!(Dsn::parse("sqlite:db.sqlite"), file("db.sqlite"));
    }

    #[test]
    fn refuses_others_without_repeating_a_password() {
        let message = Dsn::parse("postgres://user:hunter2@db/gatepost").unwrap_err();
        assert!(!message.contains("hunter2"));
        assert!(Dsn::parse("sqlite://").is_err());
        assert!(
            Dsn::parse("sqlite://a?cache=shared")
                .unwrap_err()
                .contains("cache")
        );
    }
}
