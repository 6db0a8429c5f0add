//! The block whose order is at stake: two auctions among transfers, and what L1 asked for.

use bastion_circuits::witness::checked;
use bastion_circuits::Shape;
use bastion_node::block::{next_block, Block, Source, Waiting};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_node::NodeError;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::{chain_start, DataMode};
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::{Header, Index, Limit, Token};
use bastion_state::executor::{order_chain, posted_data, BatchContext, Packer, Pushed};
use bastion_state::state::State;

/// Anna's and Ben's accounts in tokens 0 and 1.
const ANNA: [Index; 2] = [FIRST_USER, FIRST_USER + 1];
const BEN: [Index; 2] = [FIRST_USER + 2, FIRST_USER + 3];
const NAMES: [&str; 2] = ["anna", "ben"];
const MILLION: u128 = 1_000_000;
pub const BATCHES: usize = 2;

fn deposit(name: &str, token: Token, amount: u128) -> Op {
    let keyhash = dev_key(name).public().keyhash();
    Op::Deposit(Deposit { token, amount, keyhash, exit: dev_exit(name) })
}

/// What L1 asks for in each batch. Nobody's forced exit does nothing.
fn requests() -> [Vec<Op>; BATCHES] {
    let accounts = NAMES.into_iter().flat_map(|name| [0, 1].map(|token| (name, token)));
    let first = accounts.map(|(name, token)| deposit(name, token, 10 * MILLION)).collect();
    let nobody = ForcedExit { index: ANNA[1], token: 1, exit: dev_exit("nobody") };
    let second = vec![deposit("ben", 0, MILLION), Op::ForcedExit(nobody), deposit("anna", 1, 7)];
    [first, second]
}

/// The L1 queue.
pub fn queue() -> Vec<Op> {
    requests().concat()
}

/// What is signed in each batch, each account once: so the operations of a batch can be executed in any
/// order.
fn actions() -> [Vec<(Index, Action)>; BATCHES] {
    let order = |to: [Index; 2], buy: Token, amount, asked| {
        let to = to[usize::from(buy)];
        Action::Order { to, buy, amount, limit: Limit::of(asked, 65_536).unwrap() }
    };
    let transfer = |to, amount| Action::Transfer { to, amount };
    let first = vec![
        (ANNA[0], order(ANNA, 1, 3 * MILLION, 60_000)),
        (BEN[0], transfer(ANNA[0], 1_100)),
        (BEN[1], order(BEN, 0, 2 * MILLION, 62_000)),
        (ANNA[1], transfer(BEN[1], 2_200)),
    ];
    let keyhash = dev_key("carl").public().keyhash();
    let new = Action::TransferNew { keyhash, exit: dev_exit("carl"), amount: 50_000 };
    let second = vec![
        (ANNA[0], new),
        (BEN[0], order(BEN, 1, 400_000, 61_000)),
        (BEN[1], Action::Withdraw { to: dev_exit("ben"), amount: 30_000 }),
        (ANNA[1], order(ANNA, 0, 300_000, 63_000)),
    ];
    [first, second]
}

/// Signs for an account as it is.
fn signed(state: &State, context: &BatchContext, account: Index, action: Action) -> Op {
    let held = state.account(account).unwrap();
    let (keyhash, exit) = state.opening(held.owner).unwrap();
    let keys = NAMES.map(dev_key);
    let key = keys.iter().find(|key| key.public().keyhash() == keyhash).unwrap();
    let (token, nonce, deadline) = (held.token, held.nonce, context.time + 1_000);
    let body = Body { account, token, nonce, deadline, fee: 10, action };
    Op::Signed(body.sign(key, context.domain, exit).unwrap())
}

/// Gives the L1 operations, for a block to start from.
struct Requests(Vec<Op>, Waiting);

impl Source for Requests {
    fn next(&mut self, _: &State) -> Result<Option<(String, Op)>, NodeError> {
        Ok(self.0.pop().map(|op| ("request".into(), op)))
    }

    fn put_back(&mut self) {
        panic!("an empty batch has room");
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.1
    }
}

/// Executes the block on the empty state.
pub fn execute(context: &BatchContext) -> Block {
    let mut state = State::new();
    let old_root = state.root();
    let mut batches = Vec::new();
    for (requests, actions) in requests().into_iter().zip(actions()) {
        let mut packer = Packer::new(&mut state, context.clone()).unwrap();
        for request in requests {
            assert_eq!(packer.push(&request, |_| true).unwrap(), Pushed::Taken);
        }
        for (account, action) in actions {
            let op = signed(packer.state(), context, account, action);
            assert_eq!(packer.push(&op, |_| true).unwrap(), Pushed::Taken);
        }
        let Ok((trace, _)) = packer.finish() else { panic!("the batch executes") };
        let orders = trace.ops.iter().filter_map(|op| op.order);
        assert_eq!(orders.filter(|order| order.sold > 0).count(), 2);
        batches.push(trace);
    }
    // `next_block` counts equal look-ups twice, so that it would take fewer operations for this shape. It makes a
    // block of one request, which then gets these batches.
    let (mut empty, mut refused) = (State::new(), Vec::new());
    let mut source = Requests(vec![queue()[0]], Waiting::default());
    let (shape, mode) = (Shape::tiny(), DataMode::Calldata);
    let made = next_block(&mut empty, context, &shape, BATCHES, mode, &mut source, &mut refused);
    let mut block = made.unwrap().unwrap();
    block.header = Header {
        old_root,
        new_root: state.root(),
        c_out: batches.iter().fold(chain_start(), |c, batch| order_chain(c, &batch.ops)),
        ..block.header
    };
    block.data = batches.iter().flat_map(|batch| posted_data(&batch.ops).to_bytes()).collect();
    block.batches = batches;
    for (batch, link) in block.batches.iter().zip(block.links().unwrap()) {
        checked(&shape, batch, &link).unwrap();
    }
    block
}
