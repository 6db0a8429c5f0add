//! What is being done, how far it is and how long it will take.
//!
//! Work is reported as stages ("keys", "prove") of a known number of parts. A [`ProgressSink`]
//! shows them: [`TerminalProgress`] as bars, [`JsonProgress`] as one JSON object a line,
//! [`SilentProgress`] not at all.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, PoisonError,
    },
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

/// State of a stage at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgressEvent {
    /// Name of the stage, one word.
    pub stage: &'static str,
    /// What the stage works on, for people.
    pub subject: String,
    /// Parts finished.
    pub done: u64,
    /// Parts in all, at least 1.
    pub total: u64,
    /// Milliseconds since the stage began.
    pub elapsed_ms: u64,
    /// Milliseconds still to go if the rest goes like the finished part; none before the first
    /// part is finished.
    pub eta_ms: Option<u64>,
}

impl ProgressEvent {
    /// True for the last event of a stage that was completed.
    pub fn finished(&self) -> bool {
        self.done >= self.total
    }
}

/// Somebody who wants to know. Called from many threads, a few times per stage.
pub trait ProgressSink: Send + Sync {
    /// A stage has begun or advanced.
    fn event(&self, event: &ProgressEvent);
}

/// Handle through which the crate reports; cheap to clone.
#[derive(Clone)]
pub struct Progress {
    sink: Arc<dyn ProgressSink>,
}

impl Progress {
    /// Reports to `sink`.
    pub fn new(sink: impl ProgressSink + 'static) -> Self {
        Self { sink: Arc::new(sink) }
    }

    /// Reports to nobody.
    pub fn silent() -> Self {
        Self::new(SilentProgress)
    }

    /// Begins a stage of `total` parts (0 counts as 1).
    pub fn stage(&self, stage: &'static str, subject: impl Into<String>, total: u64) -> Stage {
        let stage = Stage {
            sink: self.sink.clone(),
            stage,
            subject: subject.into(),
            total: total.max(1),
            done: AtomicU64::new(0),
            begun: Instant::now(),
        };
        stage.report(0);
        stage
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

/// A stage that is under way.
pub struct Stage {
    sink: Arc<dyn ProgressSink>,
    stage: &'static str,
    subject: String,
    total: u64,
    done: AtomicU64,
    begun: Instant,
}

impl Stage {
    /// One more part is finished.
    pub fn advance(&self) {
        self.report(self.done.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn report(&self, done: u64) {
        let elapsed = self.begun.elapsed();
        self.sink.event(&ProgressEvent {
            stage: self.stage,
            subject: self.subject.clone(),
            done,
            total: self.total,
            elapsed_ms: millis(elapsed),
            eta_ms: eta(elapsed, done, self.total).map(millis),
        });
    }
}

/// Time left, by the rule of three.
fn eta(elapsed: Duration, done: u64, total: u64) -> Option<Duration> {
    let left = total.saturating_sub(done);
    (done > 0).then(|| elapsed.mul_f64(left as f64 / done as f64))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentProgress;

impl ProgressSink for SilentProgress {
    fn event(&self, _: &ProgressEvent) {}
}

/// One bar per stage on standard error; nothing if that is not a terminal.
#[derive(Debug, Default)]
pub struct TerminalProgress {
    bars: MultiProgress,
    by_stage: Mutex<HashMap<(&'static str, String), ProgressBar>>,
}

impl ProgressSink for TerminalProgress {
    fn event(&self, event: &ProgressEvent) {
        let mut by_stage = self.by_stage.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (event.stage, event.subject.clone());
        let bar = by_stage.entry(key.clone()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new(event.total));
            // The template is a constant; should it ever be wrong, a plain bar is shown.
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix:>8} {msg} [{bar:24}] {pos}/{len} {elapsed} (left: {eta})",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(event.stage);
            bar.set_message(event.subject.clone());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        bar.set_position(event.done);
        if event.finished() {
            bar.finish();
            by_stage.remove(&key);
        }
    }
}

/// One JSON object per event and line, for programs.
#[derive(Debug)]
pub struct JsonProgress<W> {
    out: Mutex<W>,
}

impl<W: Write> JsonProgress<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl<W: Write + Send> ProgressSink for JsonProgress<W> {
    fn event(&self, event: &ProgressEvent) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            // Nobody reading the progress is no reason to stop the work.
            let _ = out.write_all(&line).and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn json_lines_tell_stage_part_total_and_eta() {
        let out = Shared::default();
        let progress = Progress::new(JsonProgress::new(out.clone()));
        let stage = progress.stage("prove", "tiny", 2);
        stage.advance();
        stage.advance();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["done"], 0);
        assert!(lines[0]["eta_ms"].is_null());
        assert_eq!(lines[1]["stage"], "prove");
        assert_eq!(lines[1]["total"], 2);
        assert!(lines[1]["eta_ms"].is_u64());
        assert_eq!(lines[2]["eta_ms"], 0);
    }

    #[test]
    fn eta_is_the_rule_of_three() {
        let second = Duration::from_secs(1);
        assert_eq!(eta(second, 0, 4), None);
        assert_eq!(eta(second, 1, 4), Some(3 * second));
        assert_eq!(eta(2 * second, 4, 4), Some(Duration::ZERO));
    }

    #[test]
    fn terminal_bars_end_with_their_stage() {
        let sink = Arc::new(TerminalProgress::default());
        let progress = Progress { sink: sink.clone() };
        let stage = progress.stage("keys", "tiny", 1);
        assert_eq!(sink.by_stage.lock().unwrap().len(), 1);
        stage.advance();
        assert!(sink.by_stage.lock().unwrap().is_empty());
    }
}
