//! The Solidity compiler from npm, at the version that `package-lock.json` pins.

use crate::error::{ContractError, Result};
use alloy_primitives::{hex, Bytes};
use serde_json::{json, Value};
use std::{
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Environment variable that names a folder with `node_modules/solc`.
pub const SOLC_DIR_VARIABLE: &str = "BASTION_SOLC_DIR";
/// EVM version that contracts are compiled for.
pub const EVM_VERSION: &str = "cancun";

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Contract name.
    pub name: String,
    /// Interface in Solidity's JSON form.
    pub abi: Value,
    /// Code that deploys it, without constructor arguments.
    pub bytecode: Bytes,
    /// Code that lies on the chain afterwards.
    pub deployed_bytecode: Bytes,
}

/// How hard the compiler tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimization {
    /// Not at all.
    Off,
    /// For this number of expected runs: larger numbers trade code size for gas.
    Runs(u32),
}

/// Compiles `(file name, text)` pairs with the optimizer on and returns every contract that can
/// be deployed, in the compiler's order.
///
/// # Errors
/// If the compiler is not installed, cannot be run, or refuses the sources.
pub fn compile(sources: &[(&str, &str)]) -> Result<Vec<Artifact>> {
    compile_with(sources, Optimization::Runs(200))
}

/// As [`compile`], with the optimizer as given.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(sources: &[(&str, &str)], level: Optimization) -> Result<Vec<Artifact>> {
    let optimizer = match level {
        Optimization::Off => json!({ "enabled": false }),
        Optimization::Runs(runs) => json!({ "enabled": true, "runs": runs }),
    };
    let files: serde_json::Map<String, Value> = sources
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!({ "content": text })))
        .collect();
    let input = json!({
        "language": "Solidity",
        "sources": files,
        "settings": {
            "evmVersion": EVM_VERSION,
            "optimizer": optimizer,
            // Without the metadata hash the bytecode depends on the code alone.
            "metadata": { "bytecodeHash": "none", "appendCBOR": false },
            "outputSelection": {
                "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] }
            },
        },
    });
    parse(&run(&serde_json::to_vec(&input)?)?)
}

/// Runs `solcjs --standard-json`.
fn run(input: &[u8]) -> Result<Value> {
    let script = script()?;
    // Files at both ends: solcjs makes its standard input non-blocking and reads a pipe that is
    // still empty as an error, and it exits before a pipe has taken more than 64 KiB of output.
    let mut source = tempfile::tempfile()?;
    source.write_all(input)?;
    source.rewind()?;
    let mut output = tempfile::tempfile()?;
    let finished = Command::new("node")
        .arg(script)
        .arg("--standard-json")
        .stdin(source)
        .stdout(output.try_clone()?)
        .stderr(Stdio::piped())
        .output()
        .map_err(ContractError::SolcProcess)?;
    if !finished.status.success() {
        let message = String::from_utf8_lossy(&finished.stderr).into_owned();
        return Err(ContractError::Solidity(message));
    }
    output.rewind()?;
    let mut text = Vec::new();
    output.read_to_end(&mut text)?;
    // A notice about SMT solvers precedes the JSON in some versions.
    let start = text.iter().position(|byte| *byte == b'{');
    let body = start.and_then(|start| text.get(start..));
    Ok(serde_json::from_slice(body.ok_or(ContractError::SolcOutput("JSON object"))?)?)
}

/// Checks that the compiler is installed and that node is there to run it: for those who need it
/// only after minutes of other work.
///
/// # Errors
/// [`ContractError::SolcMissing`] or [`ContractError::SolcProcess`].
pub fn check() -> Result<()> {
    script()?;
    check_node("node")
}

fn check_node(node: &str) -> Result<()> {
    let version = Command::new(node).arg("--version").output();
    let version = version.map_err(ContractError::SolcProcess)?;
    if version.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&version.stderr).into_owned();
    Err(ContractError::SolcProcess(std::io::Error::other(text)))
}

/// Version of the compiler that `package-lock.json` pins.
///
/// # Errors
/// None for the lock file that this crate was built with.
pub fn version() -> Result<String> {
    let lock: Value = serde_json::from_str(LOCK)?;
    version_in(&lock["packages"]["node_modules/solc"])
}

/// The lock file of the folder that has the compiler.
const LOCK: &str = include_str!("../package-lock.json");

fn version_in(package: &Value) -> Result<String> {
    let version = package["version"].as_str();
    Ok(version.ok_or(ContractError::SolcOutput("version in its package"))?.to_owned())
}

/// The compiler's script, of the pinned version.
fn script() -> Result<PathBuf> {
    match std::env::var_os(SOLC_DIR_VARIABLE) {
        Some(named) => script_in(&[named.into()]),
        None => script_in(&trees(std::env::current_exe()?.as_path())),
    }
}

