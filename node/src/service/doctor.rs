//! Looks at everything that a node needs, and says what is missing and what helps.

use std::path::Path;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bastion_circuits::Shape;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::IRollup;
use bastion_l1::{At, Failover, FailoverOptions, Finality, ReadL1, ReadLogs, DEV_CHAIN_IDS};
use bastion_prover::artifact::check_room;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;
use serde::Serialize;

use super::config::NodeConfig;
use super::keys;
use super::manifest::Rollup;
use super::run::wall_clock;
use crate::error::NodeError;
use crate::pipeline::Cache;
use crate::recommend::MemoryPlan;

/// Seconds that the clock may differ from L1's latest block.
const CLOCK: u64 = 120;
/// Disk that must be free.
const ROOM: usize = 256 << 20;
/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// The node runs, but the operator should know.
    Warning,
    /// The node does not run.
    Bad,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found, and what helps.
    pub text: String,
}

/// Looks at everything.
pub fn examine(config: &NodeConfig, cache: &Cache, memory: MemoryBudget) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.0.push(Finding {
        what: "version",
        health: Health::Good,
        text: format!("bastion {}", env!("CARGO_PKG_VERSION")),
    });
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    findings.add("cores", Ok((Health::Good, format!("{cores}"))));
    findings.add("disk", disk(&config.rollup.data_dir));
    let rollup = Rollup::read(&config.rollup.manifest);
    match &rollup {
        Ok(rollup) => {
            let text = format!("rollup {} on chain {}", rollup.contract, rollup.chain_id);
            findings.add("manifest", Ok((Health::Good, text)));
            findings.add("memory", memory_for(rollup, memory));
            findings.add("reference string", srs(rollup, cache));
            findings.add("verifiers", verifiers(rollup, cache));
        }
        Err(error) => findings.add("manifest", Ok((Health::Bad, error.to_string()))),
    }
    findings.add("sequencer key", keys::sequencer(&config.sequencer).map(|_| good("is there")));
    if let Ok(rollup) = &rollup {
        findings.add("policies", policies(rollup, config));
    }
    findings.add(
        "sentinel",
        crate::sentinel::check(&config.rollup.data_dir.join("sentinel"), &config.sentinel)
            .map(|text| good(&text)),
    );
    let operator = keys::operator(&config.l1);
    let mut accounts: Vec<_> =
        operator.as_ref().ok().map(|wallet| wallet.address()).into_iter().collect();
    findings.add("operator key", operator.map(|w| good(&format!("account {}", w.address()))));
    match keys::of_mode(&config.l1, config.rollup.data_mode) {
        Ok(None) => {}
        Ok(Some(wallet)) => {
            accounts.push(wallet.address());
            findings.add("key for blobs", Ok(good(&format!("account {}", wallet.address()))));
        }
        Err(error) => findings.add("key for blobs", Err(error)),
    }
    let chain_id = rollup.as_ref().ok().map(|rollup| rollup.chain_id);
    let options = FailoverOptions { chain_id, ..FailoverOptions::default() };
    match Failover::connect(&config.l1.urls, options) {
        Err(error) => findings.add("L1", Err(error.into())),
        Ok(mut l1) => {
            findings.add("L1", Ok(good(&format!("chain {}", l1.chain_id()))));
            findings.add("clock", clock(&mut l1));
            findings.add("finality", finality(l1.chain_id(), config));
            if let Ok(rollup) = &rollup {
                findings.add("contract", contract(&mut l1, rollup, &accounts));
            }
            for account in accounts {
                findings.add("balance", balance(&mut l1, account, config));
            }
        }
    }
    if let Some(url) = &config.nats.url {
        findings.add("NATS", nats(url));
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &'static str, found: Found) {
        let (health, text) = found.unwrap_or_else(|error| (Health::Bad, error.to_string()));
        self.0.push(Finding { what, health, text });
    }
}

type Found = Result<(Health, String), NodeError>;

fn good(text: &str) -> (Health, String) {
    (Health::Good, text.to_owned())
}

fn policies(rollup: &Rollup, config: &NodeConfig) -> Found {
    let known = super::policies::read(&rollup.policy, &config.rollup.policies)?;
    let guardian = keys::guardian(&config.sentinel)?.map(|key| key.public().keyhash());
    let count = known.len();
    Ok(match guardian {
        Some(own) if known.iter().all(|policy| policy.guardian_keyhash != own) => (
            Health::Bad,
            "the key of sentinel.guardian-key-file is that of no policy's guardian: the node could freeze nobody; \
             name the guardian's key, or none"
                .into(),
        ),
        _ => good(&format!("{count} known")),
    })
}

fn disk(data: &Path) -> Found {
    // The folder itself may not be there before the first start.
    let there = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    check_room(there, ROOM)?;
    Ok(good(&format!("{} has room", there.display())))
}

