//! What a batch took before its prices were known can always be executed: with the prices that are found, and
//! with none.

use super::*;
use crate::executor::unpriced::UnpricedBatch;
use crate::executor::{execute_again, Pushed};
use bastion_auction::AMOUNT_BITS as SUPPLY_BITS;
use bastion_protocol::account::fee_index;
use bastion_protocol::ops::{Float, AMOUNT_BITS};
use bastion_protocol::{Limit, Quote, Token};
use proptest::prelude::*;

/// Users, each with two accounts in each token. Fee accounts have a key here, the first user's.
const USERS: u32 = 3;
const TOKENS: Token = 3;

fn owner_of(user: u32) -> Index {
    FIRST_USER + user
}

fn account(user: u32, token: Token, second: bool) -> Index {
    FIRST_USER + (user * u32::from(TOKENS) + u32::from(token)) * 2 + u32::from(second)
}

fn policy_context() -> BatchContext {
    let mut context = context();
    context.policy.fee_keyhash = key(owner_of(0)).public().keyhash();
    context.policy.fee_exit = exit(owner_of(0));
    context
}

/// How near the end of 128 bits a balance is.
#[derive(Debug, Clone, Copy)]
struct Wealth {
    high: bool,
    /// Distance from the end, or the balance itself, as a power of two.
    bits: u32,
}

impl Wealth {
    fn balance(self) -> u128 {
        let distance = 1_u128 << self.bits.min(127);
        if self.high {
            u128::MAX - distance
        } else {
            distance
        }
    }
}

/// One step: who does what, by small numbers that are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
struct Step {
    what: u8,
    from: u32,
    to: u32,
    sell: Token,
    buy: Token,
    second: bool,
    fees: bool,
    bits: u32,
    limit: (u32, u32),
}

fn steps() -> impl Strategy<Value = (Vec<Wealth>, Vec<Step>)> {
    let wealth = (any::<bool>(), 0_u32..127).prop_map(|(high, bits)| Wealth { high, bits });
    let step = (
        (0_u8..10, 0..USERS, 0..USERS, 0..TOKENS, 0..TOKENS),
        (any::<bool>(), any::<bool>(), 0_u32..SUPPLY_BITS, (1_u32..2_000, 1_u32..2_000)),
    );
    let step = step.prop_map(|((what, from, to, sell, buy), (second, fees, bits, limit))| Step {
        what,
        from,
        to,
        sell,
        buy,
        second,
        fees,
        bits,
        limit,
    });
    let accounts = (USERS * u32::from(TOKENS) * 2 + u32::from(TOKENS)) as usize;
    (proptest::collection::vec(wealth, accounts), proptest::collection::vec(step, 1..40))
}

fn rich(wealth: &[Wealth]) -> State {
    let of = |user: u32| (key(owner_of(user)).public().keyhash(), exit(owner_of(user)));
    let mut accounts = Vec::new();
    let mut wealth = wealth.iter();
    for user in 0..USERS {
        let (keyhash, exit) = of(user);
        for (token, second) in (0..TOKENS).flat_map(|t| [(t, false), (t, true)]) {
            let balance = wealth.next().unwrap().balance();
            let made = Account { balance, ..Account::new(owner(keyhash, exit), token) };
            accounts.push((account(user, token, second), made));
        }
    }
    // The fee account of the last token is made by what is executed.
    for token in 0..TOKENS - 1 {
        let balance = wealth.next().unwrap().balance();
        let made = Account::new(policy_context().policy.fee_owner(), token);
        accounts.push((fee_index(token), Account { balance, ..made }));
    }
    State::with_accounts(accounts, (0..USERS).map(of)).unwrap()
}