fn script_in(folders: &[PathBuf]) -> Result<PathBuf> {
    let package = locate(folders)?;
    let found: Value = serde_json::from_slice(&std::fs::read(package.join("package.json"))?)?;
    let (found, pinned) = (version_in(&found)?, version()?);
    if found != pinned {
        return Err(ContractError::SolcVersion { found, pinned, folder: package });
    }
    Ok(package.join("solc.js"))
}

/// Source trees above the program: folders with a `verifier-contract` that has the same lock file. What
/// lies in the current folder, or in any other above it, is not run: anybody may have put it there.
fn trees(program: &Path) -> Vec<PathBuf> {
    let folders = program.ancestors().skip(1).map(|folder| folder.join("verifier-contract"));
    let own = |folder: &PathBuf| {
        std::fs::read_to_string(folder.join("package-lock.json")).is_ok_and(|lock| lock == LOCK)
    };
    folders.filter(own).collect()
}

/// The first package below a folder with `node_modules`.
fn locate(folders: &[PathBuf]) -> Result<PathBuf> {
    let packages = folders.iter().map(|folder| folder.join("node_modules").join("solc"));
    let mut found = packages.filter(|package| package.join("solc.js").is_file());
    found.next().ok_or_else(|| ContractError::SolcMissing {
        folder: folders
            .first()
            .map_or("the program's source tree".into(), |folder| folder.display().to_string()),
    })
}

fn parse(output: &Value) -> Result<Vec<Artifact>> {
    let errors: Vec<&str> = output["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|error| error["severity"] == "error")
        .filter_map(|error| error["formattedMessage"].as_str())
        .collect();
    if !errors.is_empty() {
        return Err(ContractError::Solidity(errors.join("\n")));
    }
    let files = output["contracts"].as_object().ok_or(ContractError::SolcOutput("contracts"))?;
    let mut artifacts = Vec::new();
    for (name, contract) in files.values().filter_map(Value::as_object).flatten() {
        let bytecode = code(contract, "/evm/bytecode/object")?;
        // Interfaces and abstract contracts have none.
        if bytecode.is_empty() {
            continue;
        }
        artifacts.push(Artifact {
            name: name.clone(),
            abi: contract["abi"].clone(),
            bytecode,
            deployed_bytecode: code(contract, "/evm/deployedBytecode/object")?,
        });
    }
    Ok(artifacts)
}

fn code(contract: &Value, pointer: &str) -> Result<Bytes> {
    let text = contract.pointer(pointer).and_then(Value::as_str);
    let text = text.ok_or(ContractError::SolcOutput("bytecode"))?;
    let code = hex::decode(text).map_err(|_| ContractError::SolcOutput("linked bytecode"))?;
    Ok(code.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_compiler_is_named_with_the_remedy() {
        let empty = tempfile::tempdir().unwrap();
        let error = locate(&[empty.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error.contains("make setup") && error.contains(SOLC_DIR_VARIABLE), "{error}");
    }

    /// Whoever can write to a folder above the program, or names another compiler, does not decide what
    /// is run.
    #[test]
    fn only_the_pinned_compiler_of_the_source_tree_is_run() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("target/release/bastion");
        let folder = root.path().join("verifier-contract");
        let package = folder.join("node_modules/solc");
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(package.join("solc.js"), "").unwrap();
        let version = |version: &str| {
            let json = format!("{{\"version\": \"{version}\"}}");
            std::fs::write(package.join("package.json"), json).unwrap();
        };
        version(&super::version().unwrap());
        assert!(trees(&program).is_empty(), "a folder without the lock file");
        std::fs::write(folder.join("package-lock.json"), format!("{LOCK} ")).unwrap();
        assert!(trees(&program).is_empty(), "a folder with another one");
        std::fs::write(folder.join("package-lock.json"), LOCK).unwrap();
        assert_eq!(trees(&program), std::slice::from_ref(&folder));
        assert_eq!(script_in(&trees(&program)).unwrap(), package.join("solc.js"));
        version("0.8.0");
        let error = script_in(&trees(&program)).unwrap_err();
        assert!(matches!(error, ContractError::SolcVersion { .. }), "{error}");
    }

    #[test]
    fn a_missing_node_is_named_with_the_remedy() {
        let error = check_node("no-such-node").unwrap_err();
        assert!(matches!(error, ContractError::SolcProcess(_)), "{error}");
        assert!(error.to_string().contains("install node"), "{error}");
        check().unwrap();
    }

    #[test]
    fn the_compilers_message_reaches_the_caller() {
        let error = compile(&[("Bad.sol", "contract Bad { function }")]).unwrap_err();
        assert!(matches!(error, ContractError::Solidity(ref text) if text.contains("Bad.sol")));
    }

    #[test]
    fn interfaces_are_left_out_and_code_is_reproducible() {
        let source = "interface I {} contract C { uint256 public x = 7; }";
        let first = compile(&[("C.sol", source)]).unwrap();
        let second = compile(&[("C.sol", source)]).unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].name, "C");
        assert_eq!(first[0].bytecode, second[0].bytecode);
        assert!(!first[0].deployed_bytecode.is_empty() && first[0].abi.is_array());
    }
}
