//! What a stage takes of the machine (Linux), read as `bastion bench` reads it.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use serde_json::{json, Value};

use crate::Result;

/// Ticks of `/proc/self/stat` in a second, the same on every Linux.
const TICKS: f64 = 100.0;

/// Runs a stage and notes its seconds, core-seconds and most memory of the process.
pub fn measure<T, E: Into<Box<dyn std::error::Error>>>(
    name: &'static str,
    stages: &mut BTreeMap<&'static str, Value>,
    run: impl FnOnce() -> std::result::Result<T, E>,
) -> Result<T> {
    // Resets the high-water mark of the memory.
    fs::write("/proc/self/clear_refs", "5")?;
    let (start, cores) = (Instant::now(), core_seconds()?);
    let result = run().map_err(Into::into)?;
    let seconds = start.elapsed().as_secs_f64();
    let stage = json!({
        "seconds": seconds,
        "core_seconds": core_seconds()? - cores,
        "peak_memory_bytes": peak_memory()?,
    });
    stages.insert(name, stage);
    Ok(result)
}

fn core_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The process's name, in parentheses, may hold spaces: fields are counted behind it.
    let (_, rest) = stat.rsplit_once(')').ok_or("/proc/self/stat")?;
    let mut ticks = 0.0;
    for field in rest.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / TICKS)
}

fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next());
    Ok(kilobytes.ok_or("/proc/self/status")?.parse::<u64>()? * 1024)
}
