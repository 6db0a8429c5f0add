//! Several nodes of one chain as one. The node that served last is asked first. One that gives no
//! answer, is on another chain or lags behind is passed over until it is well again; signed transactions
//! go to all of them.

mod asking;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::{Bytes, B256};

use super::endpoint::Endpoint;
use super::{Options, RpcL1};
use crate::error::L1Error;
use crate::types::{At, Receipt};

/// How several nodes are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverOptions {
    /// How each is asked.
    pub rpc: Options,
    /// Blocks that a node may be behind the best one.
    pub lag: u64,
    /// The chain that all must be of; `None` takes that of the first node that answers.
    pub chain_id: Option<u64>,
    /// How long a node may take to begin an answer.
    pub respond: Duration,
    /// How often chain and latest block of all nodes are looked at.
    pub check: Duration,
    /// How long a node that gave no answer is left alone while another one serves.
    pub rest: Duration,
}

impl Default for FailoverOptions {
    fn default() -> Self {
        Self {
            rpc: Options { retries: 1, ..Options::default() },
            lag: 5,
            chain_id: None,
            respond: Duration::from_secs(20),
            check: Duration::from_secs(15),
            rest: Duration::from_secs(60),
        }
    }
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// Its latest block is too old.
    Behind,
    /// It gave no answer.
    Silent {
        since: Instant,
    },
    /// It must not be asked.
    OtherChain,
}

/// One of the nodes.
struct Place {
    url: String,
    host: Arc<str>,
    /// Not there before the first answer, and after one that did not come.
    l1: Option<RpcL1>,
    health: Health,
}

/// Several nodes of one chain.
pub struct Failover {
    places: Vec<Place>,
    options: FailoverOptions,
    chain_id: u64,
    since: u64,
    at: At,
    /// The node that served last.
    current: usize,
    checked: Option<Instant>,
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.places.iter().map(|p| (&p.host, p.health)).collect();
        f.debug_struct("Failover")
            .field("chain_id", &self.chain_id)
            .field("hosts", &hosts)
            .finish_non_exhaustive()
    }
}

impl Failover {
    /// Connects to the nodes at some URLs, the preferred one first. One that does not answer yet is tried
    /// again later.
    ///
    /// # Errors
    /// [`L1Error::BadUrl`] if one is no URL, [`L1Error::NoNode`] if there is none,
    /// [`L1Error::OtherChain`] if one that answers is of another chain; if none answers, why the first
    /// one does not.
    pub fn connect(urls: &[String], options: FailoverOptions) -> Result<Self, L1Error> {
        let mut places = Vec::new();
        for url in urls {
            let host = Endpoint::parse(url)?.host;
            let health = Health::Well;
            places.push(Place { url: url.clone(), host, l1: None, health });
        }
        let mut chain_id = options.chain_id;
        let mut failure = None;
        for place in &mut places {
            match RpcL1::with_patience(&place.url, options.rpc, options.respond) {
                Ok(l1) => {
                    let (found, host) = (l1.chain_id, place.host.to_string());
                    let expected = *chain_id.get_or_insert(found);
                    if found != expected {
                        return Err(L1Error::OtherChain { host, found, expected });
                    }
                    place.l1 = Some(l1);
                }
                Err(error) => {
                    tracing::warn!(%error, "an L1 node does not answer");
                    place.health = Health::Silent { since: Instant::now() };
                    failure.get_or_insert(error);
                }
            }
        }
        let Some(current) = places.iter().position(|p| p.l1.is_some()) else {
            return Err(failure.unwrap_or(L1Error::NoNode));
        };
        let chain_id = chain_id.ok_or(L1Error::NoNode)?;
        let (since, at) = (0, At::default());
        let mut all = Self { places, options, chain_id, since, at, current, checked: None };
        all.check();
        Ok(all)
    }

