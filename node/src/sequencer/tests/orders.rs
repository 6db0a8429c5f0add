//! Orders: their receipts, the batches that they end, and what is left of them after a restart.

use bastion_audit::Replay;
use bastion_circuits::witness::{checked, ChainedInputs};
use bastion_protocol::data::{chain_start, polynomial_start};
use bastion_protocol::{Kind, Limit, Quote, Token};
use bastion_state::executor::posted_data;
use rand::{Rng, SeedableRng};

use super::*;

/// Account of a user in a token, in a log that began with [`fund_pairs`].
fn account(user: Index, token: Token) -> Index {
    FIRST_USER + 2 * user + Index::from(token)
}

fn deposit_of(user: Index, token: Token, amount: u128) -> Op {
    let keyhash = key(user).public().keyhash();
    Op::Deposit(Deposit { token, amount, keyhash, exit: dev_exit("user") })
}

/// Deposits in both tokens for users 0..n.
fn fund_pairs(sequencer: &mut Sequencer, n: Index) {
    let deposits = (0..n).flat_map(|user| [0, 1].map(|token| deposit_of(user, token, ETH)));
    sequencer.take_from_queue(0, &deposits.collect::<Vec<_>>(), TIME).unwrap();
}

fn sign(user: Index, token: Token, nonce: u32, action: Action) -> SignedOp {
    let (account, deadline) = (account(user, token), TIME + 3_600);
    let body = Body { account, token, nonce, deadline, fee: 1_000, action };
    body.sign(&key(user), domain(), dev_exit("user")).unwrap()
}

/// Sells a part of 1000 of an ether for at least 9 / 10.
fn order(user: Index, sell: Token, nonce: u32, parts: u128) -> SignedOp {
    let buy = 1 - sell;
    let (to, amount) = (account(user, buy), ETH / 1_000 * parts);
    sign(user, sell, nonce, Action::Order { to, buy, amount, limit: Limit::of(9, 10).unwrap() })
}

fn places(receipts: &[SignedReceipt]) -> Vec<(u64, u32, u32)> {
    let place = |r: &SignedReceipt| {
        let Place { block, batch, position } = r.receipt.place;
        (block, batch, position)
    };
    receipts.iter().map(place).collect()
}

/// Every receipt of these batches names the leaf that is posted at its place, by the operator's data alone, and a
/// proof of each batch exists.
fn kept(sealed: &[Sealed], receipts: &[SignedReceipt]) {
    let mut replay = Replay::new();
    for Sealed { row, trace, .. } in sealed {
        replay.set_policy(&row.context.policy);
        let data = posted_data(&trace.ops);
        replay.apply(&data, row.context.time).unwrap();
        let order = replay.take_order();
        let leaves = &order.batches.last().unwrap().leaves;
        assert_eq!(Some(leaves.len()), row.sealed.map(|count| count as usize));
        assert_eq!(replay.root(), trace.new_root);
        for SignedReceipt { receipt, .. } in receipts {
            let Place { block, batch, position } = receipt.place;
            if (block, batch) == (row.block, row.batch) {
                assert_eq!(leaves[position as usize], receipt.leaf, "{:?}", receipt.place);
            }
        }
        let link = ChainedInputs {
            c_in: chain_start(),
            y_in: polynomial_start(),
            r: trace.new_root,
            blob: None,
        };
        checked(&Shape::tiny(), trace, &link).unwrap();
    }
}

