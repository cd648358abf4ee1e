//! Calls to clusters. They belong to the root context, whoever makes them, and are answered even if
//! the request that made them has gone.

use std::time::Duration;

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, INTERNAL_FAILURE, OK, Vm, headers, read, read_text, write};
use crate::{
    exchange::first,
    upstream::{CallOut, End},
    world::{InFlight, World},
};

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_http_call", call)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
fn call(
    mut vm: Vm,
    cluster: u32,
    cluster_size: u32,
    header_map: u32,
    header_map_size: u32,
    body: u32,
    body_size: u32,
    _trailers: u32,
    _trailers_size: u32,
    timeout: u32,
    result: u32,
) -> Result<u32> {
    let cluster = read_text(&mut vm, cluster, cluster_size)?;
    let fields = headers::decode(&read(&mut vm, header_map, header_map_size)?)?;
    let body = read(&mut vm, body, body_size)?;
    let complete = [":method", ":path", ":authority"]
        .iter()
        .all(|name| first(&fields, name).is_some());
    if !complete {
        return Ok(BAD_ARGUMENT);
    }
    let world = vm.data_mut();
    let call = CallOut {
        cluster,
        headers: fields,
        body,
        timeout: Duration::from_millis(timeout.into()),
        at: world.elapsed,
    };
    let Some(answer) = world.upstreams.call(call.clone()) else {
        return Ok(BAD_ARGUMENT);
    };
    if matches!(answer.end, End::Refusal) {
        return Ok(INTERNAL_FAILURE);
    }
    world.tokens = world.tokens.wrapping_add(1);
    let token = world.tokens;
    world.in_flight.push(InFlight {
        due: world.elapsed.saturating_add(answer.delay),
        token,
        call,
        end: answer.end,
    });
    write(&mut vm, result, &token.to_le_bytes())?;
    Ok(OK)
}
