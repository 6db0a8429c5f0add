//! Copies of a node's data folder, and whether what is in it fits together. The node must be stopped: each
//! database is opened, so that no other process has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bastion_prover::artifact::{write_bytes_atomic, Digest};
use bastion_prover::progress::Progress;
use serde::{Deserialize, Serialize};

use super::manifest::Rollup;
use crate::coordinator::blocks::{BatchInfo, BlockInfo};
use crate::coordinator::verifiers::Verifiers;
use crate::coordinator::Coordinator;
use crate::error::NodeError;
use crate::jobs::Artifacts;
use crate::sequencer::Log;

/// Version of the format.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
/// Folders of a data folder that are copied.
const FOLDERS: [&str; 10] = [
    "sequencer",
    "jobs",
    "blocks",
    "artifacts",
    "proofs",
    "blobs",
    "intake",
    "transactions",
    "bundles",
    "sentinel",
];
/// Files that RocksDB makes anew, and that change while nothing is written.
const SKIPPED: [&str; 2] = ["LOCK", "LOG"];

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Version of the format.
    pub format: u32,
    /// Digest of each file, by its path in the folder.
    pub files: BTreeMap<String, Digest>,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Copies a data folder to a folder that is not there yet.
///
/// # Errors
/// [`NodeError::InTheWay`] if the target is there, [`NodeError::NoData`] if there is nothing to copy,
/// [`NodeError::Log`] if a node runs, or if a file
/// cannot be copied: then nothing counts as a backup, because its manifest is written last.
pub fn backup(
    data: &Path,
    target: &Path,
    rollup: &Rollup,
    progress: &Progress,
) -> Result<Backup, NodeError> {
    if target.exists() {
        return Err(NodeError::InTheWay { path: target.display().to_string() });
    }
    must_be_data(data)?;
    // Opening it writes what is in memory only, and fails if a node has it.
    let log = Log::open(&data.join("sequencer/log"), rollup.chain_id, rollup.contract)?;
    drop(log);
    let files = list(data)?;
    let stage = progress.stage("backup", target.display().to_string(), files.len() as u64);
    let mut made = Backup { format: FORMAT, files: BTreeMap::new(), bytes: 0 };
    for name in files {
        let bytes = read(&data.join(&name))?;
        write_bytes_atomic(&target.join(&name), &bytes)?;
        made.bytes += bytes.len() as u64;
        made.files.insert(name, Digest::of(&bytes));
        stage.advance();
    }
    let json = serde_json::to_vec_pretty(&made).map_err(|e| malformed(target, e))?;
    write_bytes_atomic(&target.join(MANIFEST), &json)?;
    Ok(made)
}

/// Makes a data folder of a backup, after checking every file of it. Unless `complete`, receipts may have been given
/// after the backup, and the log is marked: nothing is signed before a new epoch ([`Log::mark_restored`]).
///
/// # Errors
/// [`NodeError::InTheWay`] if there is a data folder, [`NodeError::NoBackup`], [`NodeError::Malformed`] if the backup is not
/// whole.
pub fn restore(
    source: &Path,
    data: &Path,
    complete: bool,
    progress: &Progress,
) -> Result<Backup, NodeError> {
    if data.exists() {
        return Err(NodeError::InTheWay { path: data.display().to_string() });
    }
    let path = source.join(MANIFEST);
    if !path.exists() {
        return Err(NodeError::NoBackup { path: source.display().to_string() });
    }
    let made: Backup = serde_json::from_slice(&read(&path)?).map_err(|e| malformed(&path, e))?;
    if made.format != FORMAT {
        return Err(NodeError::Mismatch {
            what: "format of the backup",
            found: made.format.to_string(),
            expected: FORMAT.to_string(),
        });
    }
    let stage = progress.stage("restore", data.display().to_string(), made.files.len() as u64);
    // Into a folder beside it first: half a data folder would be taken for a whole one.
    let mut half = data.as_os_str().to_owned();
    half.push(".restoring");
    let half = PathBuf::from(half);
    // What an earlier attempt left there is none of this backup's.
    match fs::remove_dir_all(&half) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(NodeError::Io { path: half.display().to_string(), source });
        }
        _ => {}
    }
    for (name, digest) in &made.files {
        let path = source.join(name);
        if name.split('/').any(|part| part == "..") || name.starts_with('/') {
            return Err(malformed(&path, "it leads out of the folder"));
        }
        let bytes = read(&path)?;
        if Digest::of(&bytes) != *digest {
            return Err(malformed(&path, "it is not what was copied"));
        }
        write_bytes_atomic(&half.join(name), &bytes)?;
        stage.advance();
    }
    if !complete {
        Log::mark_restored(&half.join("sequencer/log"))?;
    }
    let io = |source| NodeError::Io { path: data.display().to_string(), source };
    fs::rename(&half, data).map_err(io)?;
    Ok(made)
}

