//! Settings: defaults, then one TOML file, then the environment, then flags.

use std::path::{Path, PathBuf};

use bastion_circuits::Shape;
use bastion_node::service::config::{
    ApiConfig, L1Config, NatsConfig, NodeConfig, RollupConfig, SentinelConfig, SequencerConfig,
    WorkerConfig,
};
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::{Arithmetic, BadArithmetic};
use clap::Args;
use serde::Deserialize;

use crate::exit::CliError;

/// Flags that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "BASTION_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of reference strings and keys.
    #[arg(long, global = true, value_name = "DIR", env = "BASTION_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// Memory that proving may use, such as 12GiB [default: four fifths of what is available,
    /// limits of containers included].
    #[arg(long, global = true, value_name = "SIZE", env = "BASTION_MEMORY")]
    memory: Option<MemoryBudget>,
    /// Arithmetic of the prover: portable (any processor), mulx (AVX2, BMI2, ADX) or ifma (AVX-512
    /// IFMA). All give the same proofs [default: the fastest that the processor has].
    #[arg(long, global = true, value_name = "NAME", env = "BASTION_ARITHMETIC")]
    arithmetic: Option<Arithmetic>,
    /// Reports and progress as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Sets a key of the configuration file for this run, such as api.listen=0.0.0.0:4000; may be given
    /// several times. The variable BASTION_API__LISTEN does the same.
    #[arg(long = "set", global = true, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    cache_dir: Option<PathBuf>,
    memory: Option<toml::Value>,
    arithmetic: Option<String>,
    #[serde(default)]
    rollup: RollupConfig,
    #[serde(default)]
    sequencer: SequencerConfig,
    #[serde(default)]
    l1: L1Config,
    #[serde(default)]
    worker: WorkerConfig,
    #[serde(default)]
    nats: NatsConfig,
    #[serde(default)]
    api: ApiConfig,
    #[serde(default)]
    sentinel: SentinelConfig,
}

/// Sections of the file.
const SECTIONS: [&str; 7] = ["rollup", "sequencer", "l1", "worker", "nats", "api", "sentinel"];

/// Puts what variables and flags say over the file's text.
fn overlay(text: &str, set: &[String]) -> Result<File, String> {
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let variables = std::env::vars().filter_map(|(name, value)| {
        let (section, key) = name.strip_prefix("BASTION_")?.split_once("__")?;
        Some((section.to_lowercase(), key.to_lowercase().replace('_', "-"), value))
    });
    let mut sets: Vec<(String, String, String)> = variables.collect();
    for one in set {
        let parts = one.split_once('=').and_then(|(place, value)| {
            let (section, key) = place.split_once('.')?;
            Some((section.to_owned(), key.to_owned(), value.to_owned()))
        });
        let hint = || {
            format!(
                "--set {one}: give it as SECTION.KEY=VALUE, with one of the sections {}; the keys without \
                 a section have flags of their own",
                SECTIONS.join(", ")
            )
        };
        sets.push(parts.ok_or_else(hint)?);
    }
    for (section, key, value) in sets {
        if !SECTIONS.contains(&&*section) {
            return Err(format!(
                "{section}.{key} (--set, or a variable BASTION_{}__{}): there is no section {section}, only {}",
                section.to_uppercase(),
                key.to_uppercase().replace('-', "_"),
                SECTIONS.join(", ")
            ));
        }
        // What is no value of TOML is a text without quotes.
        let parsed = format!("v = {value}").parse::<toml::Table>().ok();
        let parsed = parsed.and_then(|mut table| table.remove("v"));
        let value = parsed.unwrap_or(toml::Value::String(value));
        let entry = table.entry(section.clone()).or_insert_with(|| toml::Table::new().into());
        match entry.as_table_mut() {
            Some(entry) => entry.insert(key, value),
            None => return Err(format!("{section} is no section")),
        };
    }
    table.try_into().map_err(|e: toml::de::Error| e.to_string())
}

/// What holds for this run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Folder of reference strings and keys.
    pub(crate) cache_dir: PathBuf,
    /// Memory that proving may use.
    pub(crate) memory: MemoryBudget,
    /// Reports and progress as JSON.
    pub(crate) json: bool,
    /// What the node's parts read.
    pub(crate) node: NodeConfig,
}

