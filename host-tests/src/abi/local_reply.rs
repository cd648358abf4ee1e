//! Answering a request, or letting it go on. Both take effect once the callback has returned; doing
//! either twice is refused, since it has broken proxies.

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, OK, Vm, headers, read};
use crate::{
    exchange::Response,
    world::{Verdict, World},
};

const REQUEST: u32 = 0;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_send_local_response", answer)?;
    linker.func_wrap("env", "proxy_continue_stream", resume)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the ABI's signature")]
fn answer(
    mut vm: Vm,
    status: u32,
    _details: u32,
    _details_size: u32,
    body: u32,
    body_size: u32,
    header_map: u32,
    header_map_size: u32,
    _grpc_status: u32,
) -> Result<u32> {
    let response = Response {
        status: u16::try_from(status)?,
        headers: headers::decode(&read(&mut vm, header_map, header_map_size)?)?,
        body: read(&mut vm, body, body_size)?,
    };
    Ok(decide(&mut vm, Verdict::Answer(response)))
}

fn resume(mut vm: Vm, kind: u32) -> u32 {
    if kind != REQUEST {
        return BAD_ARGUMENT;
    }
    decide(&mut vm, Verdict::Pass)
}

fn decide(vm: &mut Vm, verdict: Verdict) -> u32 {
    match vm.data_mut().stream() {
        Some(stream) if stream.verdict.is_none() => {
            stream.verdict = Some(verdict);
            stream.held = false;
            OK
        }
        _ => BAD_ARGUMENT,
    }
}
