//! Random batches over states at their edges: what an honest executor may meet, and what somebody
//! hostile may give it. Used by the tests that compare the executor with the circuit and with the
//! audit's replay.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use bastion_protocol::account::{fee_index, limiter_index, FIRST_USER};
use bastion_protocol::keys::{owner, SecretKey};
use bastion_protocol::ops::{
    Action, Body, Deposit, Float, ForcedExit, Op, SignedOp, AMOUNT_BITS, FEE_BITS,
};
use bastion_protocol::{
    Account, Address, Fr, Index, Limit, Policy, Token, TokenLimits, TIME_BOUND,
};
use bastion_state::executor::{BatchContext, BatchTrace, Footprint, Packer, Pushed};
use bastion_state::State;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

const TOKENS: [Token; 3] = [0, 7, u16::MAX];
/// Owners; the first is the guardian, the second owns new fee accounts.
const PEOPLE: usize = 6;
const GUARDIAN: usize = 0;
const FEES: usize = 1;
const LAST: u64 = TIME_BOUND - 1;
/// Batches of one case, one after the other.
pub const BATCHES: usize = 4;

/// How many batches to try, and from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub cases: u64,
}

impl Plan {
    /// `BASTION_FUZZ_BATCHES` and `BASTION_FUZZ_SEED`, or 2,000 batches from seed 1. Printed, so that
    /// a failure can be had again.
    pub fn from_env() -> Self {
        let number = |name: &str| Some(std::env::var(name).ok()?.parse::<u64>().unwrap());
        let batches = number("BASTION_FUZZ_BATCHES").unwrap_or(2_000);
        let seed = number("BASTION_FUZZ_SEED").unwrap_or(1);
        println!("BASTION_FUZZ_SEED={seed} BASTION_FUZZ_BATCHES={batches}");
        Self { seed, cases: batches.div_ceil(BATCHES as u64) }
    }

    pub fn case(&self, number: u64) -> Case {
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        rng.set_stream(number);
        Case::new(rng)
    }
}

/// A state, a policy, a time, and what happens next.
pub struct Case {
    pub state: State,
    pub context: BatchContext,
    people: BTreeMap<Fr, SecretKey>,
    rng: ChaCha20Rng,
}

fn key(n: usize) -> SecretKey {
    SecretKey::from_seed(&[b'f', n as u8])
}

fn exit(n: usize) -> Address {
    Address([n as u8 + 1; 20])
}

fn keyhash(n: usize) -> Fr {
    key(n).public().keyhash()
}

fn pick<T: Copy>(rng: &mut ChaCha20Rng, from: &[T]) -> T {
    from[rng.gen_range(0..from.len())]
}

/// Once in `n` times.
fn once_in(rng: &mut ChaCha20Rng, n: u32) -> bool {
    rng.gen_ratio(1, n)
}

fn policy(rng: &mut ChaCha20Rng) -> Policy {
    let max_freeze = pick(rng, &[0, 1, 86_400, LAST / 2]);
    let least = u64::max(max_freeze, 1);
    let max_delay = pick(rng, &[0, 1, 3_600, LAST / 2]);
    let limits = |rng: &mut ChaCha20Rng| TokenLimits {
        rate: pick(rng, &[1, 2, 1_000_003, u64::MAX - 1, u64::MAX]),
        burst_seconds: pick(rng, &[0, 1, 3_600, LAST]),
        max_delay: pick(rng, &[0, max_delay]),
    };
    Policy {
        guardian_keyhash: keyhash(GUARDIAN),
        max_freeze,
        cooldown: pick(rng, &[least, least, least + 7, LAST]),
        fee_keyhash: keyhash(FEES),
        fee_exit: exit(FEES),
        default_limits: limits(rng),
        limits: [(7, limits(rng))].into(),
    }
}

