//! The binary `gatepost`: see `gatepost --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    gatepost::cli::run().await
}
