//! What an operator claimed with its blocks, against the log of findings that it shows.

use std::path::Path;

use bastion_audit::History;
use bastion_node::sentinel::Rollup;
use bastion_node::NodeError;
use bastion_protocol::Memo;
use bastion_sentinel::findings::{extend, read, Hash};
use bastion_sentinel::rewards::audit::{reckon, records, Logged, Posted};
use bastion_sentinel::rewards::Reckoning;
use serde::Serialize;

/// How far the clock of a node may be from that of L1, in seconds.
const TOLERANCE: u64 = 900;

/// Claims that were posted, and whether a log of findings fits them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Claims {
    /// Commits that have a memo, those that were taken back included.
    pub(crate) blocks: u64,
    /// Blocks that have none.
    pub(crate) silent: u64,
    /// Entries that the last of them claims.
    pub(crate) entries: u64,
    /// Claims whose head is that of the log; null if no log was given.
    pub(crate) fit: Option<u64>,
    /// Entries of the log that no block claims yet.
    pub(crate) unclaimed: Option<u64>,
    /// The first claim that the log does not fit.
    pub(crate) broken: Option<String>,
    /// What came in, what was owed and what was paid to watchers; null if no log was given.
    pub(crate) rewards: Option<Reckoning>,
}

/// A memo, and when it was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    block: u64,
    time: u64,
    memo: Memo,
}

impl Claims {
    /// Reads the claims of a history, and compares them with a log, if there is one.
    ///
    /// # Errors
    /// If the log cannot be read, or is no chain.
    pub(crate) fn check(history: &History, log: Option<&Path>) -> eyre::Result<Self> {
        let blocks = (1_u64..).zip(&history.blocks);
        let memos = blocks
            .filter_map(|(block, b)| Some(Claim { block, time: b.committed_at, memo: b.memo? }));
        let old = history.old_memos.iter();
        let old = old.map(|o| Claim { block: o.block, time: o.committed_at, memo: o.memo });
        let mut memos: Vec<Claim> = old.chain(memos).collect();
        memos.sort_by_key(|claim| claim.time);
        let of = Rollup { chain_id: history.chain_id, contract: history.contract };
        let silent = history.blocks.iter().filter(|block| block.memo.is_none()).count();
        let mut claims = Self { silent: silent as u64, ..Self::compare(&memos, of, log)? };
        if let Some(path) = log {
            let records = records(path, of.genesis()).map_err(NodeError::from)?;
            let mut reckoning = reckon(&records, &posted(history), history.domain());
            let mut commits: Vec<u64> = history.blocks.iter().map(|b| b.committed_at).collect();
            commits.extend(history.old_memos.iter().map(|old| old.committed_at));
            commits.sort_unstable();
            reckoning.wrong.extend(held_back(&records, &memos, &commits));
            claims.rewards = Some(reckoning);
        }
        Ok(claims)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.broken.is_none() && self.rewards.as_ref().is_none_or(|r| r.wrong.is_empty())
    }

    /// Compares claims, in the order of their commits, with a log.
    fn compare(memos: &[Claim], of: Rollup, log: Option<&Path>) -> eyre::Result<Self> {
        let mut claims = Self {
            blocks: memos.len() as u64,
            entries: memos.last().map_or(0, |claim| claim.memo.count),
            ..Self::default()
        };
        let Some(path) = log else {
            return Ok(claims);
        };
        let (mut heads, mut times) = (vec![of.genesis()], Vec::new());
        let mut failed = None;
        read(path, of.genesis(), |entry| match (entry.to_bytes(), heads.last()) {
            (Ok(bytes), Some(last)) => {
                heads.push(extend(*last, &bytes));
                times.push(entry.at_ms / 1_000);
            }
            (Ok(_), None) => {}
            (Err(error), _) => failed = Some(error),
        })
        .map_err(NodeError::from)?;
        if let Some(error) = failed {
            return Err(NodeError::from(error).into());
        }
        if memos.is_empty() {
            claims.broken = Some("no block claims anything: the log may be written today".into());
        }
        let (mut fit, mut reached) = (0, 0);
        for (place, claim) in memos.iter().enumerate() {
            match claim.compare(&heads) {
                Ok(()) => fit += 1,
                Err(why) => {
                    claims.broken.get_or_insert(why);
                }
            }
            // A memo is made when the commit before it is on L1. So what it claims for the first time came
            // after the commit before that, and before its own.
            let from = place.checked_sub(2).map_or(0, |before| memos[before].time);
            let count = usize::try_from(claim.memo.count).unwrap_or(usize::MAX);
            for (entry, time) in times.iter().enumerate().take(count).skip(reached) {
                if *time + TOLERANCE < from || *time > claim.time + TOLERANCE {
                    claims.broken.get_or_insert(format!(
                        "entry {entry} says that it is of {time}, but block {} at {} is the first that \
                         claims it",
                        claim.block, claim.time
                    ));
                }
            }
            reached = reached.max(count);
        }
        claims.fit = Some(fit);
        claims.unclaimed = Some(times.len().saturating_sub(reached) as u64);
        Ok(claims)
    }