fn account(rng: &mut ChaCha20Rng, who: usize, token: Token, time: u64, p: &Policy) -> Account {
    let until = [
        0,
        0,
        time,
        time.saturating_sub(1),
        time + 1,
        time.saturating_sub(p.cooldown),
        (time + 1).saturating_sub(p.cooldown),
        LAST,
    ];
    Account {
        owner: owner(keyhash(who), exit(who)),
        token,
        nonce: pick(rng, &[0, 0, 1, 77, u32::MAX - 1, u32::MAX]),
        balance: match rng.gen_range(0..4) {
            0 => pick(rng, &[0, 1, 2, 130]),
            1 => pick(rng, &[u128::MAX, u128::MAX - 1, 1 << 127]),
            2 => float(rng, FEE_BITS).saturating_add(u128::from(rng.gen::<bool>())),
            _ => 10u128.pow(rng.gen_range(3..37)),
        },
        frozen_until: pick(rng, &until).min(LAST),
    }
}

/// A number of the wire, often the largest mantissa.
fn float(rng: &mut ChaCha20Rng, bits: u32) -> u128 {
    let largest = (1u128 << bits) - 1;
    let mantissa = match rng.gen_range(0..3) {
        0 => largest,
        1 => 1,
        _ => rng.gen_range(1..=largest),
    };
    let power = 10u128.pow(rng.gen_range(0..32));
    power.checked_mul(mantissa).unwrap_or(power)
}

impl Case {
    fn new(mut rng: ChaCha20Rng) -> Self {
        let policy = policy(&mut rng);
        let top = LAST - policy.longest_delay().max(policy.max_freeze);
        let time = pick(&mut rng, &[0, 1, 1_700_000_000, top - 1, top]).min(top);
        let mut accounts = BTreeMap::new();
        let mut add = |rng: &mut ChaCha20Rng, index, who, token| {
            accounts.insert(index, account(rng, who, token, time, &policy));
        };
        for (n, token) in TOKENS.into_iter().enumerate() {
            // Users in a row with a hole now and then, and sometimes at the very end.
            for who in 0..PEOPLE {
                let place = TOKENS.len() * who + n;
                if !once_in(&mut rng, 4) {
                    add(&mut rng, FIRST_USER + place as Index, who, token);
                }
            }
            if once_in(&mut rng, 2) {
                // The fee account's owner may be that of an older policy.
                let who = pick(&mut rng, &[FEES, FEES, 3]);
                add(&mut rng, fee_index(token), who, token);
            }
        }
        if once_in(&mut rng, 3) {
            let (index, token) = (Index::MAX - rng.gen_range(0..2), pick(&mut rng, &TOKENS));
            add(&mut rng, index, 4, token);
        }
        for token in TOKENS {
            if once_in(&mut rng, 2) {
                let near = u128::from(time);
                let tats = [0, near, near + 5, 1 << 100, (1 << 127) - 1, 1 << 127];
                let limiter = Account {
                    balance: pick(&mut rng, &tats),
                    ..Account::new(Fr::from(0u64), token)
                };
                accounts.insert(limiter_index(token), limiter);
            }
        }
        let openings = (0..PEOPLE).map(|who| (keyhash(who), exit(who)));
        Self {
            state: State::with_accounts(accounts, openings).unwrap(),
            context: BatchContext { domain: Fr::from(99u64), time, policy },
            people: (0..PEOPLE).map(|who| (keyhash(who), key(who))).collect(),
            rng,
        }
    }

    /// Fills the next batch with what the packer takes of what is drawn, and its quotes. `fits` as in
    /// [`Packer::push`]; what it accepts is taken.
    pub fn batch(&mut self, most: usize, mut fits: impl FnMut(&Footprint) -> bool) -> BatchTrace {
        let mut state = std::mem::take(&mut self.state);
        let mut packer = Packer::new(&mut state, self.context.clone()).unwrap();
        let mut taken = 0;
        // L1 operations first; whatever is drawn later of them would end the batch.
        let l1 = self.rng.gen_range(0..=most / 2);
        for attempt in 0..6 * most {
            let from_l1 = attempt < 2 * l1 || once_in(&mut self.rng, 60);
            let op =
                if from_l1 { self.request(packer.state()) } else { self.signed(packer.state()) };
            match packer.push(&op, &mut fits) {
                Ok(Pushed::Taken) => taken += 1,
                Ok(Pushed::Full) => break,
                Ok(Pushed::Waits) | Err(_) => {}
            }
            if taken == most {
                break;
            }
        }
        let trace = packer.finish().unwrap().0;
        self.state = state;
        trace
    }

