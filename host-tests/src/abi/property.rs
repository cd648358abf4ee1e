//! Properties: the peer's address, and what the module publishes for access logs.

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, NOT_FOUND, OK, Vm, give, read, read_text};
use crate::world::World;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_property", get)?;
    linker.func_wrap("env", "proxy_set_property", set)?;
    Ok(())
}

fn get(mut vm: Vm, path: u32, length: u32, data: u32, size: u32) -> Result<u32> {
    let path = read_text(&mut vm, path, length)?;
    let value = vm.data_mut().stream().and_then(|stream| match &*path {
        "source\0address" if stream.request.peer.is_some() => {
            stream.request.peer.clone().map(String::into_bytes)
        }
        _ => stream.properties.get(&path).cloned().or_else(|| {
            let mut told = stream.request.properties.iter();
            let told = told.find(|(name, _)| name.replace('.', "\0") == *path);
            let told = told.map(|(_, value)| value.clone().into_bytes());
            let mut others = stream.request.attributes.iter();
            told.or_else(|| {
                let (_, value) = others.find(|(name, _)| name.replace('.', "\0") == *path)?;
                Some(value.clone())
            })
        }),
    });
    let Some(value) = value else {
        return Ok(NOT_FOUND);
    };
    give(&mut vm, &value, data, size)?;
    Ok(OK)
}

fn set(mut vm: Vm, path: u32, length: u32, data: u32, size: u32) -> Result<u32> {
    let path = read_text(&mut vm, path, length)?;
    let value = read(&mut vm, data, size)?;
    let Some(stream) = vm.data_mut().stream() else {
        return Ok(BAD_ARGUMENT);
    };
    stream.properties.insert(path, value);
    Ok(OK)
}
