//! A batch that promised places to hidden orders takes whatever they turn out to be.

use super::*;
use crate::executor::unpriced::UnpricedBatch;
use crate::executor::{Footprint, HiddenOrder, Pushed};
use bastion_protocol::account::fee_index;
use bastion_protocol::ops::{Float, SignedOp, AMOUNT_BITS};
use bastion_protocol::{Kind, Limit, Token};
use proptest::prelude::*;

const USERS: u32 = 3;
const TOKENS: Token = 4;
/// The accounts of nobody, to which forfeits are paid.
const NOBODY: u32 = 9;

fn account(user: u32, token: Token) -> Index {
    FIRST_USER + user * u32::from(TOKENS) + u32::from(token)
}

fn who(user: u32) -> (Fr, Address) {
    let name = FIRST_USER + user;
    (key(name).public().keyhash(), exit(name))
}

fn world(balances: &[u128]) -> State {
    let mut accounts = Vec::new();
    let mut balances = balances.iter();
    for user in (0..USERS).chain([NOBODY]) {
        let (keyhash, exit) = who(user);
        for token in 0..TOKENS {
            let balance = *balances.next().unwrap();
            let made = Account { balance, ..Account::new(owner(keyhash, exit), token) };
            accounts.push((account(user, token), made));
        }
    }
    State::with_accounts(accounts, (0..USERS).chain([NOBODY]).map(who)).unwrap()
}

fn signed(state: &State, user: u32, sell: Token, fee: u128, action: Action) -> SignedOp {
    let index = account(user, sell);
    let nonce = state.account(index).unwrap().nonce;
    let body = Body { account: index, token: sell, nonce, deadline: TIME, fee, action };
    body.sign(&key(FIRST_USER + user), Fr::from(DOMAIN), who(user).1).unwrap()
}

fn order(state: &State, step: &Step, buy: Token, wanted: u128) -> SignedOp {
    let Step { user, sell, limit, .. } = *step;
    let fee = u128::from(step.bits % 2);
    let amount = Float::floor(wanted.saturating_sub(fee), AMOUNT_BITS).value().unwrap();
    let limit = Limit::of(limit.0.into(), limit.1.into()).unwrap();
    let action = Action::Order { to: account(user, buy), buy, amount, limit };
    signed(state, user, sell, fee, action)
}

#[derive(Debug, Clone)]
struct Step {
    user: u32,
    sell: Token,
    buy: Token,
    hidden: bool,
    /// What became of a hidden order: it was revealed, and paid to another account than the first.
    revealed: bool,
    other: bool,
    bits: u32,
    limit: (u32, u32),
}

fn steps() -> impl Strategy<Value = (Vec<u128>, Vec<Step>)> {
    let balance = (any::<bool>(), 1_u32..127).prop_map(|(high, bits)| match high {
        true => u128::MAX - (1 << bits),
        false => 1 << bits,
    });
    let step = (
        (0..USERS, 0..TOKENS, 1..TOKENS, any::<bool>(), any::<bool>(), any::<bool>()),
        (0_u32..112, (1_u32..2_000, 1_u32..2_000)),
    );
    let step = step.prop_map(|((user, sell, by, hidden, revealed, other), (bits, limit))| Step {
        user,
        sell,
        buy: (sell + by) % TOKENS,
        hidden,
        revealed,
        other,
        bits,
        limit,
    });
    let accounts = ((USERS + 1) * u32::from(TOKENS)) as usize;
    (proptest::collection::vec(balance, accounts), proptest::collection::vec(step, 1..24))
}

/// Room that was taken, by what it is for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Room {
    accounts: usize,
    nodes: usize,
    orders: usize,
    quotes: usize,
    others: usize,
}