    /// Time goes on between batches, if there is room.
    pub fn later(&mut self) {
        let policy = &self.context.policy;
        let top = LAST - policy.longest_delay().max(policy.max_freeze);
        let step = pick(&mut self.rng, &[0, 1, policy.cooldown, policy.max_freeze]);
        self.context.time = (self.context.time + step).min(top);
    }

    fn some_account(&mut self, state: &State) -> Index {
        let all: Vec<Index> = state.accounts().map(|(i, _)| i).collect();
        match self.rng.gen_range(0..24) {
            0 => pick(&mut self.rng, &[5, FIRST_USER + 900, Index::MAX]),
            _ if all.is_empty() => FIRST_USER,
            _ => pick(&mut self.rng, &all),
        }
    }

    fn keyhash(&mut self) -> Fr {
        match self.rng.gen_range(0..12) {
            0 => Fr::from(0u64),
            1 => -Fr::from(1u64),
            _ => keyhash(self.rng.gen_range(0..PEOPLE)),
        }
    }

    fn address(&mut self) -> Address {
        match self.rng.gen_range(0..16) {
            0 => Address([0; 20]),
            1 => Address([0xff; 20]),
            _ => exit(self.rng.gen_range(0..PEOPLE)),
        }
    }

    fn request(&mut self, state: &State) -> Op {
        if self.rng.gen() {
            let who = self.rng.gen_range(0..PEOPLE);
            let known = !once_in(&mut self.rng, 4);
            return Op::Deposit(Deposit {
                token: pick(&mut self.rng, &TOKENS),
                amount: pick(&mut self.rng, &[0, 1, 5, 10u128.pow(30), 1 << 127, u128::MAX]),
                keyhash: if known { keyhash(who) } else { self.keyhash() },
                exit: if known { exit(who) } else { self.address() },
            });
        }
        let index = self.some_account(state);
        let account = state.account(index);
        let own = account.and_then(|a| state.opening(a.owner));
        let right = account.map_or(0, |a| a.token);
        Op::ForcedExit(ForcedExit {
            index,
            token: match once_in(&mut self.rng, 4) {
                true => pick(&mut self.rng, &TOKENS),
                false => right,
            },
            exit: match own {
                Some((_, exit)) if !once_in(&mut self.rng, 4) => exit,
                _ => self.address(),
            },
        })
    }

    fn amount(&mut self, balance: u128) -> u128 {
        match self.rng.gen_range(0..10) {
            0 => balance,
            1 => balance.saturating_add(1),
            2 | 3 => Float::floor(balance, AMOUNT_BITS).value().unwrap(),
            4 => pick(&mut self.rng, &[0, (1 << 35) + 1, u128::MAX]),
            5 => float(&mut self.rng, AMOUNT_BITS),
            6 => Float::floor(u128::MAX, AMOUNT_BITS).value().unwrap(),
            _ => u128::from(self.rng.gen_range(1..100u8)),
        }
    }

    fn fee(&mut self) -> u128 {
        match self.rng.gen_range(0..8) {
            0 => float(&mut self.rng, FEE_BITS),
            1 => {
                let ten = |e| 10u128.pow(e);
                let edges = [127, 128, 129, 127 * ten(31), ten(33), ten(34), 101 * ten(32)];
                pick(&mut self.rng, &edges)
            }
            2 => u128::MAX,
            3 => 1,
            _ => 0,
        }
    }

