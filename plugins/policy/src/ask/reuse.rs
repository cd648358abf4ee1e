//! How long answers are remembered: Oathkeeper's `cache`, and ours for handlers where it has none.

use std::time::Duration;

use crate::config::Section;

/// Reads the key `cache` of a handler's configuration, for [`super::Ask::reuse`]: `enabled`, `ttl`, and
/// `size`, Oathkeeper's bound for this handler's answers, which is accepted and not used: all answers
/// together have one (see [`crate::answers`]). Without a `ttl` an answer is good for as long as it says
/// itself.
pub(crate) fn compile(section: &mut Section<'_>, size: &'static str) -> Option<Duration> {
    let mut cache = section.section("cache");
    let enabled = cache.bool("enabled", false);
    let ttl = cache.duration("ttl");
    cache.number(size);
    cache.finish();
    enabled.then_some(ttl.unwrap_or(Duration::MAX))
}

/// Reads `gatepost.cache` of a handler for which Oathkeeper has no cache: `ttl`.
pub(crate) fn compile_extension(extension: &mut Section<'_>) -> Option<Duration> {
    extension.value("cache")?;
    let mut cache = extension.section("cache");
    let ttl = cache.duration("ttl");
    if cache.value("ttl").is_none() {
        cache.wrong(
            "ttl",
            "is required: how old an answer may be, such as `30s`",
        );
    }
    cache.finish();
    ttl
}
