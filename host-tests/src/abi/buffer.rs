//! Buffers: the configuration, and the bodies of requests and replies.

use wasmtime::{Linker, Result};

use super::{NOT_FOUND, OK, Vm, give};
use crate::world::World;

const HTTP_REQUEST_BODY: u32 = 0;
const HTTP_CALL_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_buffer_bytes", get)?;
    Ok(())
}

fn get(mut vm: Vm, kind: u32, start: u32, max: u32, data: u32, size: u32) -> Result<u32> {
    let world = vm.data_mut();
    let whole = match kind {
        HTTP_REQUEST_BODY => world.stream().map(|stream| stream.shown_body().to_vec()),
        HTTP_CALL_RESPONSE_BODY => world.reply.as_ref().map(|reply| reply.body.clone()),
        PLUGIN_CONFIGURATION => Some(world.configuration.clone()),
        _ => None,
    };
    let Some(whole) = whole else {
        return Ok(NOT_FOUND);
    };
    let part: Vec<u8> = whole
        .into_iter()
        .skip(start as usize)
        .take(max as usize)
        .collect();
    give(&mut vm, &part, data, size)?;
    Ok(OK)
}