/// What was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Entries of the log, all of which can be read.
    pub entries: u64,
    /// Batches of the log.
    pub batches: u64,
    /// Sealed blocks, each of which continues the one before.
    pub blocks: u64,
    /// Artifacts of blocks that are not final, all of which are whole.
    pub artifacts: u64,
    /// Blobs that were posted, all of which are whole.
    pub blobs: u64,
    /// What does not fit.
    pub faults: Vec<String>,
}

/// Checks that log, batches, blocks and artifacts of a data folder are whole and fit together.
///
/// # Errors
/// If a database cannot be opened; what is wrong within is told as a fault.
pub fn check(data: &Path, rollup: &Rollup, verifiers: Verifiers) -> Result<Checked, NodeError> {
    let mut checked = Checked::default();
    must_be_data(data)?;
    let log = Log::open(&data.join("sequencer/log"), rollup.chain_id, rollup.contract)?;
    for entry in log.entries(0)? {
        match entry {
            Ok(_) => checked.entries += 1,
            Err(error) => checked.faults.push(error.to_string()),
        }
    }
    let (base, rows) = (log.base()?, log.batches(0)?);
    let entries = log.next().saturating_sub(base.first_entry());
    if checked.entries != entries && checked.faults.is_empty() {
        checked.faults.push(format!("the log has {} entries of {entries}", checked.entries));
    }
    checked.batches = rows.len() as u64;
    let clock: crate::coordinator::Clock = std::sync::Arc::new(super::run::wall_clock);
    let coordinator = Coordinator::open(data, verifiers, clock)?;
    let artifacts = Artifacts::new(data.join("artifacts"));
    let mut root = None;
    for number in 1..=coordinator.last_block()? {
        let Some(block) = coordinator.block(number)? else {
            checked.faults.push(format!("block {number} is missing"));
            continue;
        };
        checked.blocks += 1;
        if root.is_some_and(|root| root != block.header.old_root) {
            checked.faults.push(format!("block {number} does not continue the one before"));
        }
        root = Some(block.header.new_root);
        // What a node was rebuilt from has no batches here.
        if number <= base.block {
            continue;
        }
        checked.batches_of(&coordinator, number, &block, &rows)?;
        if block.final_at.is_none() {
            for digest in block.inputs.iter().chain([&block.data]) {
                match artifacts.get(digest) {
                    Ok(_) => checked.artifacts += 1,
                    Err(error) => checked.faults.push(format!("block {number}: {error}")),
                }
            }
        }
    }
    for hash in coordinator.blobs().all()? {
        match coordinator.blobs().get(&hash) {
            Ok(_) => checked.blobs += 1,
            Err(error) => checked.faults.push(error.to_string()),
        }
    }
    Ok(checked)
}

impl Checked {
    /// Compares the batches of a block with the log.
    fn batches_of(
        &mut self,
        coordinator: &Coordinator,
        number: u64,
        block: &BlockInfo,
        rows: &[(u64, crate::sequencer::BatchRow)],
    ) -> Result<(), NodeError> {
        let mut root = block.header.old_root;
        for batch in block.first_batch..block.first_batch + u64::from(block.header.batches) {
            let Some(info) = coordinator.batch(batch)? else {
                self.faults.push(format!("batch {batch} of block {number} is missing"));
                continue;
            };
            let row = rows.iter().find(|(n, _)| *n == batch).map(|(_, row)| row);
            let same = |info: &BatchInfo| {
                row.is_some_and(|row| {
                    row.block == number
                        && row.first == info.first
                        && row.sealed == Some(info.operations)
                })
            };
            if !same(&info) || info.old_root != root {
                self.faults.push(format!("batch {batch} of block {number} is not that of the log"));
            }
            root = info.new_root;
        }
        if root != block.header.new_root {
            self.faults.push(format!("the batches of block {number} do not make its root"));
        }
        Ok(())
    }
}