    /// Reads history from a block on, such as that of the deployment, instead of from the first.
    #[must_use]
    pub fn since(mut self, block: u64) -> Self {
        self.since = block;
        self.configured()
    }

    /// Reads history as of a block.
    #[must_use]
    pub fn at(mut self, at: At) -> Self {
        self.at = at;
        self.configured()
    }

    fn configured(mut self) -> Self {
        let (since, at) = (self.since, self.at);
        for place in &mut self.places {
            place.l1 = place.l1.take().map(|l1| l1.since(since).at(at));
        }
        self
    }

    /// Scheme, host and port of the node that is asked first.
    pub fn serving(&self) -> &str {
        self.places.get(self.current).map_or("", |place| &place.host)
    }

    /// Looks at all nodes now: which answer, of which chain they are, and how far they are. It is also
    /// done by itself from time to time.
    pub fn check(&mut self) {
        self.checked = Some(Instant::now());
        let heads: Vec<Option<u64>> = (0..self.places.len()).map(|i| self.head(i)).collect();
        let best = heads.iter().flatten().max().copied().unwrap_or(0);
        for (place, head) in self.places.iter_mut().zip(heads) {
            let Some(head) = head else { continue };
            let health = match best.saturating_sub(head) > self.options.lag {
                true => Health::Behind,
                false => Health::Well,
            };
            if health != place.health {
                tracing::warn!(host = %place.host, ?health, head, best, "an L1 node changed");
                place.health = health;
            }
        }
        let fit = |place: &Place| place.health == Health::Well;
        if !self.places.get(self.current).is_some_and(fit) {
            self.current = self.places.iter().position(fit).unwrap_or(self.current);
        }
    }

    /// The latest block of a node; none if it is left alone, or silent, or of another chain.
    fn head(&mut self, i: usize) -> Option<u64> {
        let place = self.places.get(i)?;
        if matches!(place.health, Health::Silent { since } if since.elapsed() < self.options.rest) {
            return None;
        }
        let found = self.connected(i).and_then(|l1| l1.now_at());
        match found {
            Ok((chain_id, head)) if chain_id == self.chain_id => Some(head),
            Ok((found, _)) => {
                self.put_aside(i, &self.other_chain(i, found));
                None
            }
            Err(error) => {
                self.put_aside(i, &error);
                None
            }
        }
    }

    fn other_chain(&self, i: usize, found: u64) -> L1Error {
        let host = self.places.get(i).map_or_else(String::new, |p| p.host.to_string());
        L1Error::OtherChain { host, found, expected: self.chain_id }
    }

    fn put_aside(&mut self, i: usize, error: &L1Error) {
        tracing::warn!(%error, "an L1 node is passed over");
        if let Some(place) = self.places.get_mut(i) {
            // Whatever is behind the URL when it answers again: its chain is asked for anew.
            place.l1 = None;
            place.health = match error {
                L1Error::OtherChain { .. } => Health::OtherChain,
                _ => Health::Silent { since: Instant::now() },
            };
        }
    }

    /// A node that was silent has given an answer.
    fn heard_of(&mut self, i: usize) {
        let silent = self.is_silent(i);
        if let Some(place) = self.places.get_mut(i).filter(|_| silent) {
            place.health = Health::Well;
        }
    }

    /// The connection to a node of this chain.
    fn connected(&mut self, i: usize) -> Result<&mut RpcL1, L1Error> {
        let (since, at, options) = (self.since, self.at, self.options);
        let chain_id = self.chain_id;
        let place = self.places.get_mut(i).ok_or(L1Error::NoNode)?;
        if place.l1.is_none() {
            let l1 = RpcL1::with_patience(&place.url, options.rpc, options.respond)?;
            if l1.chain_id != chain_id {
                let (host, found) = (place.host.to_string(), l1.chain_id);
                return Err(L1Error::OtherChain { host, found, expected: chain_id });
            }
            place.l1 = Some(l1.since(since).at(at));
        }
        place.l1.as_mut().ok_or(L1Error::NoNode)
    }

