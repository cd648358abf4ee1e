//! Metrics: numbers in the order they were defined.

use wasmtime::{Linker, Result};

use super::{NOT_FOUND, OK, Vm, write};
use crate::world::World;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_define_metric", define)?;
    linker.func_wrap("env", "proxy_increment_metric", increment)?;
    linker.func_wrap("env", "proxy_record_metric", record)?;
    linker.func_wrap("env", "proxy_get_metric", get)?;
    Ok(())
}

fn define(mut vm: Vm, _kind: u32, _name: u32, _size: u32, result: u32) -> Result<u32> {
    let metrics = &mut vm.data_mut().metrics;
    let id = u32::try_from(metrics.len())?;
    metrics.push(0);
    write(&mut vm, result, &id.to_le_bytes())?;
    Ok(OK)
}

fn increment(mut vm: Vm, id: u32, offset: i64) -> u32 {
    set(&mut vm, id, |value| value.saturating_add_signed(offset))
}

fn record(mut vm: Vm, id: u32, value: u64) -> u32 {
    set(&mut vm, id, |_| value)
}

fn set(vm: &mut Vm, id: u32, change: impl FnOnce(u64) -> u64) -> u32 {
    match vm.data_mut().metrics.get_mut(id as usize) {
        Some(value) => {
            *value = change(*value);
            OK
        }
        None => NOT_FOUND,
    }
}

fn get(mut vm: Vm, id: u32, result: u32) -> Result<u32> {
    let Some(value) = vm.data().metrics.get(id as usize).copied() else {
        return Ok(NOT_FOUND);
    };
    write(&mut vm, result, &value.to_le_bytes())?;
    Ok(OK)
}
