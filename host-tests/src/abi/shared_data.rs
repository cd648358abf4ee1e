//! Data shared by all VMs of a process, with compare-and-swap.

use wasmtime::{Linker, Result};

use super::{CAS_MISMATCH, NOT_FOUND, OK, Vm, give, read, read_text, write};
use crate::world::World;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_shared_data", get)?;
    linker.func_wrap("env", "proxy_set_shared_data", set)?;
    Ok(())
}

fn get(mut vm: Vm, key: u32, length: u32, data: u32, size: u32, cas: u32) -> Result<u32> {
    let key = read_text(&mut vm, key, length)?;
    let Some((value, version)) = vm.data().shared_data.get(&key).cloned() else {
        return Ok(NOT_FOUND);
    };
    give(&mut vm, &value, data, size)?;
    write(&mut vm, cas, &version.to_le_bytes())?;
    Ok(OK)
}

fn set(mut vm: Vm, key: u32, length: u32, data: u32, size: u32, cas: u32) -> Result<u32> {
    let key = read_text(&mut vm, key, length)?;
    let value = read(&mut vm, data, size)?;
    let shared = &mut vm.data_mut().shared_data;
    let version = shared.get(&key).map_or(0, |(_, version)| *version);
    if cas != 0 && cas != version {
        return Ok(CAS_MISMATCH);
    }
    shared.insert(key, (value, version.wrapping_add(1)));
    Ok(OK)
}
