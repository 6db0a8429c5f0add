//! Cells of one operation.

use std::collections::HashMap;

use bastion_protocol::kinds::ToField;
use bastion_protocol::ops::Op;
use bastion_protocol::Address;
use bastion_protocol::Kind;
use bastion_state::executor::{Access, BatchContext, OpTrace};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::accounts::Fields;
use crate::core::{pow2, BlockWriter, Expr};
use crate::ops::cells::{cells, AccessCells, Cells, FloatCells};
use crate::ops::TIMES;
use crate::witness::convert::{halves, inverse_or_zero, small, to_halo2, wide};
use crate::witness::LookupCounts;

/// What runs from operation to operation, and the constants of the batch.
#[derive(Clone, Debug)]
pub struct OpState {
    /// Number of the next operation.
    pub number: u64,
    /// Leaves of the order tree so far.
    pub leaves: Vec<Fr>,
    /// Word polynomials of the four sections.
    pub y: [Fr; 4],
    /// Records of the four sections.
    pub counts: [u64; 4],
    /// Last access of each account.
    pub last_access: HashMap<u32, u64>,
    /// Time, `r`, `m_domain`, guardian, max_freeze, cooldown, fee owner, mode, operations.
    pub context: [Fr; 9],
}

/// Values of the message and posted words of one operation.
struct Text {
    signed: bool,
    l2word: Fr,
    mantissa: u64,
    exponent: u8,
    fee_mantissa: u64,
    fee_exponent: u8,
    amount40: u64,
    to: u32,
    deadline: u64,
    x: [Fr; 2],
    requested_token: u64,
    requested_exit: Fr,
}

/// Assigns an operation (padding, without one) and moves the state on.
pub fn assign(
    writer: &mut BlockWriter<'_>,
    op: Option<&OpTrace>,
    context: &BatchContext,
    state: &mut OpState,
    pools: &mut LookupCounts,
) {
    let c = cells();
    let mut w = OpWriter { writer, pools, cells: &c };
    match op {
        Some(op) => w.run(op, context.time, state),
        None => w.run(&OpTrace::noop(), context.time, state),
    }
}

/// Assigns the order tree to the operations: `nodes` by number, as `[left, right, node]`, of the
/// operation at each position. Padding has none.
pub fn assign_node(writer: &mut BlockWriter<'_>, [left, right, node]: [Fr; 3]) {
    let c = cells();
    for (cell, value) in [(c.children[0], left), (c.children[1], right), (c.node, node)] {
        writer.set(&cell, value);
    }
}

impl Text {
    fn of(op: &OpTrace) -> Self {
        let mut text = Self {
            signed: false,
            l2word: Fr::zero(),
            mantissa: 0,
            exponent: 0,
            fee_mantissa: 0,
            fee_exponent: 0,
            amount40: 0,
            to: 0,
            deadline: 0,
            x: [Fr::zero(); 2],
            requested_token: 0,
            requested_exit: Fr::zero(),
        };
        match &op.op {
            Op::Deposit(d) => text.requested_token = u64::from(d.token),
            Op::ForcedExit(f) => {
                text.requested_token = u64::from(f.token);
                text.requested_exit = to_halo2(f.exit.to_fr());
            }
            Op::Signed(s) => {
                let exit = op.opening.map_or(Address([0; 20]), |(_, exit)| exit);
                let index = op.accesses[0].map_or(0, |a| a.index);
                let created = op.accesses[1].map_or(0, |a| a.index);
                text.signed = true;
                text.deadline = s.body.deadline;
                text.to = s.body.posted_to(created);
                if let Ok(wire) = s.body.wire(exit) {
                    text.l2word = to_halo2(wire.l2word(index, text.to));
                    text.mantissa = wire.amount.mantissa();
                    text.exponent = wire.amount.exponent();
                    text.fee_mantissa = wire.fee.mantissa();
                    text.fee_exponent = wire.fee.exponent();
                    text.amount40 = wire.amount40;
                    text.x = wire.x.map(to_halo2);
                }
            }
            Op::Noop => {}
        }
        text
    }
}

struct OpWriter<'a, 'g> {
    writer: &'a mut BlockWriter<'g>,
    pools: &'a mut LookupCounts,
    cells: &'a Cells,
}

impl OpWriter<'_, '_> {
    fn set(&mut self, cell: &Expr, value: Fr) {
        self.writer.set(cell, value);
    }

