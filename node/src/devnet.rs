//! The development policy, and the story that the demo tells.

use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::{Address, Fr, Index};
use bastion_state::state::State;

use crate::block::{Source, Waiting};
use crate::error::NodeError;

/// A key that everybody can derive from a name: for development alone.
pub fn dev_key(name: &str) -> SecretKey {
    SecretKey::from_seed(format!("bastion.dev.{name}").as_bytes())
}

/// An exit address for a development name.
pub fn dev_exit(name: &str) -> Address {
    let hash = bastion_protocol::hash::keccak(&[b"bastion.dev.exit", name.as_bytes()]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash[12..]);
    Address(bytes)
}

/// The policy of development chains.
pub fn dev_policy() -> Policy {
    Policy {
        guardian_keyhash: dev_key("guardian").public().keyhash(),
        max_freeze: 7 * 86_400,
        cooldown: 14 * 86_400,
        fee_keyhash: dev_key("fees").public().keyhash(),
        fee_exit: dev_exit("fees"),
        default_limits: TokenLimits {
            rate: 1_000_000_000_000_000,
            burst_seconds: 3_600,
            max_delay: 86_400,
        },
        limits: Default::default(),
    }
}

const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
/// Carol's account is frozen.
const FROZEN: usize = 2;
/// One ETH.
const ETH: u128 = 1_000_000_000_000_000_000;

type Step = Box<dyn Fn(&State, &DemoContext) -> Result<Op, NodeError>>;

struct DemoContext {
    domain: Fr,
    time: u64,
}

/// Deposits, transfers, a new account, a withdrawal, a freeze, and forced exits.
pub struct DemoSource {
    steps: Vec<Step>,
    queue: Vec<Op>,
    next: usize,
    waiting: Waiting,
    context: DemoContext,
}

impl DemoSource {
    /// The story for a block of two batches, with `transfers` transfers: the frozen account leaves by
    /// a forced exit, an L1 operation, which ends the first batch.
    pub fn new(domain: Fr, time: u64, transfers: u64) -> Self {
        let leaves = forced_exit(FROZEN);
        let first = transfers - transfers / 2;
        let mut steps = deposits();
        steps.extend((0..first).map(transfer_step));
        steps.push(Box::new(freeze));
        steps.push(Box::new(move |_, _| Ok(leaves)));
        steps.extend((first..transfers).map(transfer_step));
        steps.push(Box::new(new_account));
        steps.push(Box::new(withdrawal));
        Self::of(steps, leaves, DemoContext { domain, time })
    }

    /// The story in one batch: what L1 asks for comes first, so an account leaves that is not frozen.
    pub fn short(domain: Fr, time: u64) -> Self {
        let leaves = forced_exit(NAMES.len() - 1);
        let mut steps = deposits();
        steps.push(Box::new(move |_, _| Ok(leaves)));
        steps.extend((0..2).map(transfer_step));
        steps.push(Box::new(new_account));
        steps.push(Box::new(withdrawal));
        steps.push(Box::new(freeze));
        Self::of(steps, leaves, DemoContext { domain, time })
    }

    /// Transfers that two batches of a shape hold besides the rest of the story.
    pub fn transfers_for(shape: &Shape) -> u64 {
        (shape.slots.signatures + shape.slots.signatures / 8) as u64
    }

    fn of(steps: Vec<Step>, leaves: Op, context: DemoContext) -> Self {
        let queue = NAMES.iter().map(|name| deposit(name)).chain([leaves]);
        Self { steps, queue: queue.collect(), next: 0, waiting: Waiting::default(), context }
    }

    /// What users ask for on L1 after the story, of an operator who no longer answers.
    pub fn censored(&self) -> Vec<Op> {
        let request =
            Op::ForcedExit(ForcedExit { index: FIRST_USER, token: 0, exit: dev_exit(NAMES[0]) });
        vec![request, deposit("heidi")]
    }

    /// The operations that the L1 queue must hold, in order.
    pub fn queue(&self) -> Vec<Op> {
        self.queue.clone()
    }
}

fn deposits() -> Vec<Step> {
    let step = |name: &'static str| -> Step { Box::new(move |_, _| Ok(deposit(name))) };
    NAMES.into_iter().map(step).collect()
}

fn transfer_step(i: u64) -> Step {
    Box::new(move |state, context| transfer(state, context, i))
}

fn new_account(state: &State, context: &DemoContext) -> Result<Op, NodeError> {
    let action = Action::TransferNew {
        keyhash: dev_key("grace").public().keyhash(),
        exit: dev_exit("grace"),
        amount: ETH / 4,
    };
    signed(state, context, "alice", FIRST_USER, ETH / 10_000, action)
}

