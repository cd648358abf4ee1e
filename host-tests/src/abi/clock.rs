//! The clock, timers, and the context that calls act on.

use std::time::Duration;

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, OK, Vm, write};
use crate::world::World;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", now)?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", set_tick)?;
    linker.func_wrap("env", "proxy_set_effective_context", act_for)?;
    Ok(())
}

fn now(mut vm: Vm, result: u32) -> Result<u32> {
    let nanos = u64::try_from(vm.data().now().as_nanos())?;
    write(&mut vm, result, &nanos.to_le_bytes())?;
    Ok(OK)
}

fn set_tick(mut vm: Vm, millis: u32) -> u32 {
    vm.data_mut().set_tick(Duration::from_millis(millis.into()));
    OK
}

fn act_for(mut vm: Vm, context: u32) -> u32 {
    let world = vm.data_mut();
    if !world.contexts.contains(&context) {
        return BAD_ARGUMENT;
    }
    world.context = context;
    OK
}
