//! The command line: one file per command below `cli/`, each with help that shows how it is used.

mod authorization_code;
mod client;
mod client_credentials;
mod credentials;
mod decisions;
mod introspect;
mod keys;
mod logging;
mod migrate;
mod remote;
mod rules;
mod serve;
mod settings;
mod show;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Identity server and OAuth2 / OpenID Connect provider.
///
/// Try it:                 gatepost serve --dev
/// Then, elsewhere:        gatepost create client --grant-type client_credentials --scope read
/// With what it printed:   gatepost perform client-credentials --client-id … --client-secret …
/// And with that token:    gatepost introspect token …
#[derive(Debug, Parser)]
#[command(name = "gatepost", version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    /// Look at the signing keys, or replace them.
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Rules(rules::Rules),
    #[command(subcommand)]
    Credentials(credentials::Credentials),
    #[command(subcommand)]
    Decisions(decisions::Decisions),
    /// Make something.
    #[command(subcommand)]
    Create(Create),
    /// Act as an OAuth2 client and get a token.
    #[command(subcommand)]
    Perform(Perform),
    /// Ask the server about something.
    #[command(subcommand)]
    Introspect(Introspect),
}

#[derive(Debug, Subcommand)]
enum Create {
    #[command(visible_alias = "oauth2-client")]
    Client(client::CreateClient),
}

#[derive(Debug, Subcommand)]
enum Perform {
    ClientCredentials(client_credentials::ClientCredentials),
    AuthorizationCode(authorization_code::AuthorizationCode),
}

#[derive(Debug, Subcommand)]
enum Introspect {
    Token(introspect::Token),
}

/// Runs the command that the process was started with. A failure is one message on standard error and status 1.
pub async fn run() -> ExitCode {
    match dispatch(Cli::parse().command).await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Keys(keys) => keys.run().await,
        Command::Rules(rules) => return rules.run(),
        Command::Credentials(credentials) => credentials.run().await,
        Command::Decisions(decisions) => decisions.run().await,
        Command::Create(Create::Client(create)) => create.run().await,
        Command::Perform(Perform::ClientCredentials(perform)) => perform.run().await,
        Command::Perform(Perform::AuthorizationCode(perform)) => perform.run().await,
        Command::Introspect(Introspect::Token(introspect)) => introspect.run().await,
    }?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
