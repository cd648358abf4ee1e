//! The small part of WASI that Envoy offers: no files, no arguments, no environment.

use wasmtime::{Linker, Result, bail};

use super::{Vm, read, write};
use crate::world::World;

const WASI: &str = "wasi_snapshot_preview1";
const SUCCESS: u32 = 0;
const INFO: u32 = 2;

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(WASI, "fd_write", fd_write)?;
    linker.func_wrap(WASI, "environ_get", |_: Vm, _: u32, _: u32| SUCCESS)?;
    linker.func_wrap(WASI, "environ_sizes_get", no_strings)?;
    linker.func_wrap(WASI, "args_get", |_: Vm, _: u32, _: u32| SUCCESS)?;
    linker.func_wrap(WASI, "args_sizes_get", no_strings)?;
    linker.func_wrap(WASI, "clock_time_get", clock)?;
    linker.func_wrap(WASI, "random_get", random)?;
    linker.func_wrap(WASI, "proc_exit", |_: Vm, code: u32| -> Result<()> {
        bail!("the module exited with {code}")
    })?;
    Ok(())
}

fn no_strings(mut vm: Vm, count: u32, size: u32) -> Result<u32> {
    write(&mut vm, count, &[0; 4])?;
    write(&mut vm, size, &[0; 4])?;
    Ok(SUCCESS)
}

/// Standard output and error go to the log.
fn fd_write(mut vm: Vm, _fd: u32, vectors: u32, count: u32, written: u32) -> Result<u32> {
    let mut text = Vec::new();
    for index in 0..count {
        let vector = read(&mut vm, vectors.wrapping_add(index.wrapping_mul(8)), 8)?;
        if let [p0, p1, p2, p3, l0, l1, l2, l3] = *vector {
            let pointer = u32::from_le_bytes([p0, p1, p2, p3]);
            let length = u32::from_le_bytes([l0, l1, l2, l3]);
            text.extend(read(&mut vm, pointer, length)?);
        }
    }
    write(&mut vm, written, &u32::try_from(text.len())?.to_le_bytes())?;
    let text = String::from_utf8_lossy(&text).into_owned();
    vm.data_mut().logs.push((INFO, text));
    Ok(SUCCESS)
}

fn clock(mut vm: Vm, _id: u32, _precision: u64, result: u32) -> Result<u32> {
    let nanos = u64::try_from(vm.data().now().as_nanos())?;
    write(&mut vm, result, &nanos.to_le_bytes())?;
    Ok(SUCCESS)
}

/// The same numbers in every run, so that a failure can be repeated (`SplitMix64`).
fn random(mut vm: Vm, buffer: u32, length: u32) -> Result<u32> {
    let bytes: Vec<u8> = (0..length)
        .map(|_| {
            let state = &mut vm.data_mut().random;
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed >> 56) as u8
        })
        .collect();
    write(&mut vm, buffer, &bytes)?;
    Ok(SUCCESS)
}
