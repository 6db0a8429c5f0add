//! What a stage takes of the machine (Linux; zeros elsewhere).

use std::fs;
use std::time::Instant;

/// Ticks of `/proc/self/stat` in a second, the same on every Linux.
const TICKS: f64 = 100.0;

/// Time and memory of one stage.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Seconds of all cores together.
    pub core_seconds: f64,
    /// Most memory of the process during the stage, in bytes.
    pub peak_memory_bytes: u64,
}

/// Runs a stage and measures it.
pub(super) fn measure<T, E>(
    name: &'static str,
    stages: &mut Vec<Stage>,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    // Resets the high-water mark; where that is not allowed, the peak is that since the start.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let (start, cores) = (Instant::now(), core_seconds());
    let result = run()?;
    stages.push(Stage {
        name,
        seconds: start.elapsed().as_secs_f64(),
        core_seconds: core_seconds() - cores,
        peak_memory_bytes: peak_memory(),
    });
    Ok(result)
}

fn core_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The process's name, in parentheses, may hold spaces: fields are counted behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / TICKS
}

fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn work_and_memory_are_seen() {
        let mut stages = Vec::new();
        let grown = measure("grow", &mut stages, || {
            let start = Instant::now();
            let mut bytes = vec![1_u8; 64 << 20];
            while start.elapsed().as_millis() < 60 {
                bytes.iter_mut().step_by(4096).for_each(|b| *b = b.wrapping_add(1));
            }
            Ok::<_, ()>(bytes.len())
        });
        assert_eq!(grown, Ok(64 << 20));
        assert!(stages[0].core_seconds > 0.0);
        assert!(stages[0].peak_memory_bytes > 64 << 20);
    }
}
