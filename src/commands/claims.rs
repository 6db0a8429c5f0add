//! What an operator claimed with its blocks, against the log of findings that it shows.

use std::path::Path;

use bastion_audit::History;
use bastion_node::sentinel::Rollup;
use bastion_node::NodeError;
use bastion_protocol::data::read_batches;
use bastion_protocol::Memo;
use bastion_sentinel::findings::{extend, read};
use bastion_sentinel::rewards::audit::{reckon, records, Posted};
use bastion_sentinel::rewards::Reckoning;
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
    /// What came in, what was owed and what was paid to watchers; null if no log was given.
    pub(crate) rewards: Option<Reckoning>,
}

impl Claims {
    /// Reads the claims of a history, and compares them with a log, if there is one.
    ///
    /// # Errors
    /// If the log cannot be read, or is no chain.
    pub(crate) fn check(history: &History, log: Option<&Path>) -> eyre::Result<Self> {
        let memos = history.blocks.iter().zip(1_u64..);
        let memos: Vec<_> = memos.filter_map(|(b, number)| Some((number, b.memo?))).collect();
        let of = Rollup { chain_id: history.chain_id, contract: history.contract };
        let mut claims = Self::compare(&memos, of, log)?;
        if let Some(path) = log {
            let records = records(path, of.genesis()).map_err(NodeError::from)?;
            claims.rewards = Some(reckon(&records, &posted(history), history.domain()));
        }
        Ok(claims)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.broken.is_none() && self.rewards.as_ref().is_none_or(|r| r.wrong.is_empty())
    }

    /// Compares the memos of blocks with a log.
    fn compare(memos: &[(u64, Memo)], of: Rollup, log: Option<&Path>) -> eyre::Result<Self> {
        let mut claims = Self {
            blocks: memos.len() as u64,
            entries: memos.last().map_or(0, |(_, memo)| memo.count),
            ..Self::default()
        };
        let Some(path) = log else {
            return Ok(claims);
        };
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
        for (number, memo) in memos {
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
        let mut text = match self.blocks {
            0 => String::new(),
            _ => self.claimed(),
        };
        let rewards = self.rewards.as_ref().filter(|r| r.account.is_some() || !r.wrong.is_empty());
        if let Some(r) = rewards {
            text += &format!(
                "rewards    {} payments owed: {} made, {} not yet due; {} transfers came in\n",
                r.owed, r.made, r.waiting, r.received
            );
            for wrong in &r.wrong {
                text += &format!("FINDING    rewards: {wrong}\n");
            }
        }
        text
    }

    fn claimed(&self) -> String {
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

/// The data of final blocks, from the first on. One that cannot be read is a finding of the audit.
fn posted(history: &History) -> Vec<Posted> {
    let last = history.blocks.iter().take_while(|block| block.finalized.is_some());
    let read = last.zip(1_u64..).map_while(|(block, number)| {
        let batches = read_batches(&block.data, block.header.batches).ok()?;
        Some(Posted { number, time: block.header.time, batches })
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bastion_protocol::Address;
    use bastion_sentinel::findings::{Finding, FindingsLog};

    use super::*;

    const OF: Rollup = Rollup { chain_id: 31_337, contract: Address([7; 20]) };

    /// A log of three notes, and the memos that were true when each was written.
    fn log(dir: &Path, words: &str) -> (std::path::PathBuf, Vec<(u64, Memo)>) {
        let path = dir.join(words);
        let (mut log, _) = FindingsLog::open(&path, OF.genesis()).unwrap();
        let mut memos = Vec::new();
        for block in 1..=3 {
            let (subject, text) = ("test".into(), format!("{words} {block}"));
            let head = log.append(block, Finding::Note { subject, text }).unwrap();
            memos.push((block, Memo { findings: head.0, count: block, indicators: [0; 32] }));
        }
        log.sync().unwrap();
        (path, memos)
    }

    #[test]
    fn a_log_fits_its_own_claims_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let (path, memos) = log(dir.path(), "true");
        let claims = Claims::compare(&memos, OF, Some(&path)).unwrap();
        assert_eq!((claims.fit, claims.broken), (Some(3), None));
        let none = Claims::compare(&memos, OF, None).unwrap();
        assert_eq!((none.blocks, none.entries, none.fit), (3, 3, None));

        let (other, _) = log(dir.path(), "false");
        let claims = Claims::compare(&memos, OF, Some(&other)).unwrap();
        assert_eq!(claims.fit, Some(0));
        assert!(claims.broken.unwrap().contains("another head"));

        let mut more = memos.clone();
        more[2].1.count = 4;
        let claims = Claims::compare(&more, OF, Some(&path)).unwrap();
        assert!(claims.broken.unwrap().contains("claims 4 entries, and the log has 3"));

        // A log of another rollup has another beginning.
        let elsewhere = Rollup { chain_id: 1, ..OF };
        assert!(Claims::compare(&memos, elsewhere, Some(&path)).is_err());
    }
}
