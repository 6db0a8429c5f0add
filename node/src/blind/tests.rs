use super::*;
use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::blind::{BlindError, Hidden, BURNED_EXIT, BURNED_KEYHASH};
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Body, Deposit};
use bastion_protocol::{Address, Kind, Limit};

use crate::devnet::{dev_exit, dev_key, dev_policy};
use crate::posting::Posting;
use bastion_circuits::Slots;
use bastion_protocol::data::DataMode;

const TIME: u64 = 1_800_000_000;
const REVEAL_BY: u64 = TIME + 600;
/// Accounts of the owner, and those of nobody.
const SELLS: Index = FIRST_USER;
const PAID: Index = FIRST_USER + 1;
const BURNED: Index = FIRST_USER + 2;

fn key() -> SecretKey {
    dev_key("owner")
}

fn deposit(token: u16, (keyhash, exit): (Fr, Address)) -> Op {
    Op::Deposit(Deposit { token, amount: 1 << 60, keyhash, exit })
}

fn context() -> BatchContext {
    BatchContext { domain: Fr::from(3_u64), time: TIME, policy: dev_policy() }
}

fn signer() -> ReceiptSigner {
    ReceiptSigner::new(&B256::repeat_byte(5), 1, Address([7; 20])).unwrap()
}

fn rules() -> Rules {
    let bonds = [(0, 1_000), (1, 1_000)].into();
    Rules { epoch: 0, block: 1, batch: 0, reveal_by: REVEAL_BY, bonds }
}

fn room() -> Room {
    Posting::from(DataMode::Blob).room(&Shape::market(), 1)
}

/// A batch after the deposits.
fn batch(state: &mut State) -> BlindBatch<'_> {
    let mut batch = BlindBatch::new(state, context(), room(), rules()).unwrap();
    let owner = (key().public().keyhash(), dev_exit("owner"));
    for (token, whose) in [(0, owner), (1, owner), (0, (BURNED_KEYHASH, BURNED_EXIT))] {
        batch.take(&deposit(token, whose), &signer()).unwrap();
    }
    batch
}

fn body(nonce: u32) -> Body {
    let limit = Limit::of(1, 2).unwrap();
    let action = Action::Order { to: PAID, buy: 1, amount: 1 << 30, limit };
    Body { account: SELLS, token: 0, nonce, deadline: TIME, fee: 0, action }
}

fn hidden() -> Hidden {
    hidden_with(body(0), vec![PAID], BURNED)
}

fn hidden_with(body: Body, paid: Vec<Index>, burned: Index) -> Hidden {
    Hidden::new(body, paid, (burned, 1_000), &key(), context().domain).unwrap()
}

fn signed(body: Body) -> Op {
    Op::Signed(body.sign(&key(), context().domain, dev_exit("owner")).unwrap())
}

