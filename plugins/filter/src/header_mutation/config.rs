//! Bytes to settings, with every mistake in them.

use gatepost_policy::header_mutation::HeaderMutation;
use serde_json::Value;

/// The configuration, ready to use.
pub(super) struct Settings {
    pub(super) plan: HeaderMutation,
    pub(super) metrics: bool,
    /// Whether the proxy chooses the route anew once a request's headers have changed.
    pub(super) clear_route_cache: bool,
}

const METRICS: &str = "metrics";
const CLEAR_ROUTE_CACHE: &str = "clear_route_cache";

/// Reads the plugin's configuration; on failure tells every error that it has.
pub(super) fn read(bytes: &[u8]) -> Result<Settings, Vec<String>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(vec![
            "the plugin has no configuration; give it JSON with the operations for `request` and \
             `response` (see docs/header-mutation.md)"
                .to_owned(),
        ]);
    }
    let written: Value = serde_json::from_slice(bytes).map_err(|error| {
        vec![format!(
            "the plugin's configuration cannot be read: {error}"
        )]
    })?;
    let mut errors = Vec::new();
    let metrics = switch(&written, METRICS, true, &mut errors);
    let clear_route_cache = switch(&written, CLEAR_ROUTE_CACHE, false, &mut errors);
    match HeaderMutation::compile(&written, &[METRICS, CLEAR_ROUTE_CACHE]) {
        Ok(plan) if errors.is_empty() => Ok(Settings {
            plan,
            metrics,
            clear_route_cache,
        }),
        Ok(_) => Err(errors),
        Err(found) => {
            errors.extend(found.0.iter().map(ToString::to_string));
            Err(errors)
        }
    }
}

fn switch(written: &Value, key: &str, default: bool, errors: &mut Vec<String>) -> bool {
    match written.get(key) {
        None | Some(Value::Null) => default,
        Some(Value::Bool(value)) => *value,
        Some(_) => {
            errors.push(format!("`{key}`: must be true or false"));
            default
        }
    }
}