#[test]
fn an_order_has_its_place_at_once_and_is_filled_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    let group = [order(0, 0, 0, 400), order(1, 1, 0, 300)];
    let receipts = accepted(sequencer.sequence(&group, TIME).unwrap());
    assert_eq!(places(&receipts), [(1, 0, 4), (1, 0, 5)]);
    // Held back, and nothing bought.
    let balance =
        |s: &Sequencer, user, token| s.state().account(account(user, token)).unwrap().balance;
    assert_eq!(balance(&sequencer, 0, 0), ETH - ETH / 1_000 * 400 - 1_000);
    assert_eq!(balance(&sequencer, 0, 1), ETH);
    assert!(sequencer.log().quotes(0).unwrap().is_empty());
    assert_eq!(accepted(sequencer.sequence(&group, TIME).unwrap()), receipts, "sent again");

    sequencer.close(true).unwrap();
    assert!(balance(&sequencer, 0, 0) > ETH - ETH / 1_000 * 340);
    assert!(balance(&sequencer, 0, 1) > ETH + ETH / 1_000 * 290);
    let sealed = seal(&mut sequencer, &mut sealer);
    let quotes = sequencer.log().quotes(0).unwrap();
    let ops = &sealed[0].trace.ops;
    assert!(ops[..6].iter().all(|op| op.kind != Kind::Quote));
    let posted: Vec<Quote> = ops[6..].iter().map(|op| op.quote.unwrap().quote).collect();
    assert_eq!((quotes.len() >= 2, &quotes), (true, &posted));
    assert_eq!(sealed[0].row.sealed, Some(6 + quotes.len() as u32));
    assert_eq!(sequencer.log().next(), 6, "quotes are nobody's");
    assert!(ops[4].order.unwrap().sold > 0);
    kept(&sealed, &receipts);
    // The next entry is the next batch's.
    accepted(sequencer.sequence(&[transfer(0, 2, 1)], TIME).unwrap());
    assert_eq!(sequencer.log().batch(2).unwrap().unwrap().first, 6);
}

/// The shape has room for two orders and four quotes. A third order waits for the next batch, and nobody else does:
/// else orders that fill nothing would end each batch.
#[test]
fn an_order_that_the_auction_has_no_room_for_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    sequencer.close(false).unwrap();
    let third = order(0, 0, 1, 50);
    let group = [order(0, 0, 0, 100), order(1, 1, 0, 100), third, transfer(0, 2, 1)];
    let mut answers = sequencer.sequence(&group, TIME).unwrap();
    let refused = answers.remove(2).unwrap_err();
    assert_eq!(refused, Decline::AuctionFull);
    let mut receipts = accepted(answers);
    assert_eq!(places(&receipts), [(1, 1, 0), (1, 1, 1), (1, 1, 2)]);
    sequencer.close(false).unwrap();
    let again = [order(0, 0, 2, 50), order(1, 1, 1, 50)];
    let later = accepted(sequencer.sequence(&again, TIME).unwrap());
    assert_eq!(places(&later), [(2, 0, 0), (2, 0, 1)]);
    receipts.extend(later);
    sequencer.close(true).unwrap();
    let sealed = seal(&mut sequencer, &mut sealer);
    kept(&sealed, &receipts);
    for batch in [&sealed[1], &sealed[2]] {
        let filled = batch.trace.ops.iter().filter_map(|op| op.order).filter(|o| o.sold > 0);
        assert_eq!(filled.count(), 2, "each batch clears its own orders");
    }

    // A token more needs quotes for which there is no room, though there is for an order.
    let queue = sequencer.log().queue();
    let more = [deposit_of(0, 2, ETH), deposit_of(0, 3, ETH)];
    sequencer.take_from_queue(queue, &more, TIME).unwrap();
    let of = |token| sequencer.state().find(owner_of(0), token).unwrap().0;
    let (second, third) = (of(2), of(3));
    let body = Body {
        account: second,
        token: 2,
        nonce: 0,
        deadline: TIME + 3_600,
        fee: 0,
        action: Action::Order { to: third, buy: 3, amount: 5, limit: Limit::of(1, 1).unwrap() },
    };
    let other = body.sign(&key(0), domain(), dev_exit("user")).unwrap();
    let group = [order(0, 0, 3, 10), other];
    let mut answers = sequencer.sequence(&group, TIME).unwrap();
    assert_eq!(answers.pop().unwrap(), Err(Decline::AuctionFull));
    let mut receipts = accepted(answers);
    sequencer.close(false).unwrap();
    receipts.extend(accepted(sequencer.sequence(&[other], TIME).unwrap()));
    let batches: Vec<u32> = receipts.iter().map(|r| r.receipt.place.batch).collect();
    assert_eq!(batches, [0, 1]);
    sequencer.close(true).unwrap();
    let quotes: Vec<usize> =
        [4, 5].map(|batch| sequencer.log().quotes(batch).unwrap().len()).to_vec();
    assert_eq!(quotes, [2, 2], "orders that nobody answers have prices of 0");
}

