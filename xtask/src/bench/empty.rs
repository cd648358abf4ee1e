//! The module that everything else is measured beside: it answers the callbacks that ours answer for
//! a request, and asks the host for nothing. What it costs is what being a wasm filter costs.

use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// `proxy_on_…` callbacks by their type, below.
const EXPORTS: &[(&str, u32)] = &[
    ("proxy_abi_version_0_2_1", NOTHING),
    ("_initialize", NOTHING),
    ("proxy_on_context_create", CREATE),
    ("proxy_on_vm_start", START),
    ("proxy_on_configure", START),
    ("proxy_on_request_headers", HEADERS),
    ("proxy_on_response_headers", HEADERS),
    ("proxy_on_delete", DELETE),
    ("proxy_on_memory_allocate", ALLOCATE),
];

const NOTHING: u32 = 0;
const CREATE: u32 = 1;
const START: u32 = 2;
const HEADERS: u32 = 3;
const DELETE: u32 = 4;
const ALLOCATE: u32 = 5;

/// Where the memory that the host asks for begins.
const HEAP: i32 = 1024;

/// The module, in wasm.
pub(super) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    let int = ValType::I32;
    for (parameters, results) in [(0, 0), (2, 0), (2, 1), (3, 1), (1, 0), (1, 1)] {
        types
            .ty()
            .function(vec![int; parameters], vec![int; results]);
    }
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (index, (name, kind)) in (0..).zip(EXPORTS) {
        functions.function(*kind);
        code.function(&body(*kind));
        exports.export(name, ExportKind::Func, index);
    }
    let mut memory = MemorySection::new();
    memory.memory(MemoryType {
        minimum: 2,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    let free = GlobalType {
        val_type: int,
        mutable: true,
        shared: false,
    };
    globals.global(free, &ConstExpr::i32_const(HEAP));
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&memory)
        .section(&globals)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Starting succeeds (1), headers go on (0), and memory is handed out once: only the configuration is
/// ever put into it.
fn body(kind: u32) -> Function {
    let mut function = Function::new([]);
    let mut say = function.instructions();
    match kind {
        START => say.i32_const(1),
        HEADERS => say.i32_const(0),
        ALLOCATE => say
            .global_get(0)
            .global_get(0)
            .local_get(0)
            .i32_add()
            .global_set(0),
        _ => &mut say,
    };
    say.end();
    function
}