    fn run(&mut self, op: &OpTrace, time: u64, state: &mut OpState) {
        let c = self.cells;
        for (flag, kind) in c.kind.iter().zip(Kind::ALL) {
            self.set(flag, small(u64::from(op.kind == kind)));
        }
        self.set(&c.number, small(state.number));
        self.set(&c.position, small(state.leaves.len() as u64));
        for (cell, value) in c.context.entries().iter().zip(state.context) {
            self.set(cell, value);
        }
        for (i, access) in op.accesses.iter().enumerate() {
            let now = TIMES * state.number + i as u64 + 1;
            self.access(&c.access[i], access.as_ref(), now, state);
        }
        let text = Text::of(op);
        self.amounts(op, &text);
        let (keyhash, exit) = self.opening(op, &text);
        self.permissions(op, &text, exit, time, state);
        self.message(op, &text, state);
        self.absorb(op, &text, keyhash, exit, state);
        state.number += 1;
    }

    fn access(
        &mut self,
        cells: &AccessCells,
        access: Option<&Access>,
        now: u64,
        state: &mut OpState,
    ) {
        let index = access.map_or(0, |a| a.index);
        let last = match access {
            Some(a) => state.last_access.insert(a.index, now).unwrap_or(0),
            None => 0,
        };
        if access.is_some() {
            self.pools.range40(small(now) - small(last) - Fr::one());
        }
        self.set(&cells.index, small(u64::from(index)));
        self.set(&cells.t_before, small(last));
        for (fields, account) in [
            (&cells.before, access.and_then(|a| a.before.as_ref())),
            (&cells.after, access.and_then(|a| a.after.as_ref())),
        ] {
            let values = Fields::of(account);
            self.set(&fields.exists, values.exists);
            self.set(&fields.owner, values.owner);
            self.set(&fields.token, values.token);
            self.set(&fields.nonce, values.nonce);
            self.set(&fields.balance, values.balance);
            self.set(&fields.frozen_until, values.frozen_until);
        }
    }

    fn float(&mut self, cells: &FloatCells, exponent: u8) {
        let mut low = Fr::one();
        let mut power = Fr::one();
        let mut ten = small(10);
        for (i, bit) in cells.exponent.iter().enumerate() {
            let set = (exponent >> i) & 1 == 1;
            self.set(bit, small(u64::from(set)));
            if set {
                power *= ten;
            }
            if i == 2 {
                low = power;
            }
            ten *= ten;
        }
        self.set(&cells.low_power, low);
        self.set(&cells.power, power);
    }

    fn amounts(&mut self, op: &OpTrace, text: &Text) {
        let c = self.cells;
        self.set(&c.amount, wide(op.amount));
        self.set(&c.fee, wide(op.fee));
        self.set(&c.amount_float.mantissa, small(text.mantissa));
        self.float(&c.amount_float, text.exponent);
        for (i, bit) in c.fee_bits.iter().enumerate() {
            self.set(bit, small((text.fee_mantissa >> i) & 1));
        }
        self.float(&c.fee_float, text.fee_exponent);
        self.set(&c.amount40, small(text.amount40));
        self.set(&c.to, small(u64::from(text.to)));
        self.set(&c.amount_inverse, inverse_or_zero(wide(op.amount)));
        self.set(&c.requested_token, small(text.requested_token));
        self.set(&c.requested_exit, text.requested_exit);
    }

    /// Opening of the primary account's owner, and the new owner.
    fn opening(&mut self, op: &OpTrace, text: &Text) -> (Fr, Fr) {
        let c = self.cells;
        let (keyhash, exit) =
            op.opening.as_ref().map_or((Fr::zero(), Fr::zero()), |(keyhash, exit)| {
                (to_halo2(*keyhash), to_halo2(exit.to_fr()))
            });
        let guardian = op.kind.by_guardian();
        let opened = if op.opening.is_some() && !guardian {
            self.pools.compress(keyhash, exit)
        } else {
            Fr::zero()
        };
        let keyhash = match op.signed() {
            Some(signed) if guardian => to_halo2(signed.key.keyhash()),
            _ => keyhash,
        };
        let exit = if guardian { Fr::zero() } else { exit };
        self.set(&c.keyhash, keyhash);
        self.set(&c.exit, exit);
        self.set(&c.opened, opened);
        let new_owner = if op.kind.writes_owner() {
            self.pools.compress(text.x[0], text.x[1])
        } else {
            Fr::zero()
        };
        self.set(&c.new_owner, new_owner);
        (keyhash, exit)
    }