    /// As text; nothing if nothing was claimed, and no log is shown.
    pub(crate) fn text(&self) -> String {
        let mut text = match self.blocks == 0 && self.broken.is_none() {
            true => String::new(),
            false => self.claimed(),
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
            "findings   {} commits claim up to {} entries, {} blocks claim none; {compared}\n",
            self.blocks, self.entries, self.silent
        );
        if let Some(more @ 1..) = self.unclaimed {
            text +=
                &format!("notice     {more} entries at the end of the log are not claimed yet\n");
        }
        if let Some(broken) = &self.broken {
            text += &format!("FINDING    the log of findings: {broken}\n");
        }
        text
    }
}

impl Claim {
    /// Whether a log with these heads fits it.
    fn compare(&self, heads: &[Hash]) -> Result<(), String> {
        let Self { block, memo, .. } = self;
        let place = usize::try_from(memo.count).ok();
        match place.and_then(|place| heads.get(place)) {
            Some(head) if head.0 == memo.findings => Ok(()),
            Some(_) => Err(format!(
                "block {block} claims another head of its first {} entries than the log has",
                memo.count
            )),
            None => Err(format!(
                "block {block} claims {} entries, and the log has {}",
                memo.count,
                heads.len() - 1
            )),
        }
    }
}

/// Says whether entries about rewards were claimed as early as they could be. What nobody has claimed may still be
/// written anew, whatever earlier blocks claim.
///
/// A memo is made when the commit before it is on L1. So the second commit after an entry was written claims it.
/// `commits` are the times of all commits, in order.
fn held_back(records: &[Logged], memos: &[Claim], commits: &[u64]) -> Option<String> {
    let claimed_by = |entry: u64, time: u64| {
        memos.iter().any(|claim| claim.time <= time && entry < claim.memo.count)
    };
    let mut late = records.iter().filter_map(|logged| {
        let after = commits.partition_point(|time| *time <= logged.written + TOLERANCE);
        let second = *commits.get(after + 1)?;
        (!claimed_by(logged.entry, second)).then_some((logged, second))
    });
    let (first, second) = late.next()?;
    Some(format!(
        "entry {} is of {}, and the commit at {second} claims none so late, nor does one before it; {} more entries \
         about rewards were held back like this: until it was claimed, the operator could write it anew",
        first.entry,
        first.written,
        late.count()
    ))
}

