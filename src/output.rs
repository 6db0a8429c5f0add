//! What people and programs see: reports on standard output, logs, progress and errors on standard
//! error.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use bastion_node::NodeError;
use bastion_prover::progress::{JsonProgress, Progress, TerminalProgress};
use bastion_prover::{out_of_space, ProverError};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::config::Settings;

/// Logs by `RUST_LOG`, warnings by default.
pub(crate) fn init_logs(settings: &Settings) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if settings.json {
        logs.json().init();
    } else {
        logs.init();
    }
}

/// Bars on a terminal, JSON lines otherwise.
pub(crate) fn progress(settings: &Settings) -> Progress {
    if std::io::stderr().is_terminal() && !settings.json {
        Progress::new(TerminalProgress::default())
    } else {
        Progress::new(JsonProgress::new(std::io::stderr()))
    }
}

/// Prints a report: as JSON, or as `text` for people.
pub(crate) fn report<T: Serialize>(
    settings: &Settings,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> eyre::Result<()> {
    let out = if settings.json {
        serde_json::to_string_pretty(value)?
    } else {
        text(value)
    };
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{}", out.trim_end()) {
        // The reader has seen enough.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints an error with its causes; the exit code is that of the innermost error that has one.
pub(crate) fn fail(error: &eyre::Report, json: bool) -> ExitCode {
    let code = exit_code(error);
    if json {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        let line = serde_json::json!({ "error": causes, "exit_code": code });
        eprintln!("{line}");
    } else {
        eprintln!("error: {error}");
        for cause in error.chain().skip(1) {
            eprintln!("  caused by: {cause}");
        }
    }
    ExitCode::from(code)
}

fn exit_code(error: &eyre::Report) -> u8 {
    error
        .chain()
        .find_map(|cause| {
            let node = cause.downcast_ref::<NodeError>().map(NodeError::exit_code);
            node.or_else(|| {
                cause
                    .downcast_ref::<ProverError>()
                    .map(ProverError::exit_code)
            })
            .or_else(|| {
                let io = cause.downcast_ref::<std::io::Error>();
                io.filter(|io| out_of_space(io)).map(|_| 6)
            })
        })
        .unwrap_or(1)
}
