//! Makes the playground's one file: what `cargo xtask build` runs after it has compiled the engine.
//!
//! ```text
//!   engine (cargo) -> pack bindgen -> engine.js, engine.wasm -> pack page -> index.html
//! ```

mod examples;
mod page;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use wasm_bindgen_cli_support::Bindgen;

#[derive(Parser)]
#[command(name = "pack", about = "Makes the playground's one file")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the JavaScript that the engine is called through, and the engine that fits it.
    Bindgen {
        /// The engine as cargo compiled it.
        engine: PathBuf,
        /// The folder for `engine.js` and `engine.wasm`.
        folder: PathBuf,
    },
    /// Write the page with everything in it.
    Page {
        /// The folder with `engine.js` and `engine.wasm`.
        engine: PathBuf,
        /// The folder with `index.html`, `style.css`, `examples.json` and `script/`.
        page: PathBuf,
        /// The file to write.
        to: PathBuf,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Bindgen { engine, folder } => bindgen(&engine, &folder),
        Command::Page { engine, page, to } => {
            let text = page::whole(&engine, &page)?;
            fs::write(&to, text).with_context(|| format!("cannot write `{}`", to.display()))
        }
    }
}

fn bindgen(engine: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(engine)
        .out_name("engine")
        .no_modules(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen cannot work on `{}`", engine.display()))?;
    // The name that it gives the engine tells of its own two steps.
    fs::rename(folder.join("engine_bg.wasm"), folder.join("engine.wasm"))?;
    Ok(())
}
