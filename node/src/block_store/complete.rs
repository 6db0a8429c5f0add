//! Whether a folder holds the blocks that its manifest names, no fewer and no more: a verdict over
//! some of them, or over none, would pass for one over all.

use std::collections::BTreeSet;

use bastion_protocol::blob::MAX_BLOBS;

use super::{blob_kind, BlockDir, Manifest};
use crate::error::NodeError;

impl BlockDir {
    /// Reads the manifest, and checks that the folder holds its blocks and no others.
    ///
    /// # Errors
    /// Those of [`BlockDir::manifest`], [`NodeError::BlockCount`] if blocks were added or the
    /// manifest names none, [`NodeError::Foreign`] for a file that is none of a block's. A file that
    /// is missing is found by [`BlockDir::read_block`].
    pub fn complete(&self) -> Result<Manifest, NodeError> {
        let manifest = self.manifest()?;
        let files = self.block_files()?;
        let held: BTreeSet<usize> = files.iter().map(|(number, _)| *number).collect();
        let beyond = held.iter().any(|number| *number >= manifest.blocks);
        if manifest.blocks == 0 || beyond {
            return Err(NodeError::BlockCount {
                path: self.path.join("manifest.json").display().to_string(),
                named: manifest.blocks,
                held: held.len(),
            });
        }
        let known = ["header.json", "data", "proof.json"].map(String::from);
        let blobs = (0..MAX_BLOBS).map(blob_kind);
        let proofs = (0..manifest.batches_per_block.min(super::MAX_BATCHES as usize))
            .map(|i| format!("batch-{i}.json"));
        let known: BTreeSet<String> = known.into_iter().chain(blobs).chain(proofs).collect();
        match files.iter().find(|(_, kind)| !known.contains(kind)) {
            None => Ok(manifest),
            Some((number, kind)) => {
                Err(NodeError::Foreign { path: self.file(*number, kind).display().to_string() })
            }
        }
    }

    /// Removes what is left of blocks that were never finished.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn clear(&self) -> Result<(), NodeError> {
        for (number, kind) in self.block_files()? {
            let path = self.file(number, &kind);
            std::fs::remove_file(&path).map_err(|e| self.io(&path, e))?;
        }
        Ok(())
    }

    /// The files that are named as those of blocks: `NNNN.kind`.
    fn block_files(&self) -> Result<Vec<(usize, String)>, NodeError> {
        let entries = std::fs::read_dir(&self.path).map_err(|e| self.io(&self.path, e))?;
        let mut files = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| self.io(&self.path, e))?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('.'));
            if let Some((number, kind)) = parts {
                let digits = number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit());
                if let (true, Ok(number)) = (digits, number.parse()) {
                    files.push((number, kind.to_owned()));
                }
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_store::FORMAT;
    use crate::devnet::dev_policy;
    use bastion_protocol::Address;
    use bastion_prover::ErrorClass;

    fn folder(blocks: usize, files: &[&str]) -> (tempfile::TempDir, BlockDir) {
        let dir = tempfile::tempdir().unwrap();
        let folder = BlockDir::new(dir.path());
        let manifest = Manifest {
            format: FORMAT,
            shape: "tiny".into(),
            batches_per_block: 2,
            batch_circuit_id: bastion_protocol::CircuitId::new([0; 32]),
            block_circuit_id: bastion_protocol::CircuitId::new([0; 32]),
            srs: String::new(),
            unsafe_dev_srs: true,
            chain_id: 1,
            contract: Address([0; 20]),
            policy: dev_policy(),
            tokens: Vec::new(),
            blocks,
        };
        folder.write_manifest(&manifest).unwrap();
        for name in files {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        (dir, folder)
    }

    const BLOCK: [&str; 4] =
        ["0000.header.json", "0000.data", "0000.batch-1.json", "0000.proof.json"];

    #[test]
    fn a_manifest_of_other_blocks_than_the_folder_holds_is_refused() {
        for (blocks, files) in [
            (0, &[][..]),
            (0, &BLOCK[..]),
            (1, &["0000.data", "0001.data"][..]),
            (1, &["0012.proof.json"][..]),
        ] {
            let (_dir, folder) = folder(blocks, files);
            let error = folder.complete().unwrap_err();
            assert!(matches!(error, NodeError::BlockCount { .. }), "{error}");
            assert_eq!(error.class(), ErrorClass::Invalid);
        }
    }

    #[test]
    fn a_file_that_no_block_has_is_refused_and_others_are_nobodys_business() {
        for name in [
            "0000.batch-2.json",
            "0000.batch-00.json",
            "0000.header",
            "0000.data.bak",
            "0000.blob",
            "0000.blob-6",
        ] {
            let (_dir, folder) = folder(1, &[&BLOCK[..], &[name]].concat());
            let error = folder.complete().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.class(), ErrorClass::Invalid);
        }
        let (dir, folder) = folder(1, &[&BLOCK[..], &["notes.txt", ".proving", "12.x"]].concat());
        assert_eq!(folder.complete().unwrap().blocks, 1);
        folder.clear().unwrap();
        // The manifest, and what is no block's.
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4);
    }

    #[test]
    fn the_format_is_read_before_anything_else() {
        let (dir, folder) = folder(1, &BLOCK);
        let path = dir.path().join("manifest.json");
        for (text, class) in [
            (r#"{"format": 2, "unheard-of": {}}"#, ErrorClass::Mismatch),
            (r#"{"format": 1, "unheard-of": {}}"#, ErrorClass::Invalid),
            (r#"{"shape": "tiny"}"#, ErrorClass::Invalid),
            ("", ErrorClass::Invalid),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(folder.manifest().unwrap_err().class(), class, "{text}");
        }
    }
}
