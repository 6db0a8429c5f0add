//! What a wallet does on L1: deposits, claims, forced exits.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bastion_contract::rollup::{IRollup, ITestToken};
use bastion_l1::txmgr::{self, Judge, Limits, Request, State, TxManager, TxOptions};
use bastion_l1::{Failover, FailoverOptions, ReadL1, RpcL1, SendL1};
use bastion_node::exodus::{is_passing, Dues, What};
use bastion_node::history::collect;
use bastion_node::settle::to_u256;
use bastion_protocol::{Index, Token};
use bastion_state::state::State as Accounts;
use clap::ArgGroup;
use eyre::eyre;
use serde::Serialize;

use super::{amount, block_on, NodeArgs, Wallet};
use crate::commands::l1;
use crate::exit::CliError;
use crate::output;

/// How often a transaction that was sent is looked for.
const POLL: Duration = Duration::from_secs(1);

/// L1, and who sends there.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("sender").required(true))]
struct Sending {
    /// URL of an L1 node.
    #[arg(long, env = "BASTION_L1", hide_env_values = true, value_name = "URL")]
    l1: String,
    #[command(flatten)]
    options: l1::Args,
    /// Account that sends; the L1 node must hold its key, as development nodes do.
    #[arg(long, value_name = "ADDRESS", group = "sender")]
    from: Option<Address>,
    /// Keystore file of the account that sends.
    #[arg(long, value_name = "FILE", group = "sender", requires = "l1_password_file")]
    l1_keystore: Option<PathBuf>,
    /// File with the keystore's password.
    #[arg(long, value_name = "FILE")]
    l1_password_file: Option<PathBuf>,
    /// Environment variable with the key of the account that sends.
    #[arg(long, value_name = "NAME", group = "sender")]
    l1_key_env: Option<String>,
}

/// Who sends.
enum Sender {
    /// An account whose key the L1 node holds.
    Held(Box<RpcL1>, Address),
    /// A key of one's own.
    Own(Box<TxManager>),
}

impl Sending {
    fn open(&self, wallet: &Wallet<'_>, chain_id: u64) -> eyre::Result<Sender> {
        if let Some(from) = self.from {
            let l1 = self.options.connect(&self.l1)?;
            same_chain(l1.chain_id(), chain_id)?;
            return Ok(Sender::Held(Box::new(l1), from));
        }
        let key = match (&self.l1_keystore, &self.l1_password_file, &self.l1_key_env) {
            (Some(path), Some(password), _) => {
                txmgr::Wallet::keystore(path, txmgr::Password::File(password))?
            }
            (_, _, Some(name)) => txmgr::Wallet::variable(name)?,
            _ => {
                return Err(CliError::Usage(
                    "name the account that sends by --from, --l1-keystore or --l1-key-env".into(),
                )
                .into())
            }
        };
        let options = FailoverOptions { chain_id: Some(chain_id), ..FailoverOptions::default() };
        let l1 = Failover::connect(std::slice::from_ref(&self.l1), options)?;
        let folder = wallet.folder.join(format!("l1-{chain_id}-{}", key.address()));
        // What a user sends is what he said: only the price of gas has a limit.
        let limits = Limits { transaction: U256::MAX, day: U256::MAX, ..Limits::default() };
        let options = TxOptions { limits, min_balance: U256::ZERO, ..TxOptions::default() };
        let manager = TxManager::open(&folder, l1, key, options, Judge::default())?;
        Ok(Sender::Own(Box::new(manager)))
    }
}

fn same_chain(found: u64, expected: u64) -> eyre::Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(eyre!("the L1 node is of chain {found}, and the rollup is on chain {expected}: give the URL of another node")),
    }
}

impl Sender {
    fn address(&self) -> Address {
        match self {
            Self::Held(_, from) => *from,
            Self::Own(manager) => manager.account(),
        }
    }

    fn l1(&mut self) -> &mut dyn ReadL1 {
        match self {
            Self::Held(l1, _) => l1.as_mut(),
            Self::Own(manager) => manager.l1(),
        }
    }

    /// Sends a transaction, waits until it is in a block, and gives the gas used.
    fn send(&mut self, what: &str, to: Address, wei: U256, input: Vec<u8>) -> eyre::Result<u64> {
        match self {
            Self::Held(l1, from) => Ok(l1.send(*from, to, wei, input.into())?),
            Self::Own(manager) => {
                let name = format!("{what} {}", now().as_nanos());
                let input = Bytes::from(input);
                let request = Request { value: wei, ..Request::call(name, to, input) };
                own(manager, request)
            }
        }
    }
}