    fn permissions(&mut self, op: &OpTrace, text: &Text, exit: Fr, now: u64, state: &OpState) {
        let c = self.cells;
        let [time, _, _, _, max_freeze, cooldown, ..] = state.context;
        let primary = Fields::of(op.accesses[0].as_ref().and_then(|a| a.before.as_ref()));
        let paid = op.accesses[1].as_ref();
        let index =
            |i: usize| op.accesses[i].as_ref().map_or(Fr::zero(), |a| small(u64::from(a.index)));
        let kind = op.kind;
        let owner_signed = kind.by_owner();
        let until = primary.frozen_until;
        let frozen = owner_signed
            && op.accesses[0]
                .as_ref()
                .and_then(|a| a.before.as_ref())
                .is_some_and(|a| a.is_frozen(now));
        self.set(&c.frozen, small(u64::from(frozen)));

        let amount40 = small(text.amount40);
        let requested_token = small(text.requested_token);
        let still_frozen = until - time - Fr::one();
        let not_frozen = if frozen { still_frozen } else { time - until };
        let first_user = pow2(17);
        let zero = Fr::zero();
        let deadline = if text.signed { small(text.deadline) - time } else { zero };
        // Mantissa or token, amount field or token, comparison of times, index or time.
        let [first, second, comparison, last] = match kind {
            Kind::DepositNew => {
                [requested_token, requested_token * pow2(24), zero, index(0) - first_user]
            }
            Kind::Deposit | Kind::ForcedExit | Kind::ForcedExitNoop => {
                [requested_token, requested_token * pow2(24), zero, zero]
            }
            Kind::Transfer => [small(text.mantissa), amount40, not_frozen, zero],
            Kind::TransferNew => {
                [small(text.mantissa), amount40, not_frozen, index(1) - first_user]
            }
            Kind::Withdraw => {
                [small(text.mantissa), amount40, not_frozen, wide(halves(&text.x[0]).1)]
            }
            Kind::ChangeKey => [zero, zero, not_frozen, zero],
            Kind::Freeze => [
                time + max_freeze - amount40,
                amount40,
                time - until - cooldown,
                amount40 - time - Fr::one(),
            ],
            Kind::Unfreeze => [zero, zero, still_frozen, zero],
            Kind::Noop => [zero; 4],
        };
        let small_values = [first, second, deadline, comparison, last];
        for (cell, value) in c.small.iter().zip(small_values) {
            self.set(cell, value);
            self.pools.range40(value);
        }
        let second_range = match kind {
            Kind::Deposit | Kind::DepositNew => wide(op.amount),
            Kind::Withdraw => wide(halves(&text.x[0]).0),
            Kind::Transfer | Kind::TransferNew => {
                Fields::of(paid.and_then(|a| a.after.as_ref())).balance
            }
            Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Noop => zero,
        };
        self.set(&c.second_range, second_range);
        self.pools.range128(second_range);
        let after = |i: usize| Fields::of(op.accesses[i].as_ref().and_then(|a| a.after.as_ref()));
        if kind != Kind::Noop {
            self.pools.range128(after(0).balance);
        }
        if owner_signed {
            self.pools.range128(after(2).balance);
            self.pools.range40(after(0).nonce * small(256));
        }

        let token_gap = primary.token - small(text.requested_token);
        let exit_gap = exit - text.requested_exit;
        let mismatch = match (kind == Kind::ForcedExitNoop, token_gap == zero) {
            (true, false) => [inverse_or_zero(token_gap), zero],
            (true, true) => [zero, inverse_or_zero(exit_gap)],
            (false, _) => [zero; 2],
        };
        for (cell, value) in c.mismatch.iter().zip(mismatch) {
            self.set(cell, value);
        }
        self.set(&c.distinct_inverse, inverse_or_zero(index(1) - index(0)));
        let owner = match kind {
            Kind::Transfer => Fields::of(paid.and_then(|a| a.before.as_ref())).owner,
            Kind::Freeze | Kind::Unfreeze => primary.owner,
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::TransferNew
            | Kind::Withdraw
            | Kind::ChangeKey
            | Kind::Noop => zero,
        };
        self.set(&c.owner_inverse, inverse_or_zero(owner));
    }

    fn message(&mut self, op: &OpTrace, text: &Text, state: &OpState) {
        let c = self.cells;
        let mut chain = [Fr::zero(); 3];
        let mut word = Fr::zero();
        let mut message = Fr::zero();
        if text.signed {
            let primary = Fields::of(op.accesses[0].as_ref().and_then(|a| a.before.as_ref()));
            let owner_signed = !op.kind.by_guardian();
            word = text.l2word + primary.token * pow2(152) + small(text.deadline) * pow2(168);
            if owner_signed {
                word += primary.nonce * pow2(120);
            }
            if op.kind.description().to == ToField::Created {
                word -= small(u64::from(text.to)) * pow2(40);
            }
            chain[0] = self.pools.compress(state.context[2], word);
            message = chain[0];
            if op.kind.description().extra > 0 {
                chain[1] = self.pools.compress(chain[0], text.x[0]);
                chain[2] = self.pools.compress(chain[1], text.x[1]);
                message = chain[2];
            }
        }
        self.set(&c.message_word, word);
        self.set(&c.message, message);
        // A forced exit that pays has part of its leaf there.
        if op.kind != Kind::ForcedExit {
            self.extended(text.x, chain);
        }
    }