/// Whoever is first in a batch can take all of its auction by orders that fill nothing, but for half of its time only:
/// then an order that has no room ends the batch, and is the first one of the next.
#[test]
fn nobody_is_kept_from_the_auction_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    let junk = [deposit_of(9, 10, 100), deposit_of(9, 11, 1)];
    sequencer.take_from_queue(4, &junk, TIME).unwrap();
    sequencer.close(false).unwrap();
    for round in 0..5 {
        let (account, to) = (FIRST_USER + 4, FIRST_USER + 5);
        let action = Action::Order { to, buy: 11, amount: 1, limit: Limit::of(9, 10).unwrap() };
        let deadline = TIME + 3_600;
        let body = Body { account, token: 10, nonce: round, deadline, fee: 0, action };
        let dust = body.sign(&key(9), domain(), dev_exit("user")).unwrap();
        let began = TIME + u64::from(10 * round);
        accepted(sequencer.sequence(&[dust], began).unwrap());
        let honest = [order(0, 0, round, 5), order(1, 1, round, 5)];
        let early = sequencer.sequence(&honest, began + 4).unwrap();
        assert!(early.iter().all(|answer| *answer == Err(Decline::AuctionFull)), "{early:?}");
        let taken = accepted(sequencer.sequence(&honest, began + 5).unwrap());
        let positions: Vec<u32> = taken.iter().map(|r| r.receipt.place.position).collect();
        assert_eq!(positions, [0, 1]);
        sequencer.close(false).unwrap();
    }
}

fn owner_of(user: Index) -> Fr {
    bastion_protocol::keys::owner(key(user).public().keyhash(), dev_exit("user"))
}

/// What an order holds back cannot be spent in the same batch, what it buys neither.
#[test]
fn nothing_is_spent_before_it_is_sure() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    let send = |token, nonce, parts| {
        let to = account(1, token);
        sign(0, token, nonce, Action::Transfer { to, amount: ETH / 1_000 * parts })
    };
    let group = [order(0, 0, 0, 900), order(1, 1, 0, 500), send(0, 1, 300), send(1, 0, 1_400)];
    let answers = sequencer.sequence(&group, TIME).unwrap();
    assert!(answers[0].is_ok() && answers[1].is_ok());
    for refused in &answers[2..] {
        assert!(
            matches!(refused, Err(Decline::Rejected(Rejection::InsufficientBalance { .. }))),
            "{refused:?}"
        );
    }
    sequencer.close(false).unwrap();
    // About 500 parts of 1000 were sold and bought.
    accepted(sequencer.sequence(&[send(0, 1, 300), send(1, 0, 1_400)], TIME).unwrap());
    sequencer.close(true).unwrap();
    kept(&seal(&mut sequencer, &mut sealer), &[]);
}

/// What comes from L1 begins a batch, which sees what the orders before it got.
#[test]
fn the_queue_comes_after_what_orders_got() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    let receipts =
        accepted(sequencer.sequence(&[order(0, 0, 0, 400), order(1, 1, 0, 400)], TIME).unwrap());
    let exit = ForcedExit { index: account(0, 1), token: 1, exit: dev_exit("user") };
    sequencer.take_from_queue(4, &[Op::ForcedExit(exit)], TIME).unwrap();
    sequencer.close(true).unwrap();
    let sealed = seal(&mut sequencer, &mut sealer);
    let bought = sealed[0].trace.ops[4].order.unwrap().paid;
    assert!(bought > 0);
    assert_eq!(sealed[1].trace.ops[0].amount, ETH + bought);
    kept(&sealed, &receipts);
}

