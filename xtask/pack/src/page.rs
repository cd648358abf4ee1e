//! The page with everything in it: style, scripts, examples and the engine, and a policy that lets the
//! browser run just these scripts and speak to nobody.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};

use crate::examples;

/// The page's scripts, in the order in which they become one.
const SCRIPTS: [&str; 7] = [
    "dom.js",
    "token.js",
    "engine.js",
    "result.js",
    "answers.js",
    "share.js",
    "main.js",
];

/// The page's text, of the files in `page` and the engine in `engine`.
pub(crate) fn whole(engine: &Path, page: &Path) -> Result<String> {
    let read = |folder: &Path, name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))
    };
    let style = read(page, "style.css")?;
    let glue = read(engine, "engine.js")?;
    let script = SCRIPTS
        .iter()
        .map(|name| read(&page.join("script"), name))
        .collect::<Result<Vec<_>>>()?
        .join("\n");
    for (name, text) in [("engine.js", &glue), ("script", &script)] {
        if text.to_ascii_lowercase().contains("</script") {
            bail!("`{name}` holds `</script`, which would end the element that it stands in");
        }
    }
    let wasm = engine.join("engine.wasm");
    let wasm = fs::read(&wasm).with_context(|| format!("cannot read `{}`", wasm.display()))?;
    let policy = format!(
        "default-src 'none'; script-src {} {} 'wasm-unsafe-eval'; style-src {}; img-src data:; base-uri 'none'; \
         form-action 'none'",
        source(&glue),
        source(&script),
        source(&style)
    );
    let parts = [
        ("policy", policy),
        ("style", style),
        ("glue", glue),
        ("script", script),
        ("examples", examples::read(page)?),
        ("engine", STANDARD.encode(compressed(&wasm)?)),
    ];
    fill(&read(page, "index.html")?, &parts)
}

/// A script or a style as the policy names it (CSP Level 3 section 2.3.1).
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Puts each part in its place, `{{name}}`, which the template must have once. What a part holds is not looked at.
fn fill(template: &str, parts: &[(&str, String)]) -> Result<String> {
    let mut whole = String::new();
    let mut rest = template;
    let mut left = parts.len();
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a `{{` without `}}`")?;
        let part = parts.iter().find(|(it, _)| *it == name);
        let (_, text) = part.with_context(|| format!("the page asks for `{name}`"))?;
        whole.push_str(before);
        whole.push_str(text);
        left = left.checked_sub(1).context("a part is asked for twice")?;
        rest = after;
    }
    if left > 0 {
        bail!("the page leaves {left} of its parts out");
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_stands_once_as_it_is() {
        let parts = [("a", "{{b}}".to_owned()), ("b", "$1".to_owned())];
        assert_eq!(fill("<{{a}}|{{b}}>", &parts).unwrap(), "<{{b}}|$1>");
        for wrong in ["<{{a}}>", "<{{a}}{{b}}{{a}}>", "<{{c}}>", "<{{a>"] {
            assert!(fill(wrong, &parts).is_err(), "{wrong}");
        }
    }
}