/// The operation of a step on the state as it is.
fn operation(state: &State, step: Step) -> Op {
    let Step { what, from, to, sell, buy, second, fees, bits, limit } = step;
    let deposit = |user, amount| {
        let (keyhash, exit) = (key(owner_of(user)).public().keyhash(), exit(owner_of(user)));
        Op::Deposit(Deposit { token: sell, amount, keyhash, exit })
    };
    let mut index = account(from, sell, second);
    let mut who = from;
    if fees && from == 0 {
        (index, who) = (fee_index(sell), 0);
    }
    let held = state.account(index).map_or(0, |account| account.balance);
    // Some ask for all that there is, some for a little.
    let wanted = if bits % 3 == 0 { held } else { held.min(1 << bits) };
    let amount = Float::floor(wanted, AMOUNT_BITS).value().unwrap();
    let least = Float::floor(wanted.min((1 << SUPPLY_BITS) - 1), AMOUNT_BITS).value().unwrap();
    let action = match what {
        0 => return deposit(to, 1 << bits),
        1 => {
            let (index, token) = (account(to, sell, second), sell);
            return Op::ForcedExit(ForcedExit { index, token, exit: exit(owner_of(to)) });
        }
        2 | 3 => {
            let to = if fees { fee_index(sell) } else { account(to, sell, !second) };
            Action::Transfer { to, amount }
        }
        4 => Action::Withdraw { to: exit(owner_of(from)), amount: least },
        5 => {
            let keyhash = key(owner_of(to)).public().keyhash();
            Action::TransferNew { keyhash, exit: exit(owner_of(to)), amount }
        }
        _ => {
            let to =
                if fees && who == 0 && second { fee_index(buy) } else { account(who, buy, second) };
            let limit = Limit::of(limit.0.into(), limit.1.into()).unwrap();
            Action::Order { to, buy, amount: least, limit }
        }
    };
    let nonce = state.account(index).map_or(0, |account| account.nonce);
    let body = Body {
        account: index,
        token: sell,
        nonce,
        deadline: TIME,
        fee: u128::from(bits % 2),
        action,
    };
    Op::Signed(body.sign(&key(owner_of(who)), Fr::from(DOMAIN), exit(owner_of(who))).unwrap())
}

fn leaves<'t>(traces: impl Iterator<Item = &'t OpTrace>) -> Vec<Option<Fr>> {
    traces.map(OpTrace::leaf).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 192 }))]

    #[test]
    fn what_was_taken_can_be_closed((wealth, steps) in steps()) {
        let mut state = rich(&wealth);
        let before = state.clone();
        let mut batch = UnpricedBatch::new(&mut state, policy_context()).unwrap();
        for step in steps {
            let op = operation(&state, step);
            let Ok(trace) = batch.execute(&state, &op, None) else { continue };
            let leaf = trace.leaf();
            if batch.include(&mut state, trace, None, |_| true) == Pushed::Taken {
                // The receipt names it.
                prop_assert_eq!(batch.traces().last().and_then(OpTrace::leaf), leaf);
            }
        }
        let taken: Vec<Op> = batch.ops().copied().collect();
        let promised = leaves(batch.traces());
        let least: Vec<(Index, u128)> = state.accounts().map(|(i, a)| (i, a.balance)).collect();
        let tokens: std::collections::BTreeSet<Token> =
            batch.traces().filter_map(|trace| trace.order).flat_map(|o| [o.sell, o.buy]).collect();

        // At no prices at all.
        let none: Vec<Quote> = tokens.iter().map(|t| Quote::price(*t, 0, 0).unwrap()).collect();
        let mut unfilled = before.clone();
        let closed = execute_again(&mut unfilled, &policy_context(), &taken, &none);
        let closed = closed.map_err(|why| TestCaseError::fail(format!("none: {why}")))?;
        prop_assert_eq!(&leaves(closed.ops().iter().take(taken.len())), &promised);
        let sold = closed.ops().iter().filter_map(|trace| trace.order).map(|o| o.sold).max();
        prop_assert_eq!(sold.unwrap_or(0), 0);

        // At the prices that are found, which do as well by another path.
        let closed = batch.close(&mut state);
        let closed = closed.map_err(|why| TestCaseError::fail(format!("solved: {why}")))?;
        prop_assert_eq!(&leaves(closed.ops().iter().take(taken.len())), &promised);
        prop_assert!(closed.ops()[taken.len()..].iter().all(|trace| trace.quote.is_some()));
        let quotes: Vec<Quote> = closed.ops().iter().filter_map(|t| Some(t.quote?.quote)).collect();
        let mut again = before.clone();
        let other = execute_again(&mut again, &policy_context(), &taken, &quotes);
        let other = other.map_err(|why| TestCaseError::fail(format!("again: {why}")))?;
        prop_assert_eq!(other.ops(), closed.ops());
        // Nobody has less than was counted on.
        for (index, least) in least {
            prop_assert!(state.account(index).unwrap().balance >= least, "account {}", index);
        }
        // The solver's prices were good enough, so that nothing but them had to decide.
        let auction = bastion_auction::Auction::new(
            closed.ops().iter().filter_map(|t| t.order).map(|o| bastion_auction::Order {
                sell: o.sell, buy: o.buy, amount: o.amount, limit: o.limit,
            }).collect(),
            bastion_auction::Terms::default(),
        ).unwrap();
        let posted = bastion_auction::post(&auction, &bastion_auction::solve(&auction));
        let filled: Vec<u128> = posted.fills.iter().map(|fill| fill.sold).collect();
        let got: Vec<u128> =
            closed.ops().iter().filter_map(|t| t.order).map(|o| o.sold).collect();
        prop_assert_eq!(got, filled);
    }
}