/// Brings a transaction of one's own key into a block.
fn own(manager: &mut TxManager, request: Request) -> eyre::Result<u64> {
    let name = request.name.clone();
    manager.submit(request, now().as_secs())?;
    loop {
        for notice in manager.step(now().as_secs())? {
            tracing::info!("{notice}");
        }
        match manager.get(&name).map(|intent| &intent.state) {
            Some(State::Mined(inclusion) | State::Final(inclusion)) => {
                return Ok(inclusion.gas_used);
            }
            Some(State::Failed { cause }) => {
                return Err(eyre!("transaction {name:?} failed: {cause}"))
            }
            Some(state @ (State::Superseded | State::Cancelled(_))) => {
                return Err(eyre!("transaction {name:?} is {}", state.word()));
            }
            Some(State::Pending | State::Sent) | None => std::thread::sleep(POLL),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
bastion wallet deposit alice --amount 0.5eth --l1 http://127.0.0.1:8545 --from 0x7099...79c8\n  \
bastion wallet deposit alice --token 2 --amount 3000000000 --l1 URL --l1-keystore alice.json --l1-password-file FILE")]
pub(super) struct Deposit {
    /// The key's name.
    name: String,
    /// What to deposit, such as 1.5eth, 20gwei, or a number of the smallest unit.
    #[arg(long, value_parser = amount::read)]
    amount: u128,
    /// The token; 0 is ether.
    #[arg(long, default_value_t = 0)]
    token: Token,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Serialize)]
struct Sent {
    what: &'static str,
    contract: String,
    from: String,
    /// Gas of each transaction.
    gas: Vec<u64>,
}

fn report(wallet: &Wallet<'_>, sent: &Sent) -> eyre::Result<()> {
    output::report(wallet.settings, sent, |sent| {
        let gas: Vec<String> = sent.gas.iter().map(u64::to_string).collect();
        let gas = if gas.is_empty() { "nothing to do".into() } else { gas.join(", ") };
        format!(
            "sent       {} to {}\nfrom       {}\ngas        {gas}",
            sent.what, sent.contract, sent.from
        )
    })
}

pub(super) fn deposit(wallet: &Wallet<'_>, args: &Deposit) -> eyre::Result<()> {
    let (file, _) = wallet.folder.key(&args.name)?;
    let rollup = block_on(async { Ok(args.node.connect(wallet).await?.1) })?;
    let contract = Address::from(rollup.contract.0);
    let mut sender = args.sending.open(wallet, rollup.chain_id)?;
    let value = U256::from(args.amount);
    let mut gas = Vec::new();
    let wei = match args.token {
        0 => value,
        token => {
            let call = IRollup::tokensCall(U256::from(token)).abi_encode();
            let unknown = || CliError::Usage(format!("the rollup has no token {token}"));
            let answer = sender.l1().view(contract, call.into());
            let answer = answer.map_err(|e| match e.is_refused_call() {
                true => eyre::Report::from(unknown()),
                false => e.into(),
            })?;
            let erc20 = IRollup::tokensCall::abi_decode_returns(&answer)?;
            if erc20.is_zero() {
                return Err(unknown().into());
            }
            let approve = ITestToken::approveCall { spender: contract, amount: value }.abi_encode();
            gas.push(sender.send("approve", erc20, U256::ZERO, approve)?);
            U256::ZERO
        }
    };
    let call = IRollup::depositCall {
        token: args.token,
        amount: value,
        keyhash: to_u256(&file.public_key().keyhash()),
        exit: Address::from(file.exit().0),
    };
    gas.push(sender.send("deposit", contract, wei, call.abi_encode())?);
    let from = sender.address().to_string();
    report(wallet, &Sent { what: "a deposit", contract: contract.to_string(), from, gas })
}

#[derive(Debug, clap::Args)]
pub(super) struct ForceExit {
    /// The key's name.
    name: String,
    /// The account that leaves with its whole balance.
    #[arg(long, value_name = "INDEX")]
    account: Index,
    /// Its token.
    #[arg(long, default_value_t = 0)]
    token: Token,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    node: NodeArgs,
}

pub(super) fn force_exit(wallet: &Wallet<'_>, args: &ForceExit) -> eyre::Result<()> {
    let (file, _) = wallet.folder.key(&args.name)?;
    // An operator who has to be forced may have stopped his node: what is known is enough.
    let rollup = match wallet.folder.rollup()? {
        Some(rollup) => rollup,
        None => block_on(async { Ok(args.node.connect(wallet).await?.1) })?,
    };
    let contract = Address::from(rollup.contract.0);
    let mut sender = args.sending.open(wallet, rollup.chain_id)?;
    let exit = Address::from(file.exit().0);
    if sender.address() != exit {
        return Err(CliError::Usage(format!(
            "{} cannot force an exit of this key: only its exit address {exit} can, so send from there",
            sender.address()
        ))
        .into());
    }
    let call = IRollup::requestForcedExitCall { index: args.account, token: args.token };
    let gas = vec![sender.send("force exit", contract, U256::ZERO, call.abi_encode())?];
    let from = sender.address().to_string();
    let what = "a request to leave";
    report(wallet, &Sent { what, contract: contract.to_string(), from, gas })
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
bastion wallet claim alice --l1 http://127.0.0.1:8545 --from 0x7099...79c8\n  \
bastion wallet claim alice --to 0x3c44...93bc --l1 URL --l1-keystore alice.json --l1-password-file FILE")]
pub(super) struct Claim {
    /// The key's name: what is due to its exit address is claimed.
    name: String,
    /// What is due to this address instead.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    /// L1 block of the contract's deployment, to save the node the search before it.
    #[arg(long, default_value_t = 0, value_name = "L1BLOCK")]
    deployed_at: u64,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Serialize)]
struct Claimed {
    to: String,
    claims: Vec<One>,
}

#[derive(Serialize)]
struct One {
    block: u64,
    position: u64,
    token: Token,
    amount: String,
    /// Gas of the claim; null if it waits.
    gas: Option<u64>,
    /// Why the contract does not pay it yet, though its time has come.
    waits: Option<String>,
    /// L1 time from which on it can be claimed.
    payable_at: u64,
}

pub(super) fn claim(wallet: &Wallet<'_>, args: &Claim) -> eyre::Result<()> {
    let (file, _) = wallet.folder.key(&args.name)?;
    let (_, rollup) = block_on(args.node.connect(wallet))?;
    let to = args.to.unwrap_or(Address::from(file.exit().0));
    let contract = Address::from(rollup.contract.0);
    let mut sender = args.sending.open(wallet, rollup.chain_id)?;
    let mut reading: RpcL1 =
        args.sending.options.connect(&args.sending.l1)?.since(args.deployed_at);
    let history = collect(&mut reading, contract)?;
    // Exits are in calldata always: no account is looked at, so no blob is needed.
    let accounts = Accounts::new();
    let dues = Dues::of(&history, &accounts)?;
    let time = reading.now()?;
    let mut claims = Vec::new();
    for due in dues.all.iter().filter(|due| due.to == to) {
        let What::Exit { block, position } = due.what else {
            continue;
        };
        if due.is_paid(&mut reading, contract)? {
            continue;
        }
        let mut waits = None;
        let gas = match due.payable_at > time {
            true => None,
            false => match sender.send("claim", contract, U256::ZERO, dues.call(due)?) {
                Ok(gas) => Some(gas),
                // The vault pays out so much in a time, and no exit waits longer than its delay.
                Err(error) if is_passing(&error.to_string()) => {
                    waits = Some(error.to_string());
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let (token, payable_at) = (due.token, due.payable_at);
        claims.push(One {
            block,
            position,
            token,
            amount: due.amount.to_string(),
            gas,
            waits,
            payable_at,
        });
    }
    output::report(wallet.settings, &Claimed { to: to.to_string(), claims }, |r| {
        let mut out = format!("to         {}\n", r.to);
        if r.claims.is_empty() {
            out +=
                "claims     nothing is due: a withdrawal can be claimed once its block is final\n";
        }
        for one in &r.claims {
            let outcome = match one.gas {
                Some(gas) => format!("claimed ({gas} gas)"),
                None => match &one.waits {
                    Some(why) => {
                        format!("waits: {why}; claim it again later, in 3 days at the latest")
                    }
                    None => format!("waits until L1 time {}", one.payable_at),
                },
            };
            let shown = amount::shown(one.amount.parse().unwrap_or_default(), one.token);
            out += &format!(
                "exit       {} of block {}: {shown}, {outcome}\n",
                one.position, one.block
            );
        }
        out
    })
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