/// The data of final blocks, from the first on. One that cannot be read is a finding of the audit.
fn posted(history: &History) -> Vec<Posted> {
    let last = history.blocks.iter().take_while(|block| block.finalized.is_some());
    let read = last.zip(1_u64..).map_while(|(block, number)| {
        let batches = block.read(history.domain()).ok()?.batches;
        Some(Posted { number, time: block.header.time, batches })
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bastion_protocol::Address;
    use bastion_sentinel::findings::{Finding, FindingsLog};
    use bastion_sentinel::rewards::{Call, Record};

    use super::*;

    const OF: Rollup = Rollup { chain_id: 31_337, contract: Address([7; 20]) };

    /// A log of three notes, and the memos that were true when each was written.
    fn log(dir: &Path, words: &str) -> (std::path::PathBuf, Vec<Claim>) {
        let path = dir.join(words);
        let (mut log, _) = FindingsLog::open(&path, OF.genesis()).unwrap();
        let mut memos = Vec::new();
        for block in 1..=3 {
            let (subject, text) = ("test".into(), format!("{words} {block}"));
            let time = block * 10_000;
            let head = log.append(time * 1_000, Finding::Note { subject, text }).unwrap();
            let memo = Memo { findings: head.0, count: block, indicators: [0; 32] };
            memos.push(Claim { block, time, memo });
        }
        log.sync().unwrap();
        (path, memos)
    }

    #[test]
    fn a_log_fits_its_own_claims_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let (path, memos) = log(dir.path(), "true");
        let claims = Claims::compare(&memos, OF, Some(&path)).unwrap();
        assert_eq!((claims.fit, claims.unclaimed, claims.broken), (Some(3), Some(0), None));
        let none = Claims::compare(&memos, OF, None).unwrap();
        assert_eq!((none.blocks, none.entries, none.fit), (3, 3, None));

        let (other, _) = log(dir.path(), "false");
        let claims = Claims::compare(&memos, OF, Some(&other)).unwrap();
        assert_eq!(claims.fit, Some(0));
        assert!(claims.broken.unwrap().contains("another head"));

        let mut more = memos.clone();
        more[2].memo.count = 4;
        let claims = Claims::compare(&more, OF, Some(&path)).unwrap();
        assert!(claims.broken.unwrap().contains("claims 4 entries, and the log has 3"));

        // A log of another rollup has another beginning.
        let elsewhere = Rollup { chain_id: 1, ..OF };
        assert!(Claims::compare(&memos, elsewhere, Some(&path)).is_err());
    }
    #[test]
    fn a_log_that_nobody_claimed_proves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, memos) = log(dir.path(), "true");
        let claims = Claims::compare(&[], OF, Some(&path)).unwrap();
        assert!(claims.broken.as_ref().unwrap().contains("no block claims"));
        assert!(claims.text().contains("FINDING"));
        assert!(Claims::compare(&[], OF, None).unwrap().text().is_empty());
        let claims = Claims::compare(&memos[..1], OF, Some(&path)).unwrap();
        assert_eq!((claims.unclaimed, &claims.broken), (Some(2), &None));
        assert!(claims.text().contains("2 entries at the end"));
    }

    #[test]
    fn an_entry_about_rewards_is_claimed_by_the_second_commit_after_it() {
        let call = Call::Fund { amount: 1 };
        let logged = |entry, written| Logged {
            entry,
            written,
            record: Record { at: written, call, pays: Vec::new() },
        };
        let records = [logged(0, 10_000), logged(1, 20_000)];
        let claim = |block, time, count| Claim {
            block,
            time,
            memo: Memo { findings: [0; 32], count, indicators: [0; 32] },
        };
        let commits = [5_000, 11_000, 21_000, 31_000];
        let good = [claim(3, 21_000, 1), claim(4, 31_000, 2)];
        assert_eq!(held_back(&records, &good, &commits), None);
        // Blocks without a memo after the first one that has one.
        let silent = held_back(&records, &good[..1], &[5_000, 11_000, 21_000, 31_000, 41_000]);
        assert!(
            silent.as_ref().is_some_and(|why| why.contains("entry 1 is of 20000")),
            "{silent:?}"
        );
        let slow = [claim(4, 31_000, 2)];
        let slow = held_back(&records, &slow, &commits).unwrap();
        assert!(slow.contains("entry 0 is of 10000, and the commit at 21000"), "{slow}");
        // Too early to say.
        assert_eq!(held_back(&records, &[], &commits[..2]), None);
    }

    #[test]
    fn entries_are_of_the_time_in_which_they_were_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, mut memos) = log(dir.path(), "true");
        // The last entry is of 30,000, and the commit before the last but one of 10,000.
        memos[2].time = 30_000 - TOLERANCE;
        assert_eq!(Claims::compare(&memos, OF, Some(&path)).unwrap().broken, None);
        memos[2].time -= 1;
        let early = Claims::compare(&memos, OF, Some(&path)).unwrap().broken.unwrap();
        assert!(early.contains("entry 2 says"), "{early}");
        for memo in &mut memos {
            memo.time += 100_000;
        }
        let late = Claims::compare(&memos, OF, Some(&path)).unwrap().broken.unwrap();
        assert!(late.contains("entry 2 says"), "{late}");
    }
}
