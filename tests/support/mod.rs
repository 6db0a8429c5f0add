//! Running the program as a user does.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output};

/// The program, with none of the settings of whoever runs the tests.
pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bastion"));
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        let ours =
            name.to_str().is_some_and(|n| n.starts_with("BASTION_") && n != "BASTION_SOLC_DIR");
        if ours || name == "RUST_LOG" || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it with arguments that no blank stands in.
pub fn bastion(dir: &Path, args: &str) -> Output {
    program(dir).args(args.split_whitespace()).output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub const HEADER: &str = "block,tx_index,trace_index,token,from,to,amount";
pub const ETH: &str = "0x0000000000000000000000000000000000000000";

/// An address with a number.
pub fn address(n: u64) -> String {
    format!("0x{n:040x}")
}

/// A row of a CSV.
pub fn row(from: u64, to: u64, amount: u64) -> String {
    format!("1,0,0,{ETH},{},{},{amount}", address(from), address(to))
}
