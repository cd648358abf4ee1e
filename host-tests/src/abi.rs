//! The functions that the host offers to the module, one file per subject.

mod buffer;
mod clock;
mod foreign_function;
mod headers;
mod http_call;
mod local_reply;
mod log;
mod metric;
mod property;
mod shared_data;
mod wasi;

use wasmtime::{Caller, Extern, Linker, Module, Result, Val, error::Context as _};

use crate::world::World;

/// The module calling, and what the host keeps for it.
pub(crate) type Vm<'a> = Caller<'a, World>;

pub(crate) const OK: u32 = 0;
pub(crate) const NOT_FOUND: u32 = 1;
pub(crate) const BAD_ARGUMENT: u32 = 2;
pub(crate) const CAS_MISMATCH: u32 = 8;
pub(crate) const INTERNAL_FAILURE: u32 = 10;
const UNIMPLEMENTED: u32 = 12;

/// Functions of the ABI that no module of ours uses: there, so that the SDK's references to them
/// link, and failing when called.
const UNIMPLEMENTED_NAMES: [&str; 13] = [
    "proxy_close_stream",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_register_shared_queue",
    "proxy_resolve_shared_queue",
    "proxy_set_buffer_bytes",
];

/// Offers the whole ABI to `module`.
pub(crate) fn link(linker: &mut Linker<World>, module: &Module) -> Result<()> {
    buffer::link(linker)?;
    clock::link(linker)?;
    foreign_function::link(linker)?;
    headers::link(linker)?;
    http_call::link(linker)?;
    local_reply::link(linker)?;
    log::link(linker)?;
    metric::link(linker)?;
    property::link(linker)?;
    shared_data::link(linker)?;
    wasi::link(linker)?;
    for import in module.imports() {
        let name = import.name();
        if let ("env", Some(ty)) = (import.module(), import.ty().func())
            && UNIMPLEMENTED_NAMES.contains(&name)
        {
            linker.func_new("env", name, ty.clone(), |_, _, results| {
                results.fill(Val::I32(UNIMPLEMENTED.cast_signed()));
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// The bytes at `pointer` in the module's memory.
pub(crate) fn read(vm: &mut Vm, pointer: u32, size: u32) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize];
    memory(vm)?.read(&vm, pointer as usize, &mut bytes)?;
    Ok(bytes)
}

pub(crate) fn read_text(vm: &mut Vm, pointer: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(vm, pointer, size)?).into_owned())
}

pub(crate) fn write(vm: &mut Vm, pointer: u32, bytes: &[u8]) -> Result<()> {
    Ok(memory(vm)?.write(vm, pointer as usize, bytes)?)
}

/// Hands bytes over in memory that the module allocates; none as a null pointer.
pub(crate) fn give(vm: &mut Vm, bytes: &[u8], pointer: u32, size: u32) -> Result<()> {
    let length = u32::try_from(bytes.len()).context("too long for the module")?;
    let mut address = 0;
    if length > 0 {
        let allocate = vm
            .get_export("proxy_on_memory_allocate")
            .and_then(Extern::into_func)
            .context("the module exports no allocator")?
            .typed::<u32, u32>(&vm)?;
        address = allocate.call(&mut *vm, length)?;
        write(vm, address, bytes)?;
    }
    write(vm, pointer, &address.to_le_bytes())?;
    write(vm, size, &length.to_le_bytes())
}

fn memory(vm: &mut Vm) -> Result<wasmtime::Memory> {
    vm.get_export("memory")
        .and_then(Extern::into_memory)
        .context("the module exports no memory")
}
