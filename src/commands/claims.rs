//! What an operator claimed with its blocks, against the log of findings that it shows.

use std::path::Path;

use bastion_audit::History;
use bastion_node::sentinel::Rollup;
use bastion_node::NodeError;
use bastion_sentinel::findings::{extend, read};
use serde::Serialize;

/// Claims that were posted, and whether a log of findings fits them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Claims {
    /// Blocks that have a memo.
    pub(crate) blocks: u64,
    /// Entries that the last of them claims.
    pub(crate) entries: u64,
    /// Blocks whose head is that of the log; null if no log was given.
    pub(crate) fit: Option<u64>,
    /// The first claim that the log does not fit.
    pub(crate) broken: Option<String>,
}

impl Claims {
    /// Reads the claims of a history, and compares them with a log, if there is one.
    ///
    /// # Errors
    /// If the log cannot be read, or is no chain.
    pub(crate) fn check(history: &History, log: Option<&Path>) -> eyre::Result<Self> {
        let memos = history.blocks.iter().zip(1_u64..);
        let memos: Vec<_> = memos.filter_map(|(b, number)| Some((number, b.memo?))).collect();
        let mut claims = Self {
            blocks: memos.len() as u64,
            entries: memos.last().map_or(0, |(_, memo)| memo.count),
            ..Self::default()
        };
        let Some(path) = log else {
            return Ok(claims);
        };
        let of = Rollup { chain_id: history.chain_id, contract: history.contract };
        let mut heads = vec![of.genesis()];
        let mut failed = None;
        read(path, of.genesis(), |entry| match (entry.to_bytes(), heads.last()) {
            (Ok(bytes), Some(last)) => heads.push(extend(*last, &bytes)),
            (Ok(_), None) => {}
            (Err(error), _) => failed = Some(error),
        })
        .map_err(NodeError::from)?;
        if let Some(error) = failed {
            return Err(NodeError::from(error).into());
        }
        let mut fit = 0;
        for (number, memo) in &memos {
            let place = usize::try_from(memo.count).ok();
            match place.and_then(|place| heads.get(place)) {
                Some(head) if head.0 == memo.findings => fit += 1,
                Some(_) => {
                    claims.broken.get_or_insert(format!(
                        "block {number} claims another head of its first {} entries than the log has",
                        memo.count
                    ));
                }
                None => {
                    claims.broken.get_or_insert(format!(
                        "block {number} claims {} entries, and the log has {}",
                        memo.count,
                        heads.len() - 1
                    ));
                }
            }
        }
        claims.fit = Some(fit);
        Ok(claims)
    }

    /// As text; nothing if nothing was claimed.
    pub(crate) fn text(&self) -> String {
        if self.blocks == 0 {
            return String::new();
        }
        let compared = match self.fit {
            None => "not compared (--findings)".into(),
            Some(fit) => format!("the log fits {fit} of them"),
        };
        let mut text = format!(
            "findings   {} blocks claim up to {} entries; {compared}\n",
            self.blocks, self.entries
        );
        if let Some(broken) = &self.broken {
            text += &format!("FINDING    the log of findings: {broken}\n");
        }
        text
    }
}
