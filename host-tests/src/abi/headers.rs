//! Header maps: of the request, and of a call's reply.

use wasmtime::{Linker, Result, error::Context as _};

use super::{BAD_ARGUMENT, NOT_FOUND, OK, Vm, give, read, read_text};
use crate::{exchange::Fields, world::World};

const REQUEST: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const RESPONSE: u32 = 2;
const HTTP_CALL_RESPONSE: u32 = 6;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_header_map_pairs", get_all)?;
    linker.func_wrap("env", "proxy_set_header_map_pairs", set_all)?;
    linker.func_wrap("env", "proxy_get_header_map_value", get)?;
    linker.func_wrap("env", "proxy_add_header_map_value", add)?;
    linker.func_wrap("env", "proxy_replace_header_map_value", replace)?;
    linker.func_wrap("env", "proxy_remove_header_map_value", remove)?;
    Ok(())
}

fn map(world: &World, kind: u32) -> Fields {
    match kind {
        REQUEST => world
            .streams
            .get(&world.context)
            .filter(|stream| stream.held)
            .map(|stream| stream.headers.clone())
            .unwrap_or_default(),
        REQUEST_TRAILERS => world
            .streams
            .get(&world.context)
            .map(|stream| stream.request.trailers.clone())
            .unwrap_or_default(),
        RESPONSE => world
            .streams
            .get(&world.context)
            .and_then(|stream| stream.response.clone())
            .unwrap_or_default(),
        HTTP_CALL_RESPONSE => world.reply.as_ref().map_or_else(Vec::new, |reply| {
            let status = (":status".to_owned(), reply.status.to_string().into_bytes());
            [status].into_iter().chain(reply.headers.clone()).collect()
        }),
        _ => Vec::new(),
    }
}

/// Changes the request's fields, which is refused once they have gone on, its trailers, or the
/// response's fields while they pass.
fn change(mut vm: Vm, kind: u32, change: impl FnOnce(&mut Fields)) -> u32 {
    match (kind, vm.data_mut().stream()) {
        (REQUEST, Some(stream)) if stream.held => change(&mut stream.headers),
        (REQUEST_TRAILERS, Some(stream)) => change(&mut stream.request.trailers),
        (RESPONSE, Some(stream)) => match &mut stream.response {
            Some(headers) => change(headers),
            None => return BAD_ARGUMENT,
        },
        _ => return BAD_ARGUMENT,
    }
    OK
}

fn get_all(mut vm: Vm, kind: u32, data: u32, size: u32) -> Result<u32> {
    let pairs = encode(&map(vm.data(), kind))?;
    give(&mut vm, &pairs, data, size)?;
    Ok(OK)
}

fn set_all(mut vm: Vm, kind: u32, data: u32, size: u32) -> Result<u32> {
    let pairs = read(&mut vm, data, size)?;
    let fields = decode(&pairs)?;
    Ok(change(vm, kind, |headers| *headers = fields))
}

fn get(mut vm: Vm, kind: u32, key: u32, length: u32, data: u32, size: u32) -> Result<u32> {
    let name = read_text(&mut vm, key, length)?.to_lowercase();
    let Some((_, value)) = map(vm.data(), kind).into_iter().find(|(n, _)| *n == name) else {
        return Ok(NOT_FOUND);
    };
    give(&mut vm, &value, data, size)?;
    Ok(OK)
}

fn add(mut vm: Vm, kind: u32, key: u32, length: u32, data: u32, size: u32) -> Result<u32> {
    let name = read_text(&mut vm, key, length)?.to_lowercase();
    let value = read(&mut vm, data, size)?;
    Ok(change(vm, kind, |headers| headers.push((name, value))))
}

fn replace(mut vm: Vm, kind: u32, key: u32, length: u32, data: u32, size: u32) -> Result<u32> {
    let name = read_text(&mut vm, key, length)?.to_lowercase();
    let value = read(&mut vm, data, size)?;
    Ok(change(vm, kind, |headers| {
        headers.retain(|(field, _)| *field != name);
        headers.push((name, value));
    }))
}

fn remove(mut vm: Vm, kind: u32, key: u32, length: u32) -> Result<u32> {
    let name = read_text(&mut vm, key, length)?.to_lowercase();
    Ok(change(vm, kind, |headers| {
        headers.retain(|(field, _)| *field != name);
    }))
}

/// A map on the wire: the count, every pair's two lengths, then names and values each closed by a
/// zero byte.
fn encode(fields: &Fields) -> Result<Vec<u8>> {
    let mut bytes = u32::try_from(fields.len())?.to_le_bytes().to_vec();
    for (name, value) in fields {
        bytes.extend(u32::try_from(name.len())?.to_le_bytes());
        bytes.extend(u32::try_from(value.len())?.to_le_bytes());
    }
    for (name, value) in fields {
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.extend(value);
        bytes.push(0);
    }
    Ok(bytes)
}

/// The pairs of a map on the wire.
pub(super) fn decode(bytes: &[u8]) -> Result<Fields> {
    let word = |index: usize| -> Option<usize> {
        let at = index.checked_mul(4)?;
        let word = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(word.try_into().ok()?)).ok()
    };
    let decode = || -> Option<Fields> {
        if bytes.is_empty() {
            return Some(Vec::new());
        }
        let count = word(0)?;
        let mut rest = bytes.get(count.checked_mul(8)?.checked_add(4)?..)?;
        let mut take = |length: usize| -> Option<Vec<u8>> {
            let (text, after) = rest.split_at_checked(length)?;
            rest = after.strip_prefix(&[0])?;
            Some(text.to_vec())
        };
        (0..count)
            .map(|pair| {
                let name = take(word(1 + 2 * pair)?)?;
                let value = take(word(2 + 2 * pair)?)?;
                Some((String::from_utf8(name).ok()?.to_lowercase(), value))
            })
            .collect()
    };
    decode().context("a malformed map")
}
