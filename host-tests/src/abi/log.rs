//! The log.

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, OK, Vm, read_text};
use crate::world::World;

const CRITICAL: u32 = 5;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_log", log)?;
    Ok(())
}

fn log(mut vm: Vm, level: u32, message: u32, size: u32) -> Result<u32> {
    if level > CRITICAL {
        return Ok(BAD_ARGUMENT);
    }
    let message = read_text(&mut vm, message, size)?;
    vm.data_mut().logs.push((level, message));
    Ok(OK)
}
