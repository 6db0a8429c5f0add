//! Orders and quotes: what the executor does breaks nothing, and each change of it is found.

use bastion_protocol::{Limit, Quote};
use bastion_state::executor::{OpTrace, Quotes};

use super::*;

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n])
}

fn exit(n: u8) -> Address {
    Address([n + 1; 20])
}

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(9u64),
        time: TIME,
        policy: Policy {
            guardian_keyhash: key(200).public().keyhash(),
            max_freeze: 100,
            cooldown: 100,
            fee_keyhash: key(201).public().keyhash(),
            fee_exit: exit(201),
            default_limits: TokenLimits { rate: 1, burst_seconds: 0, max_delay: 100 },
            limits: BTreeMap::new(),
        },
    }
}

/// Two owners with an account in each of tokens 0 and 1: account `2 n + token` of owner `n`.
fn state() -> State {
    let account = |n: u8, token: u16| {
        let owner = owner(key(n).public().keyhash(), exit(n));
        let index = FIRST_USER + 2 * Index::from(n) + Index::from(token);
        (index, Account { balance: 1_000_000, ..Account::new(owner, token) })
    };
    let accounts = [account(0, 0), account(0, 1), account(1, 0), account(1, 1)];
    State::with_accounts(accounts, [0, 1].map(|n| (key(n).public().keyhash(), exit(n)))).unwrap()
}

fn order(n: u8, sell: u16) -> Op {
    let index = |token: u16| FIRST_USER + 2 * Index::from(n) + Index::from(token);
    let limit = Limit::of(9, 10).unwrap();
    let buy = 1 - sell;
    let action = Action::Order { to: index(buy), buy, amount: 500_000, limit };
    let body = Body { account: index(sell), token: sell, nonce: 0, deadline: TIME, fee: 1, action };
    Op::Signed(body.sign(&key(n), context().domain, exit(n)).unwrap())
}

/// The traces of a batch that trades, each judged and learned before the next; then what a changed one of
/// them breaks.
fn judged(which: usize, change: impl FnOnce(&mut OpTrace)) -> Vec<String> {
    let mut state = state();
    let mut screener = Screener::new(Config::default(), RuleSet::empty(), &state).unwrap();
    let surplus = 500_000 - 500_000 * 65_534 / 65_536;
    let mut quotes = Quotes::default();
    for token in [0, 1] {
        quotes.insert(Quote::price(token, 0, 1 << 95).unwrap(), surplus);
    }
    let ops: Vec<Op> = [order(0, 0), order(1, 1)].into_iter().chain(quotes.ops()).collect();
    let mut batch = OpenBatch::with_quotes(&mut state, context(), quotes).unwrap();
    let (mut change, mut found) = (Some(change), Vec::new());
    for (i, op) in ops.iter().enumerate() {
        let mut trace = batch.execute(&state, op, None).unwrap();
        let of = |trace: &OpTrace, state: &State| {
            Input::of(&Candidate {
                trace,
                state,
                policy: &context().policy,
                hash: [i as u8; 32],
                time: TIME,
                arrived_ms: TIME * 1000,
            })
        };
        let input = of(&trace, &state);
        let verdict = screener.judge(&input);
        assert!(verdict.reasons.is_empty(), "{op:?}: {verdict:?}");
        screener.learn(&input);
        if i == which {
            // What was learned is taken back, so that the changed one is judged where it stands.
            screener.take_back(std::slice::from_ref(&trace)).unwrap();
            let honest = trace.clone();
            change.take().unwrap()(&mut trace);
            let verdict = screener.judge(&of(&trace, &state));
            found = verdict.reasons.into_iter().map(|r| r.detector).collect();
            screener.learn(&of(&honest, &state));
            trace = honest;
        }
        assert!(batch.include(&mut state, trace, |_| true));
    }
    for token in [0, 1] {
        let totals = crate::ledger::Ledger::of(&state).totals(token);
        assert_eq!(screener.memory().ledger.totals(token).live, totals.live);
        assert_eq!(totals.live, 2_000_000u128.into());
    }
    batch.close(&state).unwrap();
    found
}

#[test]
fn an_auction_breaks_nothing() {
    for which in 0..4 {
        assert_eq!(judged(which, |_| {}), Vec::<String>::new());
    }
}

#[test]
fn changed_orders_and_quotes_are_found() {
    let after = |trace: &mut OpTrace, place: usize, by: u128| {
        let access = trace.accesses[place].as_mut().unwrap();
        access.after.as_mut().unwrap().balance += by;
    };
    let conservation = "invariant.conservation".to_owned();
    for (which, place) in [(0, 0), (0, 1), (0, 2), (1, 1), (2, 2)] {
        let found = judged(which, |trace| after(trace, place, 1));
        assert!(found.contains(&conservation), "{which} {place}: {found:?}");
    }
    let found = judged(0, |trace| trace.order.as_mut().unwrap().paid += 1);
    assert!(found.contains(&conservation), "{found:?}");
    // More than was asked for.
    let found = judged(0, |trace| {
        trace.order.as_mut().unwrap().sold += 1;
        trace.amount += 1;
        trace.accesses[0].as_mut().unwrap().after.as_mut().unwrap().balance -= 1;
    });
    assert_eq!(found, ["invariant.amount"]);
    let found = judged(0, |trace| trace.order = None);
    assert!(found.contains(&"invariant.kind".into()), "{found:?}");
    let found = judged(2, |trace| trace.quote = None);
    assert!(found.contains(&"invariant.kind".into()), "{found:?}");
    let found = judged(0, |trace| {
        trace.accesses[1].as_mut().unwrap().after.as_mut().unwrap().owner = Fr::from(3u64);
    });
    assert_eq!(found, ["invariant.owner"]);
    let found = judged(2, |trace| {
        trace.accesses[2].as_mut().unwrap().after.as_mut().unwrap().owner = Fr::from(3u64);
    });
    assert_eq!(found, ["invariant.owner"]);
    let found = judged(0, |trace| trace.order.as_mut().unwrap().buy = 0);
    assert!(found.contains(&"invariant.token".into()), "{found:?}");
    let found =
        judged(0, |trace| trace.accesses[0].as_mut().unwrap().after.as_mut().unwrap().nonce += 1);
    assert_eq!(found, ["invariant.nonce"]);
}