    fn check_if_due(&mut self) {
        let due = |checked: Instant| checked.elapsed() >= self.options.check;
        // One node has nobody to be compared with, and tells of its trouble itself.
        if self.places.len() > 1 && self.checked.is_none_or(due) {
            self.check();
        }
    }

    /// The nodes in the order in which they are asked. Those of another chain are not among them.
    fn order(&self) -> Vec<usize> {
        let rank = |i: &usize| match self.places.get(*i).map(|p| p.health) {
            Some(Health::Well) if *i == self.current => 0,
            Some(Health::Well) => 1,
            Some(Health::Behind) => 2,
            Some(Health::Silent { .. }) => 3,
            Some(Health::OtherChain) | None => 4,
        };
        let mut order: Vec<usize> = (0..self.places.len()).filter(|i| rank(i) < 4).collect();
        order.sort_by_key(rank);
        order
    }

    /// What the first node gives that gives something.
    fn any<T>(
        &mut self,
        mut ask: impl FnMut(&mut RpcL1) -> Result<T, L1Error>,
    ) -> Result<T, L1Error> {
        self.check_if_due();
        let mut first = None;
        for i in self.order() {
            match self.connected(i).and_then(&mut ask) {
                Err(error) if error.is_worth_another_node() => {
                    // One that lacks history is otherwise well.
                    if error.is_lost() {
                        self.put_aside(i, &error);
                    }
                    first.get_or_insert(error);
                }
                Err(error @ L1Error::OtherChain { .. }) => {
                    self.put_aside(i, &error);
                    first.get_or_insert(error);
                }
                answer => {
                    self.current = i;
                    self.heard_of(i);
                    return answer;
                }
            }
        }
        Err(first.unwrap_or(L1Error::NoNode))
    }

    /// Sends a signed transaction to all nodes. It has succeeded if one of them takes it, or knows it
    /// already.
    ///
    /// # Errors
    /// The refusal of the first node that refuses it; if none answers, why the first one does not: then
    /// one of them may still have taken it.
    pub fn send_raw(&mut self, raw: &Bytes) -> Result<(), L1Error> {
        self.check_if_due();
        let (mut taken, mut refusal, mut failure) = (false, None, None);
        let order = self.order();
        let some_answer = order.iter().any(|i| !self.is_silent(*i));
        for i in order {
            if some_answer && self.is_silent(i) {
                continue;
            }
            match self.connected(i).and_then(|l1| l1.send_raw(raw)) {
                Ok(()) => taken = true,
                Err(error) if error.is_lost() || matches!(error, L1Error::OtherChain { .. }) => {
                    self.put_aside(i, &error);
                    failure.get_or_insert(error);
                }
                Err(error) => {
                    tracing::debug!(%error, "an L1 node refuses a transaction");
                    refusal.get_or_insert(error);
                }
            }
        }
        match taken {
            true => Ok(()),
            false => Err(refusal.or(failure).unwrap_or(L1Error::NoNode)),
        }
    }

    fn is_silent(&self, i: usize) -> bool {
        self.places.get(i).is_some_and(|p| matches!(p.health, Health::Silent { .. }))
    }

    /// Where a transaction is, by the word of any node: one that knows it is enough.
    ///
    /// # Errors
    /// If no node knows it, and one that was heard of lately does not answer.
    pub fn receipt_anywhere(&mut self, transaction: B256) -> Result<Option<Receipt>, L1Error> {
        let mut failure = None;
        let mut answered = false;
        for i in self.order() {
            if answered && self.is_silent(i) {
                continue;
            }
            match self.connected(i).and_then(|l1| l1.receipt(transaction)) {
                Ok(Some(receipt)) => return Ok(Some(receipt)),
                Ok(None) => answered = true,
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            None if answered => Ok(None),
            failure => Err(failure.unwrap_or(L1Error::NoNode)),
        }
    }
}
