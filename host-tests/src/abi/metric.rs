//! Metrics: numbers in the order they were defined.

use wasmtime::{Linker, Result};

use super::{NOT_FOUND, OK, Vm, read_text, write};
use crate::world::{Metric, World};

pub(super) fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap("env", "proxy_define_metric", define)?;
    linker.func_wrap("env", "proxy_increment_metric", increment)?;
    linker.func_wrap("env", "proxy_record_metric", record)?;
    linker.func_wrap("env", "proxy_get_metric", get)?;
    Ok(())
}

const HISTOGRAM: u32 = 2;

fn define(mut vm: Vm, kind: u32, name: u32, size: u32, result: u32) -> Result<u32> {
    let name = read_text(&mut vm, name, size)?;
    let metrics = &mut vm.data_mut().metrics;
    let known = metrics.iter().position(|metric| metric.name == name);
    let id = known.unwrap_or_else(|| {
        metrics.push(Metric {
            name,
            kind,
            value: 0,
        });
        metrics.len() - 1
    });
    write(&mut vm, result, &u32::try_from(id)?.to_le_bytes())?;
    Ok(OK)
}

fn increment(mut vm: Vm, id: u32, offset: i64) -> u32 {
    change(&mut vm, id, |metric| {
        metric.value = metric.value.saturating_add_signed(offset);
    })
}

fn record(mut vm: Vm, id: u32, value: u64) -> u32 {
    change(&mut vm, id, |metric| {
        metric.value = match metric.kind {
            HISTOGRAM => metric.value.saturating_add(value),
            _ => value,
        };
    })
}

fn change(vm: &mut Vm, id: u32, change: impl FnOnce(&mut Metric)) -> u32 {
    let world = vm.data_mut();
    world.metric_calls += 1;
    match world.metrics.get_mut(id as usize) {
        Some(metric) => {
            change(metric);
            OK
        }
        None => NOT_FOUND,
    }
}

fn get(mut vm: Vm, id: u32, result: u32) -> Result<u32> {
    let Some(value) = vm
        .data()
        .metrics
        .get(id as usize)
        .map(|metric| metric.value)
    else {
        return Ok(NOT_FOUND);
    };
    write(&mut vm, result, &value.to_le_bytes())?;
    Ok(OK)
}
