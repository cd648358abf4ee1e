//! Takes callbacks out of a built module that it has no use for.
//!
//! The SDK exports every callback of the ABI, and a host calls whatever is exported, for every
//! request: each such call costs Envoy a crossing into the VM, most of what a small filter costs at all.

use anyhow::{Context as _, Result};
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// The callbacks that `plugins/filter` answers. Whatever is not named here the SDK would answer with
/// what a host assumes of a module that does not have it.
pub(super) const FILTER: &[&str] = &[
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_tick",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_http_call_response",
    // The SDK frees a request's context in it.
    "proxy_on_delete",
    "proxy_on_memory_allocate",
];

/// Those of a module that only changes headers: it looks at no body, calls nobody and waits for nothing.
pub(super) const HEADERS: &[&str] = &[
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_delete",
    "proxy_on_memory_allocate",
];

/// The module without the callbacks that are not among the `answered`. All else stays as it is, byte
/// for byte.
///
/// # Errors
/// If `module` is not a wasm module.
pub(super) fn trimmed(module: &[u8], answered: &[&str]) -> Result<Vec<u8>> {
    let mut kept = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("the built module is not wasm")?;
        if let Payload::ExportSection(exports) = payload {
            let mut section = ExportSection::new();
            for export in exports {
                let export = export?;
                if !export.name.starts_with("proxy_on_") || answered.contains(&export.name) {
                    section.export(export.name, kind(export.kind)?, export.index);
                }
            }
            kept.section(&section);
        } else if let Some((id, range)) = payload.as_section() {
            let data = module
                .get(range)
                .context("a section ends after the module")?;
            kept.section(&RawSection { id, data });
        }
    }
    Ok(kept.finish())
}

fn kind(kind: ExternalKind) -> Result<ExportKind> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        other => anyhow::bail!("an export of the kind {other:?} is not expected"),
    })
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, TypeSection};

    use super::*;

    #[test]
    fn only_callbacks_that_nobody_answers_are_taken_out() {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut exports = ExportSection::new();
        for name in ["_initialize", "proxy_on_log", "proxy_on_delete", "malloc"] {
            exports.export(name, ExportKind::Func, 0);
        }
        let mut code = CodeSection::new();
        let mut function = Function::new([]);
        function.instruction(&Instruction::End);
        code.function(&function);
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);

        let trimmed = trimmed(&module.finish(), FILTER).unwrap();
        let names: Vec<_> = Parser::new(0)
            .parse_all(&trimmed)
            .filter_map(|payload| match payload.unwrap() {
                Payload::ExportSection(exports) => Some(exports),
                _ => None,
            })
            .flatten()
            .map(|export| export.unwrap().name.to_owned())
            .collect();
        assert_eq!(names, ["_initialize", "proxy_on_delete", "malloc"]);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(trimmed(b"not wasm", FILTER).is_err());
    }
}