    /// The extra fields of a message, and its chain.
    fn extended(&mut self, [x1, x2]: [Fr; 2], chain: [Fr; 3]) {
        let c = self.cells;
        self.set(&c.x1, x1);
        self.set(&c.x2, x2);
        for (cell, value) in c.message_chain.iter().zip(chain) {
            self.set(cell, value);
        }
    }

    /// The leaf of the order tree over the words of the kind; moves the position on.
    fn leaf(&mut self, kind: Kind, words: [Fr; 5], state: &mut OpState) {
        let c = self.cells;
        let [main, second, third, exit1, exit2] = words;
        let (mut chain, mut leaf) = ([Fr::zero(); 2], main);
        if kind.is_l1() || kind.writes_owner() || kind == Kind::Withdraw {
            chain[0] = self.pools.compress(main, second);
            chain[1] = self.pools.compress(chain[0], third);
            leaf = chain[1];
        }
        if kind == Kind::ForcedExit {
            let four = self.pools.compress(leaf, exit1);
            let five = self.pools.compress(four, exit2);
            self.extended([exit1, exit2], [leaf, four, five]);
            leaf = five;
        }
        for (cell, value) in c.leaf_chain.iter().zip(chain) {
            self.set(cell, value);
        }
        self.set(&c.leaf, leaf);
        if kind != Kind::Noop {
            state.leaves.push(leaf);
        }
    }

    /// Words, their leaf and their polynomials.
    fn absorb(&mut self, op: &OpTrace, text: &Text, keyhash: Fr, exit: Fr, state: &mut OpState) {
        let c = self.cells;
        let kind = op.kind;
        let l1 = kind.is_l1();
        let deposit = matches!(kind, Kind::Deposit | Kind::DepositNew);
        let owners = kind.writes_owner();
        let exits = kind.exits();
        let primary = Fields::of(op.accesses[0].as_ref().and_then(|a| a.before.as_ref()));
        let index = op.accesses[0].as_ref().map_or(Fr::zero(), |a| small(u64::from(a.index)));
        let amount = wide(op.amount);

        let main = if l1 {
            let (tag, amount) = if deposit { (1, amount) } else { (2, Fr::zero()) };
            small(tag) * pow2(176)
                + small(text.requested_token) * pow2(160)
                + index * pow2(128)
                + amount
        } else {
            text.l2word
        };
        let exit_to = match (exits, l1) {
            (true, true) => text.requested_exit,
            (true, false) => text.x[0],
            (false, _) => Fr::zero(),
        };
        let release = op.limiter.as_ref().map_or(Fr::zero(), |l| small(l.release_time));
        let zero = Fr::zero();
        let [exit1, exit2] = match exits {
            true => {
                [exit_to * pow2(56) + primary.token * pow2(40) + release, amount * pow2(32) + index]
            }
            false => [zero; 2],
        };
        let [second, third] = match kind {
            Kind::Deposit | Kind::DepositNew => [keyhash, exit],
            Kind::ForcedExit | Kind::ForcedExitNoop => [zero, text.requested_exit],
            Kind::TransferNew | Kind::ChangeKey => text.x,
            Kind::Withdraw => [exit1, exit2],
            Kind::Transfer | Kind::Freeze | Kind::Unfreeze | Kind::Noop => [zero; 2],
        };
        let words = [main, second, third, exit1, exit2];
        self.set(&c.exit_to, exit_to);
        self.set(&c.release, release);

        for (cell, word) in c.words.iter().zip(words) {
            self.set(cell, word);
        }
        self.leaf(kind, words, state);

        let r = state.context[1];
        let [main, keyhash_word, exit_word, exit1, exit2] = words;
        let before = state.y;
        let l1_first = before[0] * r + main;
        let l1_second = l1_first * r + keyhash_word;
        let exit_first = before[2] * r + exit1;
        let owner_first = before[3] * r + keyhash_word;
        let absorbed = [
            l1_second * r + exit_word,
            before[1] * r + main,
            exit_first * r + exit2,
            owner_first * r + exit_word,
        ];
        for (cell, value) in c.y_partial.iter().zip([l1_first, l1_second, exit_first, owner_first])
        {
            self.set(cell, value);
        }
        let flags = [l1, text.signed, exits, owners];
        for i in 0..4 {
            self.set(&c.y_before[i], before[i]);
            self.set(&c.counts[i], small(state.counts[i]));
            if flags[i] {
                state.y[i] = absorbed[i];
                state.counts[i] += 1;
            }
            self.set(&c.y_after[i], state.y[i]);
        }
    }
}
