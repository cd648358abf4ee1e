//! `cargo xtask build`: the wasm modules, as they are shipped and as every test takes them.

mod exports;
mod optimize;
pub mod playground;

use std::{
    env,
    ffi::OsString,
    fs,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result};

use crate::{
    progress,
    setup::{debian, rust},
    workspace::Workspace,
};

use self::exports::{FILTER, HEADERS};

/// What to build besides the modules that are shipped.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Options {
    /// Also build `access_rules_cel.wasm`: access-rules with the authorizer `cel`.
    #[arg(long)]
    pub cel: bool,
}

/// A module that is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The package that it is built of.
    pub package: &'static str,
    /// The file it becomes, without `.wasm`.
    pub file: &'static str,
    /// The package's features that it is built with.
    pub features: &'static [&'static str],
    /// The profile that it is built by.
    pub profile: &'static str,
    /// What is most wanted of `wasm-opt`.
    pub optimize: &'static [&'static str],
    /// The largest that it may be, in bytes.
    pub budget: u64,
    /// The callbacks that it answers; no other one is exported.
    pub callbacks: &'static [&'static str],
}

/// Every module, the one that most people want first.
pub const MODULES: &[Module] = &[
    Module {
        package: "access-rules",
        file: "access_rules",
        features: &[],
        profile: "module",
        optimize: &["-Oz"],
        budget: 2 * 1024 * 1024,
        callbacks: FILTER,
    },
    Module {
        package: "jwt-auth",
        file: "jwt_auth",
        features: &[],
        profile: "wasm",
        optimize: &["-Oz"],
        budget: 1024 * 1024,
        callbacks: FILTER,
    },
    Module {
        package: "header-mutation",
        file: "header_mutation",
        features: &[],
        profile: "small-module",
        optimize: &["-Oz", "--converge"],
        budget: 512 * 1024,
        callbacks: HEADERS,
    },
];

/// For those who ask for it: few rules need an expression.
pub const WITH_CEL: Module = Module {
    package: "access-rules",
    file: "access_rules_cel",
    features: &["cel"],
    profile: "module",
    optimize: &["-Oz"],
    budget: 2 * 1024 * 1024,
    callbacks: FILTER,
};

/// Builds every module and prints the sizes beside the budgets; false if one is over its own.
///
/// # Errors
/// If a prerequisite is missing or a module does not compile.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    modules(workspace)?;
    let mut built = MODULES.to_vec();
    if options.cel {
        build(workspace, &WITH_CEL)?;
        built.push(WITH_CEL);
    }
    let mut all_fit = true;
    for module in built {
        let path = workspace.module(module.file);
        let bytes = fs::metadata(&path)?.len();
        let fits = bytes <= module.budget;
        let verdict = if fits { "of" } else { "OVER ITS BUDGET of" };
        println!(
            "{bytes:>9} bytes {verdict} {:>9}  {}",
            module.budget,
            path.display()
        );
        all_fit &= fits;
    }
    let page = playground::page(workspace)?;
    println!(
        "{:>9} bytes                {}",
        fs::metadata(&page)?.len(),
        page.display()
    );
    Ok(all_fit)
}

/// Builds every module into `target/wasm`.
///
/// # Errors
/// If a prerequisite is missing or one does not compile.
pub fn modules(workspace: &Workspace) -> Result<()> {
    MODULES
        .iter()
        .try_for_each(|module| build(workspace, module).map(drop))
}

/// Builds the module of this package into `target/wasm` and tells where it is; quick if nothing has
/// changed.
///
/// # Errors
/// If a prerequisite is missing, it is none of [`MODULES`], or it does not compile.
pub fn module(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    let module = MODULES.iter().find(|module| module.package == package);
    build(
        workspace,
        module.with_context(|| format!("no module is built of `{package}`"))?,
    )
}

/// Has the compiler write `/crates` where it would write the path of this user's copies of crates, in the places
/// of panics: the same sources make the same module for everybody, and no module tells who built it. (Cargo's own
/// `trim-paths` is not stable. Paths of the workspace are relative, those of the standard library are not ours.)
fn reproducible(cargo: &mut Command) -> Result<()> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("there is neither `CARGO_HOME` nor a home folder")?;
    let mut flags = OsString::new();
    // One folder for each registry, the name of which depends on how cargo reaches it.
    let registries = fs::read_dir(home.join("registry/src"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    for registry in registries {
        if !flags.is_empty() {
            flags.push(SEPARATOR);
        }
        flags.push("--remap-path-prefix=");
        flags.push(registry.path());
        flags.push("=/crates");
    }
    // In place of flags that a user may have set for all builds: they would change the module.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags);
    Ok(())
}

/// Between flags in `CARGO_ENCODED_RUSTFLAGS`, which may have spaces in them.
const SEPARATOR: &str = "\u{1f}";

fn build(workspace: &Workspace, module: &Module) -> Result<PathBuf> {
    // Tests ask for modules from several threads, and the files between the steps bear the same names.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    rust::targets()?;
    debian::require(&debian::WASM_OPT)?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--package", module.package]);
    cargo.args(["--profile", module.profile, "--target", "wasm32-wasip1"]);
    if !module.features.is_empty() {
        cargo.args(["--features", &module.features.join(",")]);
    }
    reproducible(&mut cargo)?;
    let what = format!("building the module {} (release)", module.file);
    progress::step(&what, || progress::run(&mut cargo))?;
    let built = workspace
        .target
        .join("wasm32-wasip1")
        .join(module.profile)
        .join(format!("{}.wasm", module.package.replace('-', "_")));
    let shipped = workspace.module(module.file);
    let trimmed = exports::trimmed(&fs::read(&built)?, module.callbacks)?;
    optimize::write(&trimmed, &shipped, module.optimize)
        .with_context(|| format!("cannot write `{}`", shipped.display()))?;
    Ok(shipped)
}