fn withdrawal(state: &State, context: &DemoContext) -> Result<Op, NodeError> {
    let action = Action::Withdraw { to: dev_exit("bob"), amount: ETH / 2 };
    signed(state, context, "bob", FIRST_USER + 1, ETH / 10_000, action)
}

fn freeze(state: &State, context: &DemoContext) -> Result<Op, NodeError> {
    let action = Action::Freeze { until: context.time + 86_400, old_until: 0 };
    let target = FIRST_USER + FROZEN as Index;
    signed(state, context, "guardian", target, 0, action)
}

fn deposit(name: &str) -> Op {
    Op::Deposit(Deposit {
        token: 0,
        amount: 2 * ETH,
        keyhash: dev_key(name).public().keyhash(),
        exit: dev_exit(name),
    })
}

fn forced_exit(who: usize) -> Op {
    Op::ForcedExit(ForcedExit {
        index: FIRST_USER + who as Index,
        token: 0,
        exit: dev_exit(NAMES[who]),
    })
}

/// Everybody sends but the one who is frozen.
fn transfer(state: &State, context: &DemoContext, i: u64) -> Result<Op, NodeError> {
    let people = NAMES.len() as u64;
    let turn = i % (people - 1);
    let from = turn + u64::from(turn >= FROZEN as u64);
    let to = (from + 1 + i / people % (people - 1)) % people;
    let action = Action::Transfer {
        to: FIRST_USER + to as Index,
        amount: ETH / 1_000 * u128::from(1 + i % 7),
    };
    let name = NAMES[from as usize];
    let fee = ETH / 1_000_000;
    signed(state, context, name, FIRST_USER + from as Index, fee, action)
}

fn signed(
    state: &State,
    context: &DemoContext,
    signer: &str,
    account: Index,
    fee: u128,
    action: Action,
) -> Result<Op, NodeError> {
    let guardian = signer == "guardian";
    let nonce = state.account(account).map_or(0, |a| a.nonce);
    let body = Body {
        account,
        token: 0,
        nonce: if guardian { 0 } else { nonce },
        deadline: context.time + 3_600,
        fee,
        action,
    };
    let signed = body.sign(&dev_key(signer), context.domain, dev_exit(signer))?;
    Ok(Op::Signed(signed))
}

impl Source for DemoSource {
    fn next(&mut self, state: &State) -> Result<Option<(String, Op)>, NodeError> {
        let n = self.next;
        self.next += 1;
        match self.steps.get(n) {
            Some(step) => Ok(Some((format!("step {}", n + 1), step(state, &self.context)?))),
            None => Ok(None),
        }
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bastion_protocol::data::DataMode;
    use bastion_protocol::Kind;
    use bastion_state::executor::BatchContext;

    use super::*;
    use crate::block::next_block;

    const TIME: u64 = 1_800_000_000;

    /// Operations of each batch of the only block.
    fn batches(shape: &Shape, n: usize, mut source: DemoSource) -> Vec<Vec<Kind>> {
        let context =
            BatchContext { domain: source.context.domain, time: TIME, policy: dev_policy() };
        let (mut state, mut refused) = (State::new(), Vec::new());
        let mut block = || {
            next_block(
                &mut state,
                &context,
                shape,
                n,
                DataMode::Calldata,
                &mut source,
                &mut refused,
            )
        };
        let first = block().unwrap().unwrap();
        assert!(block().unwrap().is_none(), "the story goes on");
        assert!(refused.is_empty(), "{refused:?}");
        let kinds =
            |b: &bastion_state::executor::BatchTrace| b.ops.iter().map(|o| o.kind).collect();
        first.batches.iter().map(kinds).collect()
    }

    #[test]
    fn the_story_fits_its_block() {
        for shape in [Shape::tiny(), Shape::small()] {
            let transfers = DemoSource::transfers_for(&shape);
            let told = batches(&shape, 2, DemoSource::new(Fr::from(1u64), TIME, transfers));
            assert_eq!(told[0].last(), Some(&Kind::Freeze));
            assert_eq!(told[1].first(), Some(&Kind::ForcedExit));
            let count = told.iter().map(Vec::len).sum::<usize>();
            assert_eq!(count, NAMES.len() + transfers as usize + 4);
        }
        let told = batches(&Shape::tiny(), 1, DemoSource::short(Fr::from(1u64), TIME));
        assert_eq!(told[0].len(), NAMES.len() + 2 + 4);
    }
}
