//! The examples: a list, in which `rules` and `config` may name files of the repository.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The examples as JSON that can stand in a page.
pub(crate) fn read(page: &Path) -> Result<String> {
    let file = page.join("examples.json");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let mut examples: Value = serde_json::from_str(&text)?;
    for example in examples.as_array_mut().into_iter().flatten() {
        for key in ["rules", "config"] {
            let Some(named) = example.pointer_mut(&format!("/{key}/file")) else {
                continue;
            };
            let file = page.join(named.as_str().context("`file` must be a name")?);
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read `{}`", file.display()))?;
            if let Some(example) = example.as_object_mut() {
                example.insert(key.to_owned(), text.into());
            }
        }
    }
    // No `<` gets into the page, so nothing ends the element early.
    Ok(examples.to_string().replace('<', "\\u003c"))
}
