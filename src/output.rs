//! What people and programs see: reports on standard output; logs, progress and errors on standard
//! error. Of these the report alone decides: diagnostics that cannot be written are dropped.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use bastion_prover::progress::{JsonProgress, Progress, TerminalProgress};
use serde::Serialize;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::EnvFilter;

use crate::config::Settings;
use crate::exit::{self, CliError};

/// Standard error, of which nobody need read anything: a write that fails is as good as one that
/// does not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Diagnostics;

impl Write for Diagnostics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = io::stderr().write_all(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

/// Whether standard error is for people: a terminal, and no JSON asked for.
fn for_people(settings: &Settings) -> bool {
    io::stderr().is_terminal() && !settings.json
}

/// Whether the terminal takes colours.
fn colours() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::env::var_os("NO_COLOR").is_none() && !dumb
}

/// Logs by `RUST_LOG`, from a level on by default: text on a terminal, JSON lines otherwise, as progress.
pub(crate) fn init_logs(settings: &Settings, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(|| Diagnostics);
    // The HTTP client logs whole URLs, which may hold keys, at some levels.
    let safe = filter_fn(|meta| !meta.target().starts_with("ureq"));
    if for_people(settings) {
        let logs = logs.with_ansi(colours());
        logs.finish().with(safe).init();
    } else {
        let logs = logs.with_ansi(false).json();
        logs.finish().with(safe).init();
    }
}

/// Bars on a terminal, JSON lines otherwise.
pub(crate) fn progress(settings: &Settings) -> Progress {
    if for_people(settings) {
        Progress::new(TerminalProgress::default())
    } else {
        Progress::new(JsonProgress::new(Diagnostics))
    }
}

/// Prints a report: as JSON, or as `text` for people.
pub(crate) fn report<T: Serialize>(
    settings: &Settings,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> eyre::Result<()> {
    let out = if settings.json { serde_json::to_string_pretty(value)? } else { text(value) };
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", out.trim_end()).and_then(|()| stdout.flush());
    match written {
        // The reader has seen enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.map_err(CliError::Output)?),
    }
}

/// So many of something: `1 block`, `2 batches`.
pub(crate) fn count(n: u64, one: &str) -> String {
    let ending = match n {
        1 => "",
        _ if one.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{n} {one}{ending}")
}

/// Prints an error with its causes; the code is that of [`exit::code`].
pub(crate) fn fail(error: &eyre::Report, json: bool) -> ExitCode {
    let code = exit::code(error);
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    // Many messages end with their cause's.
    causes.dedup_by(|cause, before| before.ends_with(cause.as_str()));
    let text = if json {
        json_error(&causes, code)
    } else {
        format!("error: {}\n", causes.join("\n  caused by: "))
    };
    let _ = Diagnostics.write_all(text.as_bytes());
    ExitCode::from(code)
}

/// Prints what clap says about the command line: help, version, or a usage error.
pub(crate) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        let line = json_error(&[text.to_owned()], exit::USAGE);
        let _ = Diagnostics.write_all(line.as_bytes());
    } else {
        // It has its own way with standard output that is closed.
        let _ = error.print();
    }
    match u8::try_from(error.exit_code()) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(exit::FAILURE),
    }
}

/// One line.
fn json_error(causes: &[String], code: u8) -> String {
    format!("{}\n", serde_json::json!({ "error": causes, "exit_code": code }))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_singular() {
        let counted = [0, 1, 2].map(|n| [count(n, "block"), count(n, "batch")].join(", "));
        assert_eq!(counted, ["0 blocks, 0 batches", "1 block, 1 batch", "2 blocks, 2 batches"]);
    }
}
