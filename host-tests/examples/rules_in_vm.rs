//! What many rules cost inside the VM, for `cargo xtask bench rules`: reads the folders that it is
//! told and prints a line of JSON for each.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use host_tests::{Host, Request};
use serde_json::{Value, json};

/// How often rules are loaded.
const LOADS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    for folder in std::env::args_os().skip(1) {
        println!("{}", measure(&PathBuf::from(folder))?);
    }
    Ok(())
}

/// Time to load, memory afterwards, and instructions per decision.
fn measure(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let configuration = fs::read(folder.join("plugin.json"))?;
    let requests: Vec<(String, String)> =
        serde_json::from_slice(&fs::read(folder.join("requests.json"))?)?;
    let mut load = Duration::MAX;
    let mut memory = 0;
    // The fastest counts, as what disturbs a run only makes it slower.
    for _ in 0..LOADS {
        let mut host = Host::new();
        #[expect(clippy::disallowed_methods, reason = "it measures")]
        let start = Instant::now();
        host.configure_bytes(configuration.clone())
            .map_err(|errors| errors.join("\n"))?;
        load = load.min(start.elapsed());
        memory = host.memory();
    }

    let mut host = Host::counting();
    host.configure_bytes(configuration)
        .map_err(|errors| errors.join("\n"))?;
    let loaded = host.executed();
    // The first requests fill what is made once.
    let mut instructions = Vec::new();
    for (host_name, path) in requests.iter().take(10).chain(&requests) {
        let before = host.executed();
        let request = Request::get(path)
            .without(":authority")
            .without(":scheme")
            .header(":scheme", "https")
            .header(":authority", host_name.as_str());
        if host
            .request(request)
            .status()
            .is_some_and(|status| status >= 500)
        {
            return Err(format!("{host_name}{path} fails: {:?}", host.log().last()).into());
        }
        instructions.push(host.executed() - before);
    }
    let counted = instructions.get(10..).unwrap_or_default();
    let sum: u64 = counted.iter().sum();
    Ok(json!({
        "load_ms": load.as_secs_f64() * 1000.0,
        "load_instructions": loaded,
        "memory_bytes": memory,
        "instructions": sum / u64::try_from(counted.len().max(1))?,
        "most_instructions": counted.iter().max(),
    }))
}