/// Runs something with a batch of the market's shape.
fn with(test: impl FnOnce(BlindBatch<'_>)) {
    let mut state = State::new();
    test(batch(&mut state));
}

#[test]
fn an_order_is_revealed_after_the_closing_and_never_before() {
    with(|mut batch| {
        let hidden = hidden();
        let signed = batch.take_blind(&hidden.request, &signer()).unwrap();
        let early = batch.reveal(SELLS, &hidden.opening, &signer());
        assert!(matches!(early, Err(BlindBatchError::Open)));
        let closing = batch.close(&signer()).unwrap();
        assert_eq!(closing.entries[3], signed.blind.entry());
        assert!(matches!(batch.close(&signer()), Err(BlindBatchError::Closed)));
        let late = batch.take(&deposit(0, (BURNED_KEYHASH, BURNED_EXIT)), &signer());
        assert!(matches!(late, Err(BlindBatchError::Closed)));
        let late = batch.take_blind(&hidden.request, &signer());
        assert!(matches!(late, Err(BlindBatchError::Closed)));
        assert_eq!(batch.unrevealed().collect::<Vec<_>>(), [SELLS]);
        let receipt = batch.reveal(SELLS, &hidden.opening, &signer()).unwrap();
        assert_eq!(receipt.receipt.place, signed.blind.receipt.place);
        assert_eq!(receipt.receipt.leaf, signed.blind.receipt.leaf);
        assert_eq!(batch.unrevealed().count(), 0);
        let trace = batch.finish(TIME).unwrap();
        assert_eq!(trace.ops[3].leaf(), Some(signed.blind.receipt.leaf));
    });
}

#[test]
fn a_batch_waits_for_l1_while_an_order_is_hidden() {
    for (time, waits) in [(TIME, true), (REVEAL_BY, true), (REVEAL_BY + 1, false)] {
        with(|mut batch| {
            let signed = batch.take_blind(&hidden().request, &signer()).unwrap();
            batch.close(&signer()).unwrap();
            let finished = batch.finish(time);
            if waits {
                assert!(matches!(finished, Err(BlindBatchError::TooSoon { hidden: 1, .. })));
            } else {
                assert_eq!(finished.unwrap().ops[3].leaf(), Some(signed.blind.forfeit));
            }
        });
    }
    with(|batch| assert!(matches!(batch.finish(TIME), Err(BlindBatchError::Open))));
}

/// A batch that cannot be finished leaves the state as it was.
#[test]
fn what_is_not_finished_leaves_no_trace() {
    let (mut state, before) = (State::new(), State::new());
    let mut batch = batch(&mut state);
    batch.take_blind(&hidden().request, &signer()).unwrap();
    batch.close(&signer()).unwrap();
    assert!(matches!(batch.ready(REVEAL_BY), Err(BlindBatchError::TooSoon { .. })));
    batch.ready(REVEAL_BY + 1).unwrap();
    assert!(batch.finish(REVEAL_BY).is_err());
    assert!(state.accounts().eq(before.accounts()));
}

#[test]
fn an_order_does_not_open_as_another() {
    with(|mut batch| {
        let hidden = hidden();
        batch.take_blind(&hidden.request, &signer()).unwrap();
        batch.close(&signer()).unwrap();
        let other = Opening { amount: 1 << 20, ..hidden.opening };
        let refused = batch.reveal(SELLS, &other, &signer());
        let why = BlindError::OtherOrder { what: "the leaf" };
        assert!(matches!(refused, Err(BlindBatchError::Blind(found)) if found == why));
        let none = batch.reveal(PAID, &hidden.opening, &signer());
        assert!(matches!(none, Err(BlindBatchError::NothingHidden(PAID))));
        assert_eq!(batch.unrevealed().count(), 1);
    });
}

#[test]
fn the_account_of_a_hidden_order_does_nothing_else() {
    with(|mut batch| {
        batch.take(&signed(body(0)), &signer()).unwrap();
        let second = hidden_with(body(1), vec![PAID], BURNED);
        batch.take_blind(&second.request, &signer()).unwrap();
        let third = hidden_with(body(2), vec![PAID], BURNED);
        let refused = batch.take_blind(&third.request, &signer());
        assert!(matches!(refused, Err(BlindBatchError::Waits(SELLS))));
        let refused = batch.take(&signed(body(2)), &signer());
        assert!(matches!(refused, Err(BlindBatchError::Waits(SELLS))));
    });
}

#[test]
fn what_breaks_a_promise_is_not_taken() {
    let refused = |request: Request, why: fn(&BlindBatchError) -> bool| {
        with(|mut batch| {
            let result = batch.take_blind(&request, &signer());
            assert!(result.as_ref().is_err_and(why), "{result:?}");
            // Nothing was promised.
            let taken = batch.take_blind(&hidden().request, &signer()).unwrap();
            assert_eq!(taken.blind.receipt.place.position, 3);
        });
    };
    let other = dev_key("other");
    let forged = Request { signature: other.sign(hidden().request.message), ..hidden().request };
    refused(forged, |e| matches!(e, BlindBatchError::Signature));
    refused(hidden_with(body(0), vec![PAID], SELLS).request, |e| {
        matches!(e, BlindBatchError::NotBurned(Some(SELLS)))
    });
    refused(hidden_with(body(0), vec![PAID], 77).request, |e| {
        matches!(e, BlindBatchError::NotBurned(None))
    });
    refused(hidden_with(body(0), vec![], BURNED).request, |e| {
        matches!(e, BlindBatchError::Blind(BlindError::PaidAccounts { .. }))
    });
    refused(hidden_with(body(0), vec![PAID, 999_999], BURNED).request, |e| {
        matches!(e, BlindBatchError::NoAccount(999_999))
    });
    refused(hidden_with(body(0), vec![SELLS], BURNED).request, |e| {
        matches!(e, BlindBatchError::Rejected(_))
    });
    refused(hidden_with(body(1), vec![PAID], BURNED).request, |e| {
        matches!(e, BlindBatchError::Rejected(_))
    });
    // Owners could not price these.
    let small = Hidden::new(body(0), vec![PAID], (BURNED, 999), &key(), context().domain);
    refused(small.unwrap().request, |e| {
        matches!(e, BlindBatchError::SmallForfeit { token: 0, least: 1_000 })
    });
    let other = Body { token: 7, ..body(0) };
    refused(hidden_with(other, vec![PAID], BURNED).request, |e| {
        matches!(e, BlindBatchError::NotListed(7))
    });
    let system = Body { account: 5, ..body(0) };
    refused(hidden_with(system, vec![PAID], BURNED).request, |e| {
        matches!(e, BlindBatchError::SystemAccount(5))
    });
}

/// Quotes of all tokens that it may buy are held for a hidden order. Two orders must not hold those of a batch.
#[test]
fn a_hidden_order_may_buy_four_tokens() {
    let mut state = State::new();
    let bonds = (0..6).map(|token| (token, 1_000)).collect();
    let rules = Rules { bonds, ..rules() };
    let mut batch = BlindBatch::new(&mut state, context(), room(), rules).unwrap();
    let owner = (key().public().keyhash(), dev_exit("owner"));
    batch.take(&deposit(0, owner), &signer()).unwrap();
    for token in 1..6 {
        batch.take(&deposit(token, owner), &signer()).unwrap();
    }
    batch.take(&deposit(0, (BURNED_KEYHASH, BURNED_EXIT)), &signer()).unwrap();
    let asks = |tokens: Index| {
        let paid = (PAID..PAID + tokens).collect();
        hidden_with(body(0), paid, FIRST_USER + 6).request
    };
    let refused = batch.take_blind(&asks(5), &signer());
    assert!(matches!(refused, Err(BlindBatchError::Tokens { got: 5, most: 4 })), "{refused:?}");
    batch.take_blind(&asks(4), &signer()).unwrap();
}

#[test]
fn only_orders_and_entries_of_the_queue_are_taken() {
    with(|mut batch| {
        let action = Action::Transfer { to: BURNED, amount: 5 };
        for op in [Op::Noop, signed(Body { action, ..body(0) })] {
            let refused = batch.take(&op, &signer());
            assert!(matches!(refused, Err(BlindBatchError::NotAnOrder)), "{refused:?}");
        }
    });
}

/// Room for an order is room for its forfeit.
#[test]
fn a_transfer_takes_no_more_room_than_an_order() {
    let of = |kind| Slots::empty().with(kind, 4, 40, 0);
    let (order, transfer) = (of(Kind::Order), of(Kind::Transfer));
    assert!(transfer.fits(&order), "{transfer:?} {order:?}");
}
