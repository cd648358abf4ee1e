//! Answers to the rules' calls, out of a file.

use anyhow::Context as _;
use gatepost_cases::CallSpec;

use crate::rules::Scripted;

/// Reads a file of replies: a list of calls, each with its `reply`, as in the cases of `rules test`.
pub(super) fn read(file: &str) -> anyhow::Result<Scripted> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    let replies: Vec<CallSpec> =
        serde_saphyr::from_str(&text).with_context(|| format!("`{file}` is no list of replies"))?;
    Ok(Scripted::new(replies))
}
