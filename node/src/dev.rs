//! The development policy, and the story that the demo tells.

use bastion_state::account::FIRST_USER;
use bastion_state::keys::SecretKey;
use bastion_state::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_state::policy::{Policy, TokenLimits};
use bastion_state::state::State;
use bastion_state::{Address, Fr, Index};

use crate::block::Source;
use crate::error::NodeError;

/// A key that everybody can derive from a name: for development alone.
pub fn dev_key(name: &str) -> SecretKey {
    SecretKey::from_seed(format!("bastion.dev.{name}").as_bytes())
}

/// An exit address for a development name.
pub fn dev_exit(name: &str) -> Address {
    let hash = bastion_state::data::keccak(&[b"bastion.dev.exit", name.as_bytes()]);
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
/// One ETH.
const ETH: u128 = 1_000_000_000_000_000_000;

type Step = Box<dyn Fn(&State, &DemoContext) -> Result<Op, NodeError>>;

struct DemoContext {
    domain: Fr,
    time: u64,
}

/// Deposits, many transfers, a new account, a withdrawal, a freeze, and the forced exit of the
/// frozen account.
pub struct DemoSource {
    steps: Vec<Step>,
    next: usize,
    context: DemoContext,
}

impl DemoSource {
    /// The story with `transfers` transfers.
    pub fn new(domain: Fr, time: u64, transfers: u64) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for name in NAMES {
            steps.push(Box::new(move |_, _| Ok(deposit(name))));
        }
        for i in 0..transfers {
            steps.push(Box::new(move |state, context| transfer(state, context, i)));
        }
        steps.push(Box::new(|state, context| {
            let action = Action::TransferNew {
                keyhash: dev_key("grace").public().keyhash(),
                exit: dev_exit("grace"),
                amount: ETH / 4,
            };
            signed(state, context, "alice", FIRST_USER, ETH / 10_000, action)
        }));
        steps.push(Box::new(|state, context| {
            let action = Action::Withdraw {
                to: dev_exit("bob"),
                amount: ETH / 2,
            };
            signed(state, context, "bob", FIRST_USER + 1, ETH / 10_000, action)
        }));
        steps.push(Box::new(|state, context| {
            let action = Action::Freeze {
                until: context.time + 86_400,
                old_until: 0,
            };
            signed(state, context, "guardian", FIRST_USER + 2, 0, action)
        }));
        steps.push(Box::new(|_, _| Ok(forced_exit())));
        Self {
            steps,
            next: 0,
            context: DemoContext { domain, time },
        }
    }

    /// What users ask for on L1 after the story, of an operator who no longer answers.
    pub fn censored(&self) -> Vec<Op> {
        let request = Op::ForcedExit(ForcedExit {
            index: FIRST_USER,
            token: 0,
            exit: dev_exit(NAMES[0]),
        });
        vec![request, deposit("heidi")]
    }

    /// The operations that the L1 queue must hold, in order.
    pub fn queue(&self) -> Vec<Op> {
        NAMES
            .iter()
            .map(|name| deposit(name))
            .chain([forced_exit()])
            .collect()
    }
}

fn deposit(name: &str) -> Op {
    Op::Deposit(Deposit {
        token: 0,
        amount: 2 * ETH,
        keyhash: dev_key(name).public().keyhash(),
        exit: dev_exit(name),
    })
}

fn forced_exit() -> Op {
    Op::ForcedExit(ForcedExit {
        index: FIRST_USER + 2,
        token: 0,
        exit: dev_exit("carol"),
    })
}

fn transfer(state: &State, context: &DemoContext, i: u64) -> Result<Op, NodeError> {
    let people = NAMES.len() as u64;
    let from = i % people;
    let to = (from + 1 + i / people % (people - 1)) % people;
    let action = Action::Transfer {
        to: FIRST_USER + to as Index,
        amount: ETH / 1_000 * u128::from(1 + i % 7),
    };
    let name = NAMES[from as usize];
    let fee = ETH / 1_000_000;
    signed(
        state,
        context,
        name,
        FIRST_USER + from as Index,
        fee,
        action,
    )
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
            Some(step) => Ok(Some((
                format!("step {}", n + 1),
                step(state, &self.context)?,
            ))),
            None => Ok(None),
        }
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }
}