/// Wherever the process ends, the same batches come out: an open batch holds back again what its orders sell, a
/// closed one has the prices that it was closed with.
#[test]
fn a_restart_changes_no_price_and_no_place() {
    let steady = tempfile::tempdir().unwrap();
    let broken = tempfile::tempdir().unwrap();
    let run = |dir: &Path, restarts: bool| {
        let (mut sequencer, mut sealer) = open(dir);
        fund_pairs(&mut sequencer, 2);
        let mut all = (Vec::new(), Vec::new());
        for round in 0..8_u32 {
            let parts = u128::from(round % 5) * 20 + 10;
            let group = [order(0, 0, round, parts), order(1, 1, round, 50)];
            for op in group {
                let mut answers = sequencer.sequence(&[op], TIME).unwrap();
                if answers == [Err(Decline::AuctionFull)] {
                    sequencer.close(false).unwrap();
                    answers = sequencer.sequence(&[op], TIME).unwrap();
                }
                all.0.extend(accepted(answers));
                if restarts {
                    let before = sequencer.state().clone();
                    drop((sequencer, sealer));
                    (sequencer, sealer) = open(dir);
                    assert!(sequencer.state().accounts().eq(before.accounts()), "{round}");
                }
            }
            // Every batch is closed for an order of the next round, or here.
            if round % 3 == 0 {
                sequencer.close(round % 2 == 0).unwrap();
            }
            if round % 3 == 2 {
                all.1.extend(seal(&mut sequencer, &mut sealer));
            }
            if restarts {
                drop((sequencer, sealer));
                (sequencer, sealer) = open(dir);
            }
        }
        sequencer.close(true).unwrap();
        all.1.extend(seal(&mut sequencer, &mut sealer));
        all
    };
    let (receipts, sealed) = run(steady.path(), false);
    let (again, resealed) = run(broken.path(), true);
    assert_eq!(receipts, again);
    let traces = |sealed: &[Sealed]| sealed.iter().map(|s| s.trace.clone()).collect::<Vec<_>>();
    assert_eq!(traces(&sealed), traces(&resealed));
    kept(&sealed, &receipts);
}

/// The log says at which prices a closed batch was closed. Nobody is asked again, and it must say it.
#[test]
fn a_closed_batch_has_the_prices_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, sealer) = open(dir.path());
    fund_pairs(&mut sequencer, 2);
    accepted(sequencer.sequence(&[order(0, 0, 0, 400), order(1, 1, 0, 400)], TIME).unwrap());
    sequencer.close(false).unwrap();
    let found = sequencer.log().quotes(0).unwrap();
    assert_eq!(found.len(), 2);
    drop((sequencer, sealer));
    let replace = |quotes: &[Quote]| {
        let mut log = Log::open(&dir.path().join("log"), CHAIN, CONTRACT).unwrap();
        let quotes = vec![(0, quotes.to_vec())];
        log.append(&Appended { quotes, ..Appended::default() }).unwrap();
    };
    // Other prices that clear, as if another solver had found them then.
    let none: Vec<Quote> = [0, 1].map(|token| Quote::price(token, 0, 0).unwrap()).to_vec();
    replace(&none);
    let (mut other, sealer) = open(dir.path());
    let closed = other.take_closed();
    let sold: Vec<u128> =
        closed[0].batch.ops().iter().filter_map(|op| op.order).map(|o| o.sold).collect();
    assert_eq!(sold, [0, 0]);
    drop((other, sealer));

    let refused = |quotes: &[Quote]| {
        replace(quotes);
        let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
        let error = Sequencer::open(dir.path(), signer, packing(), dev_policy()).unwrap_err();
        assert!(matches!(error, NodeError::LogBroken { .. }), "{error}");
    };
    refused(&[]);
    refused(&none[..1]);
    let dear = Quote::price(1, 0, (1 << 96) - 1).unwrap();
    refused(&[Quote::price(0, 0, 1 << 95).unwrap(), dear]);
    refused(&[none[0], Quote::fraction(0, 1, 5).unwrap()]);
    replace(&found);
    open(dir.path());
}