    fn action(&mut self, state: &State, account: &Account, guardian: bool) -> Action {
        let (time, max) = (self.context.time, self.context.policy.max_freeze);
        let old_until = match once_in(&mut self.rng, 12) {
            true => account.frozen_until + 1,
            false => account.frozen_until,
        };
        if guardian {
            let until = [time, time + 1, time + max, time + max + 1, LAST, TIME_BOUND];
            return match self.rng.gen_range(0..3) {
                0 => Action::Unfreeze { old_until },
                _ => Action::Freeze { until: pick(&mut self.rng, &until), old_until },
            };
        }
        let amount = self.amount(account.balance);
        match self.rng.gen_range(0..12) {
            8..=11 => self.order(state, account, amount),
            0..=2 => {
                let same: Vec<Index> = state
                    .accounts()
                    .filter(|(_, a)| a.token == account.token)
                    .map(|(i, _)| i)
                    .collect();
                let to = match self.rng.gen_range(0..6) {
                    0 => self.some_account(state),
                    1 => fee_index(account.token),
                    _ => pick(&mut self.rng, &same),
                };
                Action::Transfer { to, amount }
            }
            3 | 4 => Action::TransferNew { keyhash: self.keyhash(), exit: self.address(), amount },
            5 | 6 => {
                let own = state.opening(account.owner).map(|(_, exit)| exit);
                let to = match own {
                    Some(own) if self.rng.gen() => own,
                    _ => self.address(),
                };
                Action::Withdraw { to, amount }
            }
            _ => Action::ChangeKey { keyhash: self.keyhash() },
        }
    }

    /// Mostly for another account of the same owner, near a price of 1.
    fn order(&mut self, state: &State, account: &Account, amount: u128) -> Action {
        let others: Vec<(Index, Token)> = state
            .accounts()
            .filter(|(_, a)| a.owner == account.owner && a.token != account.token)
            .map(|(i, a)| (i, a.token))
            .collect();
        let to = match others.is_empty() || once_in(&mut self.rng, 12) {
            true => self.some_account(state),
            false => pick(&mut self.rng, &others).0,
        };
        let buy = match state.account(to) {
            Some(to) if !once_in(&mut self.rng, 12) => to.token,
            _ => pick(&mut self.rng, &TOKENS),
        };
        let limit = match self.rng.gen_range(0..8) {
            0 => Limit::new(self.rng.gen::<u64>() | 1 << 63, self.rng.gen_range(0..128)).unwrap(),
            1 => pick(
                &mut self.rng,
                &[(1 << 63, 127), (u64::MAX, 0), (1 << 63, 63)]
                    .map(|(m, e)| Limit::new(m, e).unwrap()),
            ),
            _ => Limit::of(self.rng.gen_range(60_000..66_000), 65_536).unwrap(),
        };
        let amount = if once_in(&mut self.rng, 3) {
            amount
        } else {
            u128::from(self.rng.gen_range(1..5_000u16))
        };
        Action::Order { to, buy, amount, limit }
    }

    /// Signed by whom it should be, for the account as it is, unless something goes wrong.
    fn signed(&mut self, state: &State) -> Op {
        let index = self.some_account(state);
        let missing = Account::new(Fr::from(0u64), 0);
        let account = state.account(index).copied().unwrap_or(missing);
        let guardian = once_in(&mut self.rng, 5);
        let time = self.context.time;
        let deadlines = [time, time + 1, LAST, LAST, time.saturating_sub(1), TIME_BOUND];
        let (keyhash, own) =
            state.opening(account.owner).unwrap_or((Fr::from(0u64), Address([0; 20])));
        let body = Body {
            account: index,
            token: account.token,
            nonce: if guardian { 0 } else { account.nonce },
            deadline: pick(&mut self.rng, &deadlines),
            fee: if guardian { 0 } else { self.fee() },
            action: self.action(state, &account, guardian),
        };
        let owned = self.people.get(&keyhash).cloned().unwrap_or(key(2));
        let signer = if guardian { key(GUARDIAN) } else { owned };
        let domain = self.context.domain;
        // What the wire cannot carry is given with the signature of something that it can.
        let signed = body.sign(&signer, domain, own).unwrap_or_else(|_| {
            let small = Body {
                fee: 0,
                deadline: LAST,
                action: Action::ChangeKey { keyhash: Fr::from(1u64) },
                ..body
            };
            let signed = small.sign(&signer, domain, own).unwrap();
            SignedOp { body, ..signed }
        });
        Op::Signed(match once_in(&mut self.rng, 10) {
            true => self.altered(signed),
            false => signed,
        })
    }