impl Room {
    fn take(&mut self, f: &Footprint) -> bool {
        (self.accounts, self.nodes) = (f.accounts, f.nodes);
        match f.kind {
            Kind::Order => self.orders += 1,
            Kind::Quote => self.quotes += 1,
            _ => self.others += 1,
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 192 }))]

    #[test]
    fn whatever_a_hidden_order_says_it_is_taken((balances, steps) in steps()) {
        let mut state = world(&balances);
        let before = state.clone();
        let mut batch = UnpricedBatch::new(&mut state, context()).unwrap();
        let mut room = Room::default();
        let mut locked = std::collections::BTreeSet::new();
        // Each with what it turns out to be.
        let mut places: Vec<SignedOp> = Vec::new();
        for step in &steps {
            let index = account(step.user, step.sell);
            if locked.contains(&index) {
                continue;
            }
            if !step.hidden {
                let op = order(&state, step, step.buy, 1 << step.bits);
                let Ok(trace) = batch.execute(&state, &Op::Signed(op), None) else { continue };
                if batch.include(&mut state, trace, None, |f| room.take(f)) == Pushed::Taken {
                    places.push(op);
                }
                continue;
            }
            let second = (step.buy + 1) % TOKENS;
            let mut buys: Vec<Token> = [step.buy, second].into_iter().filter(|t| *t != step.sell).collect();
            buys.sort_unstable();
            buys.dedup();
            let paid: Vec<Index> = buys.iter().map(|token| account(step.user, *token)).collect();
            // Another fee than the order's, at times.
            let fee = u128::from(step.limit.0 % 3);
            let burned = account(NOBODY, step.sell);
            let action = Action::Transfer { to: burned, amount: 1 };
            let forfeit = signed(&state, step.user, step.sell, fee, action);
            let available = batch.available(&state, index);
            // Signed before it is handed in, with all that the account may spend or less.
            let wanted = if step.bits % 3 == 0 { available } else { available.min(1 << step.bits) };
            let buy = if step.other { buys[buys.len() - 1] } else { buys[0] };
            let hidden = order(&state, step, buy, wanted);
            let offered = HiddenOrder { paid, forfeit };
            let taken = batch.include_hidden(&mut state, &offered, None, |f| room.take(f));
            if taken != Ok(Pushed::Taken) {
                continue;
            }
            locked.insert(index);
            let sells = hidden.body.action.amount().unwrap_or_default() > 0;
            places.push(if step.revealed && sells { hidden } else { forfeit });
        }
        batch.abandon(&mut state);
        prop_assert!(state.accounts().eq(before.accounts()), "the simulation left a trace");

        let mut batch = UnpricedBatch::new(&mut state, context()).unwrap();
        let mut used = Room::default();
        for (place, op) in places.iter().enumerate() {
            let trace = batch.execute(&state, &Op::Signed(*op), None);
            let trace = trace.map_err(|why| TestCaseError::fail(format!("place {place}: {why}")))?;
            let pushed = batch.include(&mut state, trace, None, |f| used.take(f));
            prop_assert_eq!(pushed, Pushed::Taken);
        }
        // It fits where the promises fit: a transfer takes less room than an order.
        prop_assert!(used.accounts <= room.accounts && used.nodes <= room.nodes, "{used:?} {room:?}");
        prop_assert!(used.quotes <= room.quotes, "{used:?} {room:?}");
        prop_assert!(used.orders + used.others <= room.orders + room.others, "{used:?} {room:?}");
        let closed = batch.close(&mut state);
        closed.map_err(|why| TestCaseError::fail(format!("closed: {why}")))?;
    }
}

fn simple() -> (State, SignedOp) {
    let state = world(&[1 << 40; 16]);
    let action = Action::Transfer { to: account(NOBODY, 0), amount: 5 };
    let forfeit = signed(&state, 0, 0, 0, action);
    (state, forfeit)
}

fn offered(state: &mut State, paid: &[Index], forfeit: SignedOp) -> Result<Pushed, Rejection> {
    let mut batch = UnpricedBatch::new(state, context()).unwrap();
    let hidden = HiddenOrder { paid: paid.to_vec(), forfeit };
    batch.include_hidden(state, &hidden, None, |_| true)
}

#[test]
fn accounts_that_cannot_be_paid_are_refused() {
    let (mut state, forfeit) = simple();
    assert_eq!(offered(&mut state, &[account(0, 1)], forfeit), Ok(Pushed::Taken));
    let refused = |paid: Index, why: &dyn Fn(&Rejection) -> bool| {
        let (mut state, forfeit) = simple();
        let result = offered(&mut state, &[account(0, 1), paid], forfeit);
        assert!(result.as_ref().is_err_and(why), "{result:?}");
    };
    refused(account(0, 0), &|r| matches!(r, Rejection::SameToken(_)));
    refused(account(1, 2), &|r| matches!(r, Rejection::OtherOwner { .. }));
    refused(FIRST_USER + 900, &|r| matches!(r, Rejection::NoSuchAccount(_)));
    let mut balances = [1 << 40; 16];
    balances[2] = u128::MAX - 5;
    let mut state = world(&balances);
    let result = offered(&mut state, &[account(0, 1), account(0, 2)], forfeit);
    assert!(matches!(result, Err(Rejection::BalanceOverflow(_))), "{result:?}");
}

#[test]
fn a_forfeit_that_cannot_be_executed_is_refused() {
    let (state, forfeit) = simple();
    let changes: [fn(&mut Body); 4] = [
        |b| b.nonce += 1,
        |b| b.deadline = TIME - 1,
        |b| b.fee = 20_000_000_000_000,
        |b| b.account = fee_index(0),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut body = forfeit.body;
        change(&mut body);
        let signed = body.sign(&key(FIRST_USER), Fr::from(DOMAIN), who(0).1).unwrap();
        let mut state = state.clone();
        assert!(offered(&mut state, &[account(0, 1)], signed).is_err(), "{i}");
        let mut forged = forfeit;
        forged.signature = signed.signature;
        assert!(offered(&mut state, &[account(0, 1)], forged).is_err(), "signature {i}");
    }
}

#[test]
fn without_room_it_waits() {
    let (mut state, forfeit) = simple();
    for least in [Kind::Quote, Kind::Order] {
        let mut batch = UnpricedBatch::new(&mut state, context()).unwrap();
        let hidden = HiddenOrder { paid: vec![account(0, 1)], forfeit };
        let pushed = batch.include_hidden(&mut state, &hidden, None, |f| f.kind != least);
        assert_eq!(pushed, Ok(Pushed::Waits), "{least:?}");
        // Nothing is held for what was not taken.
        let mut asked = Vec::new();
        let pushed = batch.include_hidden(&mut state, &hidden, None, |f| {
            asked.push(f.kind);
            true
        });
        assert_eq!(pushed, Ok(Pushed::Taken));
        assert_eq!(asked, [Kind::Order, Kind::Quote, Kind::Quote, Kind::Quote]);
        batch.abandon(&mut state);
    }
}
