//! What is done again and again, about once a second: looking for the attempts in blocks, sending again
//! what is on its way, replacing what takes too long, beginning what waits.

use super::intent::State;
use super::look::Outlook;
use super::notice::Notice;
use super::TxManager;
use crate::chain::ReadL1;
use crate::error::L1Error;
use crate::types::Pin;

/// Seconds between two alarms about the balance.
const ALARM: u64 = 600;

/// The chain as a step finds it.
pub(super) struct Seen {
    /// Transactions of the account that are mined.
    pub(super) mined: u64,
    /// The last final block.
    pub(super) last: Option<Pin>,
}

pub(super) type Notices = Vec<Notice>;

impl TxManager {
    /// Does what is to be done at a time, in seconds. What goes wrong with one intent is told in a notice
    /// and does not stop the others.
    ///
    /// # Errors
    /// [`L1Error::Storage`]; or if no node answers, in which case nothing was done.
    pub fn step(&mut self, now: u64) -> Result<Vec<Notice>, L1Error> {
        let mut notices = Vec::new();
        let mined = self.l1.nonce(self.account())?;
        let last = self.options.finality.last(&mut self.l1, &mut self.tagged);
        let last = last.unwrap_or_else(|error| {
            notices.push(Notice::Trouble { name: None, error });
            None
        });
        let seen = Seen { mined, last };
        match self.head {
            None => self.head = Some((mined, 0)),
            Some((before, _)) if before != mined => self.head = Some((mined, now)),
            Some(_) => {}
        }
        for i in self.those(|state| matches!(state, State::Sent | State::Mined(_))) {
            let done = self.look(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        self.watch_gap(mined, &mut notices);
        let done = self.watch_balance(now, &mut notices);
        if let Err(error) = done {
            notices.push(Notice::Trouble { name: None, error });
        }
        let mut sent = self.those(|state| matches!(state, State::Sent));
        // A node may refuse one that comes before its predecessor.
        sent.sort_by_key(|i| self.intents[*i].nonce);
        for i in sent {
            let done = self.push(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        for i in self.those(|state| matches!(state, State::Pending)) {
            let done = self.begin(i, &seen, now, &mut notices);
            self.told(i, done, &mut notices)?;
        }
        Ok(notices)
    }

    fn those(&self, state: impl Fn(&State) -> bool) -> Vec<usize> {
        let intents = self.intents.iter().enumerate();
        intents.filter(|(_, intent)| state(&intent.state)).map(|(i, _)| i).collect()
    }

    /// Turns what went wrong with one intent into a notice, unless nothing may go on.
    fn told(
        &self,
        i: usize,
        done: Result<(), L1Error>,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        match done {
            Err(error @ L1Error::Storage { .. }) => Err(error),
            Err(error) => {
                let name = Some(self.intents[i].name().to_owned());
                notices.push(Notice::Trouble { name, error });
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn watch_balance(&mut self, now: u64, notices: &mut Notices) -> Result<(), L1Error> {
        let minimum = self.options.min_balance;
        if minimum.is_zero() || now < self.rich_until {
            return Ok(());
        }
        let balance = self.l1.balance(self.account())?;
        let poor = balance < minimum;
        self.rich_until = now.saturating_add(if poor { ALARM } else { self.options.rebroadcast });
        if poor {
            notices.push(Notice::LowBalance { balance, minimum });
        }
        Ok(())
    }

    /// Tells once of a gap that nothing stored can close.
    fn watch_gap(&mut self, mined: u64, notices: &mut Notices) {
        let open = self.intents.iter().filter(|intent| !intent.state.is_over());
        let gap = open.filter_map(|intent| intent.nonce).min();
        let gap = gap.filter(|first| *first > mined).map(|first| (mined, first));
        if let Some((mined, first)) = gap.filter(|_| gap != self.gap) {
            notices.push(Notice::Gap { mined, first });
        }
        self.gap = gap;
    }

    /// Sends again what is on its way, or replaces it if it takes too long.
    fn push(
        &mut self,
        i: usize,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        let pace = *self.pace(i);
        let due = |sent: u64| now >= sent.saturating_add(self.options.rebroadcast);
        let intent = &self.intents[i];
        let (Some(nonce), Some(newest)) = (intent.nonce, intent.live().next_back()) else {
            return Ok(());
        };
        // A nonce that is used is the matter of `look`.
        if seen.mined > nonce || !pace.sent.is_none_or(due) {
            return Ok(());
        }
        // Those behind the first wait for it, and not for a better price.
        let first_since = self.head.map_or(0, |(_, since)| since);
        let late = now >= newest.time.max(first_since).saturating_add(self.options.patience);
        let cancels = intent.cancelling;
        if pace.hurry || late && nonce == seen.mined {
            match self.replace(i, cancels, now, notices) {
                Ok(()) => return Ok(()),
                // The attempt that is there goes on.
                Err(error) => self.told(i, Err(error), notices)?,
            }
        }
        self.send(i, now, notices);
        Ok(())
    }

    /// Begins what waits, if the time is right.
    fn begin(
        &mut self,
        i: usize,
        seen: &Seen,
        now: u64,
        notices: &mut Notices,
    ) -> Result<(), L1Error> {
        if now < self.pace(i).later {
            return Ok(());
        }
        let on_way = self.those(|state| matches!(state, State::Sent)).len();
        if on_way >= self.options.in_flight {
            return Ok(());
        }
        self.pace(i).later = now.saturating_add(self.options.rebroadcast);
        let state = match self.outlook(i)? {
            Outlook::Fine => return self.first(i, self.next_nonce(seen), now, notices),
            Outlook::Later(why) => {
                let name = self.intents[i].name().to_owned();
                notices.push(Notice::Waiting { name, why });
                return Ok(());
            }
            Outlook::Done => State::Superseded,
            Outlook::Never(cause) => State::Failed { cause },
        };
        let mut intent = self.intents[i].clone();
        intent.state = state;
        self.put(i, intent)?;
        self.tell_over(i, notices);
        Ok(())
    }

    /// The next nonce, by what is mined and what is stored. What nodes call pending is no guide: a
    /// transaction that their pools lost would leave a gap for ever.
    fn next_nonce(&self, seen: &Seen) -> u64 {
        let stored = self.intents.iter().flat_map(|intent| &intent.attempts);
        let after = stored.map(|attempt| attempt.nonce.saturating_add(1)).max();
        seen.mined.max(after.unwrap_or(0))
    }
}