    /// Changed by somebody on the way.
    fn altered(&mut self, mut op: SignedOp) -> SignedOp {
        let body = &mut op.body;
        match self.rng.gen_range(0..9) {
            // The same five bits of the exponent, and the same digits.
            0 => body.fee = body.fee.checked_mul(10u128.pow(32)).unwrap_or(1),
            1 => body.fee = body.fee.wrapping_add(1),
            2 => body.nonce = body.nonce.wrapping_add(1),
            3 => body.deadline = LAST,
            4 => body.token = pick(&mut self.rng, &TOKENS),
            5 => op.signature.s += op.signature.s,
            6 => op.key = key(self.rng.gen_range(0..PEOPLE)).public(),
            7 => {
                if let Action::Transfer { to, .. } = &mut body.action {
                    *to ^= 1;
                }
            }
            _ => {
                if let Action::Withdraw { amount, .. } | Action::TransferNew { amount, .. } =
                    &mut body.action
                {
                    *amount = amount.wrapping_mul(10);
                }
            }
        }
        op
    }
}

/// The batch of some operations on a state, without those that are refused. Quotes are found anew.
pub fn replayed(state: &State, context: &BatchContext, ops: &[Op]) -> BatchTrace {
    let mut state = state.clone();
    let mut packer = Packer::new(&mut state, context.clone()).unwrap();
    for op in ops.iter().filter(|op| !matches!(op, Op::Quote(_))) {
        let _ = packer.push(op, |_| true);
    }
    packer.finish().unwrap().0
}

/// The fewest operations of a batch that still fail, as text.
pub fn shrunk(
    before: &State,
    context: &BatchContext,
    trace: &BatchTrace,
    fails: impl Fn(&BatchTrace) -> bool,
) -> String {
    let mut ops: Vec<Op> = trace.ops.iter().map(|op| op.op).collect();
    for n in (0..ops.len()).rev() {
        let mut fewer = ops.clone();
        fewer.remove(n);
        if fails(&replayed(before, context, &fewer)) {
            ops = fewer;
        }
    }
    let ops: Vec<String> = replayed(before, context, &ops)
        .ops
        .iter()
        .map(|op| format!("  {:?} {:?}\n    {:?}", op.kind, op.op, op.accesses))
        .collect();
    format!("{context:?}\n{}", ops.join("\n"))
}

/// What all accounts hold, by token; limiters hold nothing.
pub fn held(state: &State) -> BTreeMap<Token, (u128, u64)> {
    let mut sums: BTreeMap<Token, (u128, u64)> = BTreeMap::new();
    for (_, account) in state.accounts().filter(|(_, a)| a.owner != Fr::from(0u64)) {
        add(&mut sums, account.token, account.balance);
    }
    sums
}

/// Adds to a sum of more than 128 bits.
pub fn add(sums: &mut BTreeMap<Token, (u128, u64)>, token: Token, amount: u128) {
    let sum = sums.entry(token).or_default();
    let (low, carry) = sum.0.overflowing_add(amount);
    *sum = (low, sum.1 + u64::from(carry));
}

/// Adds a figure to the report of `make soundness`, if one is being written.
pub fn record(name: &str, value: u64) {
    let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") else {
        return;
    };
    use std::io::Write;
    let file = std::fs::File::options().create(true).append(true).open(path);
    writeln!(file.unwrap(), "{name} {value}").unwrap();
}