/// To open a database makes it: whoever names a wrong folder must not get an empty one that is well.
fn must_be_data(data: &Path) -> Result<(), NodeError> {
    match data.join("sequencer/log").is_dir() {
        true => Ok(()),
        false => Err(NodeError::NoData { path: data.display().to_string() }),
    }
}

/// The files of a data folder, by their paths in it.
fn list(data: &Path) -> Result<Vec<String>, NodeError> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|name| data.join(name)).collect();
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => {
                return Err(NodeError::Io { path: folder.display().to_string(), source })
            }
        };
        for entry in entries {
            let io = |source| NodeError::Io { path: folder.display().to_string(), source };
            let path = entry.map_err(io)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if !SKIPPED.iter().any(|skipped| name.starts_with(skipped)) {
                let inside = path.strip_prefix(data).unwrap_or(&path);
                files.push(inside.display().to_string());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, NodeError> {
    fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => NodeError::Missing { path: path.display().to_string() },
        _ => NodeError::Io { path: path.display().to_string(), source },
    })
}

fn malformed(path: &Path, why: impl ToString) -> NodeError {
    NodeError::Malformed { path: path.display().to_string(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    use alloy_primitives::B256;
    use bastion_circuits::Shape;
    use bastion_protocol::ops::{Deposit, Op};
    use bastion_protocol::{Address, CircuitId};

    use crate::devnet::{dev_exit, dev_key, dev_policy};
    use crate::sequencer::{Packing, ReceiptSigner, Restored, Sequencer};
    use crate::service::manifest::FORMAT;

    fn rollup() -> Rollup {
        Rollup {
            format: FORMAT,
            chain_id: 31_337,
            contract: Address([7; 20]),
            governance: Address([8; 20]),
            first_block: 1,
            shape: "tiny".into(),
            batch_circuit: CircuitId::new([1; 32]),
            blocks: Vec::new(),
            unsafe_dev_srs: true,
            policy: dev_policy(),
            slashing: None,
        }
    }

    fn verifiers() -> Verifiers {
        Verifiers::without_keys(rollup().batch_circuit, [(2, CircuitId::new([2; 32]))].into())
    }

    /// A data folder with a sealed block.
    fn data(dir: &Path) -> PathBuf {
        let data = dir.join("da.ta");
        let rollup = rollup();
        let signer =
            ReceiptSigner::new(&B256::repeat_byte(1), rollup.chain_id, rollup.contract).unwrap();
        let packing = Packing {
            shape: Shape::tiny(),
            mode: bastion_protocol::data::DataMode::Blob,
            sizes: vec![2],
            batch_seconds: 10,
            block_seconds: 60,
        };
        let clock: crate::coordinator::Clock = std::sync::Arc::new(|| 1_800_000_000);
        let coordinator = Coordinator::open(&data, verifiers(), clock).unwrap();
        let (mut sequencer, mut sealer) =
            Sequencer::open(&data.join("sequencer"), signer, packing, dev_policy()).unwrap();
        let deposit = Op::Deposit(Deposit {
            token: 0,
            amount: 1_000,
            keyhash: dev_key("a").public().keyhash(),
            exit: dev_exit("a"),
        });
        sequencer.take_from_queue(0, &[deposit], 1_800_000_000).unwrap();
        sequencer.close(true).unwrap();
        for closed in sequencer.take_closed() {
            sealer.seal(closed, |sealed| coordinator.keep(sealed)).unwrap();
        }
        data
    }

    fn class(error: NodeError) -> bastion_prover::ErrorClass {
        error.class()
    }

    #[test]
    fn a_backup_gives_the_same_folder_again() {
        let dir = tempfile::tempdir().unwrap();
        let (data, target) = (data(dir.path()), dir.path().join("backup"));
        let silent = Progress::silent();
        let before = check(&data, &rollup(), verifiers()).unwrap();
        assert_eq!((before.entries, before.batches, before.blocks), (1, 2, 1));
        assert!(before.artifacts > 0 && before.faults.is_empty(), "{before:?}");
        let made = backup(&data, &target, &rollup(), &silent).unwrap();
        assert!(matches!(
            backup(&data, &target, &rollup(), &silent),
            Err(NodeError::InTheWay { .. })
        ));
        assert!(matches!(restore(&target, &data, false, &silent), Err(NodeError::InTheWay { .. })));

        fs::rename(&data, dir.path().join("lost")).unwrap();
        // What an attempt that failed has left is no part of the next.
        let half = dir.path().join("da.ta.restoring");
        fs::create_dir_all(half.join("artifacts")).unwrap();
        fs::write(half.join("artifacts/stale"), "stale").unwrap();
        assert_eq!(restore(&target, &data, false, &silent).unwrap(), made);
        assert!(!data.join("artifacts/stale").exists() && !half.exists());
        assert_eq!(check(&data, &rollup(), verifiers()).unwrap(), before);
        // Receipts may have been given after it, unless the operator says that none were.
        let mark = |data: &Path| {
            let log = Log::open(&data.join("sequencer/log"), 31_337, Address([7; 20])).unwrap();
            log.restored().unwrap()
        };
        let Some(Restored { from: 1.., since: None }) = mark(&data) else {
            panic!("{:?}", mark(&data));
        };
        let moved = dir.path().join("moved");
        restore(&target, &moved, true, &silent).unwrap();
        assert_eq!(mark(&moved), None);
    }

    #[test]
    fn what_is_no_backup_or_no_data_folder_is_refused_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let silent = Progress::silent();
        let typo = dir.path().join("typo");
        let error = check(&typo, &rollup(), verifiers()).unwrap_err();
        assert_eq!(class(error), bastion_prover::ErrorClass::Missing);
        let target = dir.path().join("backup");
        assert!(matches!(
            backup(&typo, &target, &rollup(), &silent),
            Err(NodeError::NoData { .. })
        ));
        assert!(!typo.exists() && !target.exists());
        assert!(matches!(
            restore(dir.path(), &typo, false, &silent),
            Err(NodeError::NoBackup { .. })
        ));

        let data = data(dir.path());
        let made = backup(&data, &target, &rollup(), &silent).unwrap();
        // A file that changed, one that is missing, one that leads elsewhere.
        let (name, _) = made.files.iter().next().unwrap();
        let bytes = fs::read(target.join(name)).unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(target.join(name), [&bytes[..], b"x"].concat()).unwrap();
        assert!(matches!(
            restore(&target, &elsewhere, false, &silent),
            Err(NodeError::Malformed { .. })
        ));
        fs::remove_file(target.join(name)).unwrap();
        assert!(matches!(
            restore(&target, &elsewhere, false, &silent),
            Err(NodeError::Missing { .. })
        ));
        fs::write(target.join(name), bytes).unwrap();
        let mut outside = made.clone();
        outside.files.insert("../outside".into(), Digest::of(b""));
        fs::write(target.join(MANIFEST), serde_json::to_vec(&outside).unwrap()).unwrap();
        assert!(matches!(
            restore(&target, &elsewhere, false, &silent),
            Err(NodeError::Malformed { .. })
        ));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn a_check_finds_what_does_not_fit() {
        let dir = tempfile::tempdir().unwrap();
        let data = data(dir.path());
        let clock: crate::coordinator::Clock = std::sync::Arc::new(|| 1_800_000_000);
        let coordinator = Coordinator::open(&data, verifiers(), clock).unwrap();
        let block = coordinator.block(1).unwrap().unwrap();
        drop(coordinator);
        let text = block.data.to_string();
        let file = data.join("artifacts").join(&text[..2]).join(&text);
        let mut bytes = fs::read(&file).unwrap();
        bytes[0] ^= 1;
        fs::write(&file, bytes).unwrap();
        let found = check(&data, &rollup(), verifiers()).unwrap();
        assert_eq!(found.faults.len(), 1, "{found:?}");
        assert!(found.faults[0].contains("block 1"), "{found:?}");
        let mut other = rollup();
        other.chain_id += 1;
        assert!(check(&data, &other, verifiers()).is_err());
    }
}
