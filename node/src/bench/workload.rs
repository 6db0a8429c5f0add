//! A block full of transfers between random accounts.

use std::collections::BTreeSet;

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::{Action, Body, Op};
use bastion_protocol::{keys, Account, Fr, Index};
use bastion_state::state::State;
use rayon::prelude::*;

use crate::block::{Source, Waiting};
use crate::devnet::{dev_exit, dev_key};
use crate::error::NodeError;

/// Places of accounts are drawn from this many.
const POPULATION: u64 = 1 << 20;
const OWNER: &str = "bench";

/// Transfers, each between two accounts that have not been used before. They are signed beforehand:
/// wallets do that.
pub(super) struct Transfers {
    ops: Vec<Op>,
    next: usize,
    waiting: Waiting,
}

impl Transfers {
    /// The state with the accounts, and transfers that are enough for `count` operations.
    pub(super) fn new(count: usize, domain: Fr, time: u64) -> Result<(State, Self), NodeError> {
        let key = dev_key(OWNER);
        let opening = (key.public().keyhash(), dev_exit(OWNER));
        let owner = keys::owner(opening.0, opening.1);
        let places = random_places(2 * count);
        let accounts = places.iter().map(|index| {
            let account = Account { balance: 1_000_000_000_000, ..Account::new(owner, 0) };
            (*index, account)
        });
        let state = State::with_accounts(accounts, [opening])?;
        let transfer = |(n, pair): (usize, &[Index])| {
            let body = Body {
                account: pair[0],
                token: 0,
                nonce: 0,
                deadline: time + 3_600,
                fee: 1_000,
                action: Action::Transfer { to: pair[1], amount: 1_000_003 + n as u128 },
            };
            Ok(Op::Signed(body.sign(&key, domain, dev_exit(OWNER))?))
        };
        let pairs = places.par_chunks_exact(2).enumerate();
        let ops = pairs.map(transfer).collect::<Result<_, NodeError>>()?;
        Ok((state, Self { ops, next: 0, waiting: Waiting::default() }))
    }
}

impl Source for Transfers {
    fn next(&mut self, _: &State) -> Result<Option<(String, Op)>, NodeError> {
        let n = self.next;
        let op = self.ops.get(n);
        self.next += usize::from(op.is_some());
        Ok(op.map(|op| (format!("transfer {n}"), *op)))
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

/// Distinct user indices, the same in every run (a 64-bit congruential generator).
fn random_places(n: usize) -> Vec<Index> {
    let mut seen = BTreeSet::new();
    let mut x = 1_u64;
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = FIRST_USER + ((x >> 33) % POPULATION) as Index;
        if seen.insert(index) {
            out.push(index);
        }
    }
    out
}