impl Settings {
    /// Settings from the file and the flags (which know the environment).
    pub(crate) fn resolve(flags: &Flags) -> eyre::Result<Self> {
        let default = Path::new("bastion.toml");
        let path = match &flags.config {
            Some(path) => Some(path.as_path()),
            None => default.exists().then_some(default),
        };
        let bad = |why: String| bad_file(path.unwrap_or(default), why);
        let text = path.map(read).transpose()?.unwrap_or_default();
        let file = overlay(&text, &flags.set).map_err(bad)?;
        let of_file = || memory_of(file.memory.as_ref()).map_err(bad);
        // As with memory: what a flag or a variable says is not asked of the file.
        let arithmetic = match (flags.arithmetic, &file.arithmetic) {
            (Some(arithmetic), _) => Some(arithmetic),
            (None, Some(name)) => {
                Some(name.parse().map_err(|e: BadArithmetic| bad(e.to_string()))?)
            }
            (None, None) => None,
        };
        if let Some(arithmetic) = arithmetic {
            arithmetic.force();
        }
        let memory = match flags.memory {
            Some(memory) => Some(memory),
            None => of_file()?.or_else(MemoryBudget::available),
        };
        Ok(Self {
            cache_dir: flags
                .cache_dir
                .clone()
                .or(file.cache_dir)
                .unwrap_or_else(|| ".bastion".into()),
            memory: memory.unwrap_or(MemoryBudget(8 << 30)),
            json: flags.json,
            node: NodeConfig {
                rollup: file.rollup,
                sequencer: file.sequencer,
                l1: file.l1,
                worker: file.worker,
                nats: file.nats,
                api: file.api,
                sentinel: file.sentinel,
            },
        })
    }
}

/// The memory that a file gives: a size with a unit, or bytes.
fn memory_of(value: Option<&toml::Value>) -> Result<Option<MemoryBudget>, String> {
    let bytes = |bytes: i64| u64::try_from(bytes).ok().filter(|bytes| *bytes > 0);
    match value {
        None => Ok(None),
        Some(toml::Value::String(text)) => {
            let parsed = MemoryBudget::parse(text).map_err(|e| e.to_string())?;
            Ok(Some(parsed))
        }
        Some(toml::Value::Integer(number)) if bytes(*number).is_some() => {
            Ok(bytes(*number).map(MemoryBudget))
        }
        Some(other) => Err(format!(
            "memory is {other}: give a size such as \"12GiB\", or a positive number of bytes"
        )),
    }
}

fn read(path: &Path) -> eyre::Result<String> {
    use eyre::WrapErr;
    std::fs::read_to_string(path)
        .wrap_err_with(|| {
            let path = path.display();
            format!("configuration file {path}: correct --config, or leave it out (bastion.toml is optional)")
        })
}

fn bad_file(path: &Path, why: impl ToString) -> CliError {
    CliError::BadFile { what: "configuration", path: path.into(), why: why.to_string() }
}

/// The shape that a flag names.
pub(crate) fn shape(name: &str) -> Result<Shape, String> {
    Shape::named(name).map_err(|e| e.to_string())
}

/// Variables that the program and its libraries read.
fn is_setting(name: &str) -> bool {
    const OTHERS: [&str; 4] = ["NO_COLOR", "RUST_LOG", "RAYON_NUM_THREADS", "TERM"];
    name.starts_with("BASTION_") || OTHERS.contains(&name)
}

/// Takes empty variables out of the environment: `BASTION_L1= bastion ...` unsets one, as people
/// expect. To be called while there is one thread.
pub(crate) fn forget_empty_variables() {
    for (name, value) in std::env::vars_os() {
        if value.is_empty() && name.to_str().is_some_and(is_setting) {
            std::env::remove_var(name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn unknown_keys_are_errors() {
        assert!(overlay("memory = \"1GiB\"\ncache-dir = \"x\"", &[]).is_ok());
        for text in ["memroy = \"1GiB\"", "[l1]\nurl = \"x\"", "[sequencers]\nbatch-seconds = 1"] {
            assert!(overlay(text, &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn flags_are_put_over_the_file() {
        let text = "[l1]\nurls = [\"http://a\"]\nfinality = 3\n";
        let set = ["l1.finality=finalized", "api.listen=0.0.0.0:80", "worker.slots=3"];
        let file = overlay(text, &set.map(String::from)).unwrap();
        assert_eq!(file.l1.urls, ["http://a"]);
        assert_eq!(file.l1.finality, L1Config::default().finality);
        assert_eq!(file.worker.slots, 3);
        assert_eq!(file.api.listen.port(), 80);
        for wrong in ["worker.slots", "slots=3", "worker.slot=3", "worker.slots=many"] {
            assert!(overlay(text, &[wrong.into()]).is_err(), "{wrong}");
        }
    }
}