/// Whatever is promised is kept and can be proven, also where balances are as large as can be.
#[test]
fn whatever_is_promised_can_be_proven() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(0x0bad);
    let (mut filled, mut refused) = (0, 0);
    for world in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let (mut sequencer, mut sealer) = open(dir.path());
        let rich = |rng: &mut rand::rngs::StdRng| match world % 2 {
            0 => ETH,
            _ => u128::MAX - (1 << rng.gen_range(0..127)),
        };
        let deposits: Vec<Op> = (0..2)
            .flat_map(|user| [0, 1].map(|token| (user, token)))
            .map(|(user, token)| deposit_of(user, token, rich(&mut rng)))
            .collect();
        sequencer.take_from_queue(0, &deposits, TIME).unwrap();
        let (mut receipts, mut sealed) = (Vec::new(), Vec::new());
        for round in 0..60 {
            let (user, token) = (rng.gen_range(0..2), rng.gen_range(0..2));
            let own = *sequencer.state().account(account(user, token)).unwrap();
            let amount = match rng.gen_range(0..3) {
                0 => own.balance,
                _ => own.balance.min(1 << rng.gen_range(10..127)),
            };
            let limit = Limit::of(rng.gen_range(8..12), 10).unwrap();
            let float = |most: u128| {
                let bits = bastion_protocol::ops::AMOUNT_BITS;
                bastion_protocol::ops::Float::floor(most, bits).value().unwrap()
            };
            let action = match rng.gen_range(0..4) {
                0 => {
                    let to = [account(1 - user, token), token.into()][rng.gen_range(0..2)];
                    Action::Transfer { to, amount: float(amount.saturating_sub(1_000)) }
                }
                _ => {
                    let (to, buy) = (account(user, 1 - token), 1 - token);
                    let amount = float(amount.saturating_sub(1_000).min((1 << 112) - 1));
                    Action::Order { to, buy, amount, limit }
                }
            };
            let answers = sequencer.sequence(&[sign(user, token, own.nonce, action)], TIME);
            match answers.unwrap().remove(0) {
                Ok(receipt) => receipts.push(receipt),
                Err(_) => refused += 1,
            }
            if round % 7 == 6 {
                sequencer.close(round % 2 == 0).unwrap();
                sealed.extend(seal(&mut sequencer, &mut sealer));
            }
        }
        sequencer.close(true).unwrap();
        sealed.extend(seal(&mut sequencer, &mut sealer));
        let orders = sealed.iter().flat_map(|s| &s.trace.ops).filter_map(|op| op.order);
        filled += orders.filter(|order| order.sold > 0).count();
        kept(&sealed, &receipts);
    }
    assert!(
        filled > 5 && refused > 5,
        "{filled} filled, {refused} refused: too few to say anything"
    );
}

/// A shape in which an order has no room is refused at the start, not by the first order.
#[test]
fn a_shape_has_room_for_an_order() {
    let spoil: [fn(&mut Shape); 4] = [
        |shape| shape.slots.orders = 0,
        |shape| shape.slots.quotes = 2,
        |shape| shape.slots.nodes = 122,
        |shape| shape.slots.accounts = 3,
    ];
    for spoil in spoil {
        let mut packing = packing();
        packing.check().unwrap();
        spoil(&mut packing.shape);
        let error = packing.check().unwrap_err();
        assert!(matches!(error, NodeError::DoesNotFit { .. }), "{error}");
    }
}