fn memory_for(rollup: &Rollup, memory: MemoryBudget) -> Found {
    let shape = Shape::named(&rollup.shape)?;
    let largest = rollup.sizes().into_iter().max().unwrap_or(1) as usize;
    let least = MemoryPlan::new(&shape, largest).least();
    let text = format!("{memory} may be used, a block takes {least}");
    Ok(match least > memory {
        true => (
            Health::Bad,
            format!("{text}: raise --memory, or prove elsewhere (worker.embedded = false)"),
        ),
        false => good(&text),
    })
}

fn srs(rollup: &Rollup, cache: &Cache) -> Found {
    let shape = Shape::named(&rollup.shape)?;
    let largest = rollup.sizes().into_iter().max().unwrap_or(1) as usize;
    cache.find_srs(SrsChoice::Held, &shape, largest)?;
    Ok(match rollup.unsafe_dev_srs {
        true => {
            (Health::Warning, "UNSAFE: somebody may know its secret; for development only".into())
        }
        false => good("a ceremony's"),
    })
}

fn verifiers(rollup: &Rollup, cache: &Cache) -> Found {
    for block in &rollup.blocks {
        let folder = cache.verifier_dir(&rollup.shape, block.batches as usize, block.circuit);
        if !folder.exists() {
            let (dir, shape) = (folder.display().to_string(), rollup.shape.clone());
            return Err(NodeError::NoDocuments { dir, shape });
        }
    }
    Ok(good(&format!("blocks of {:?} batches", rollup.sizes())))
}

fn finality(chain_id: u64, config: &NodeConfig) -> Found {
    let waits = matches!(Finality::from(config.l1.finality), Finality::Tag { .. });
    Ok(match waits && DEV_CHAIN_IDS.contains(&chain_id) {
        true => {
            let text = "a development chain calls blocks finalized late, if ever: set l1.finality to a small number";
            (Health::Warning, text.into())
        }
        false => good(&format!("{:?}", Finality::from(config.l1.finality))),
    })
}

fn clock(l1: &mut Failover) -> Found {
    let Some(latest) = l1.block(At::Latest)? else {
        return Ok((Health::Bad, "L1 has no block".into()));
    };
    let apart = latest.time.abs_diff(wall_clock());
    let text = format!("{apart} s from L1's latest block ({})", latest.number);
    Ok(match apart > CLOCK {
        true => (
            Health::Warning,
            format!("{text}: is this machine's clock right, and the L1 node in step?"),
        ),
        false => good(&text),
    })
}

fn contract(l1: &mut Failover, rollup: &Rollup, accounts: &[Address]) -> Found {
    let address = Address::from(rollup.contract.0);
    if l1.code(address)?.is_empty() {
        let text = format!("there is no contract at {address}: is this the right chain?");
        return Ok((Health::Bad, text));
    }
    let governance = Address::from(rollup.governance.0);
    for block in &rollup.blocks {
        let call = IGovernance::verifiersCall { circuitId: block.circuit.to_bytes().into() };
        let answer = l1.view(governance, call.abi_encode().into())?;
        if U256::try_from_be_slice(&answer).unwrap_or_default().is_zero() {
            let text = format!("it has no verifier of circuit {}", block.circuit.short());
            return Ok((Health::Bad, text));
        }
    }
    for account in accounts {
        let call = IGovernance::operatorsCall { account: *account };
        let answer = l1.view(governance, call.abi_encode().into())?;
        if U256::try_from_be_slice(&answer).unwrap_or_default().is_zero() {
            let text = format!("{account} is no operator of it: the governor can make it one");
            return Ok((Health::Bad, text));
        }
    }
    let answer = l1.view(address, IRollup::finalizedCall {}.abi_encode().into())?;
    let blocks = U256::try_from_be_slice(&answer).unwrap_or_default();
    Ok(good(&format!("{blocks} final blocks")))
}

fn balance(l1: &mut Failover, account: Address, config: &NodeConfig) -> Found {
    let balance = l1.balance(account)?;
    let least = config.l1.tx_options().min_balance;
    let text = format!("{account} holds {balance} wei");
    Ok(match balance < least {
        true => {
            (Health::Warning, format!("{text}, less than l1.min-balance-milliether: send it more"))
        }
        false => good(&text),
    })
}

fn nats(url: &str) -> Found {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = match place.contains(':') {
        true => place.to_owned(),
        false => format!("{place}:4222"),
    };
    let failed =
        |why: std::io::Error| NodeError::Nats { host: place.clone(), why: why.to_string() };
    let mut found = std::net::ToSocketAddrs::to_socket_addrs(&place).map_err(failed)?;
    let Some(address) = found.next() else {
        return Ok((Health::Bad, format!("{place} has no address")));
    };
    std::net::TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    Ok(good(&place))
}
