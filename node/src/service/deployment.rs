//! Deploys a rollup from the operator's account, and goes on where an attempt was cut short.

use std::time::Duration;

use alloy_primitives::{Address as L1Address, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_contract::rollup::slashing as code;
use bastion_contract::slashing::ISlashing;
use bastion_l1::txmgr::{Request, State, TxManager};
use bastion_l1::ReadL1;
use bastion_protocol::{Address, CircuitId, Policy};
use bastion_prover::progress::Progress;
use bastion_prover::srs::SrsOrigin;
use bastion_state::state::State as L2State;
use tracing::warn;

use super::manifest::{BlockCircuit, Rollup, FORMAT};
use super::run::wall_clock;
use crate::deploy::{Deployment, Roles, Site};
use crate::error::NodeError;
use crate::exodus::view;
use crate::slashing;

/// Time between two looks.
const POLL: Duration = Duration::from_millis(500);

/// What is deployed.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The verifier of the block circuit.
    pub verifier: &'a StoredBlockVerifier,
    /// Circuit of the batches.
    pub batch_circuit: CircuitId,
    /// Who may do what.
    pub roles: &'a Roles,
    /// The policy in force at the start.
    pub policy: &'a Policy,
}

impl Plan<'_> {
    /// Deploys verifier, governance and rollup, and waits until they are in a block. What an earlier call
    /// did is not done again.
    ///
    /// # Errors
    /// Those of [`Deployment::rehearse`], before anything is sent; [`NodeError::Deployed`] if a
    /// transaction fails.
    pub fn deploy(
        &self,
        manager: &mut TxManager,
        progress: &Progress,
    ) -> Result<Rollup, NodeError> {
        let account = manager.account();
        // An earlier attempt has fixed the addresses.
        let begun = manager.get(&name("verifier")).and_then(|intent| intent.attempts.first());
        let begun = begun.map(|attempt| attempt.nonce);
        let l1 = manager.l1();
        let nonce = match begun {
            Some(nonce) => nonce,
            None => l1.nonce(account)?,
        };
        let site = Site { chain_id: l1.chain_id(), time: l1.now()?, nonce };
        let genesis = L2State::new().root();
        let deployment =
            Deployment::rehearse(site, self.roles, self.verifier, &genesis, self.policy)?;
        let settlement = deployment.settlement().clone();
        let creations: Vec<_> =
            deployment.creations().map(|(name, at, code)| (name, at, code.clone())).collect();
        let stage = progress.stage("deploy", settlement.rollup.to_string(), creations.len() as u64);
        let mut first_block = 0;
        let mut verifier = Address::default();
        for (contract, at, code) in creations {
            let request = Request {
                name: name(contract),
                to: None,
                value: Default::default(),
                input: code,
                gas: 0,
                blobs: Vec::new(),
            };
            manager.submit(request, wall_clock())?;
            let block = wait(manager, &name(contract))?;
            // The rollup is the last of them: it has no events before.
            first_block = block;
            if manager.l1().code(at)?.is_empty() {
                return Err(NodeError::Deployed {
                    contract: at.to_string(),
                    why: format!("was to be made by transaction `{}` and is not there: the account is used elsewhere too; deploy from another one", name(contract)),
                });
            }
            if contract == "verifier" {
                verifier = Address(at.into_array());
            }
            stage.advance();
        }
        let block = &self.verifier.verifier;
        Ok(Rollup {
            format: FORMAT,
            chain_id: site.chain_id,
            contract: Address(settlement.rollup.into_array()),
            governance: Address(settlement.governance.into_array()),
            first_block,
            shape: block.batch_shape.clone(),
            batch_circuit: self.batch_circuit,
            blocks: vec![BlockCircuit {
                batches: block.batches as u32,
                circuit: block.circuit_id,
                verifier,
            }],
            unsafe_dev_srs: block.srs_origin == SrsOrigin::UnsafeDev,
            policy: self.policy.clone(),
            slashing: None,
        })
    }
}

/// A bond behind the key of receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bonded {
    /// The contract that holds it.
    pub slashing: L1Address,
    /// What is in it now, in wei.
    pub amount: u128,
}

/// Puts wei behind a key of receipts, from the operator's account, and waits until they are there. Makes the contract
/// that holds them if the rollup has none. An attempt that was cut short goes on.
///
/// # Errors
/// [`NodeError::Deployed`] if a transaction fails, or the contract is another rollup's; those of L1.
pub fn bond(
    manager: &mut TxManager,
    rollup: &Rollup,
    signer: L1Address,
    wei: u128,
) -> Result<Bonded, NodeError> {
    let contract = L1Address::from(rollup.contract.0);
    let slashing = match rollup.slashing {
        Some(found) => L1Address::from(found.0),
        None => make_slashing(manager, contract)?,
    };
    let judged = view(manager.l1(), slashing, &ISlashing::rollupCall {})?;
    if judged != contract {
        return Err(NodeError::Deployed {
            contract: slashing.to_string(),
            why: format!("judges receipts of the rollup {judged}, not of {contract}"),
        });
    }
    let owner = manager.account();
    let (before, _) = slashing::bond(manager.l1(), slashing, owner, signer)?;
    // The name tells this request from one that was made before.
    let name = format!("bond {signer} {before} + {wei}");
    let request = Request {
        name: name.clone(),
        to: Some(slashing),
        value: U256::from(wei),
        input: ISlashing::bondCall { signer }.abi_encode().into(),
        gas: 0,
        blobs: Vec::new(),
    };
    manager.submit(request, wall_clock())?;
    wait(manager, &name)?;
    let (amount, _) = slashing::bond(manager.l1(), slashing, owner, signer)?;
    Ok(Bonded { slashing, amount })
}

fn make_slashing(manager: &mut TxManager, contract: L1Address) -> Result<L1Address, NodeError> {
    let name = name("slashing");
    let request = Request {
        name: name.clone(),
        to: None,
        value: U256::ZERO,
        input: code()?.with_args(&contract.abi_encode()),
        gas: 0,
        blobs: Vec::new(),
    };
    manager.submit(request, wall_clock())?;
    wait(manager, &name)?;
    let nonce = manager.get(&name).and_then(|intent| intent.attempts.last()).map(|made| made.nonce);
    let made = nonce.map(|nonce| manager.account().create(nonce)).unwrap_or_default();
    match manager.l1().code(made)?.is_empty() {
        false => Ok(made),
        true => Err(NodeError::Deployed {
            contract: made.to_string(),
            why: format!("was to be made by transaction `{name}` and is not there"),
        }),
    }
}

fn name(contract: &str) -> String {
    format!("deploy {contract}")
}

/// Waits until a transaction is in a block; gives its number.
fn wait(manager: &mut TxManager, name: &str) -> Result<u64, NodeError> {
    loop {
        for notice in manager.step(wall_clock())? {
            tracing::info!("{notice}");
        }
        let state = manager.get(name).map(|intent| intent.state.clone());
        match state {
            Some(State::Mined(inclusion) | State::Final(inclusion)) => return Ok(inclusion.block),
            Some(state @ (State::Failed { .. } | State::Superseded | State::Cancelled(_))) => {
                let why = match &state {
                    State::Failed { cause } => format!("failed: {cause}"),
                    other => format!("is {}", other.word()),
                };
                return Err(NodeError::Deployed {
                    contract: name.into(),
                    why: format!(
                        "the transaction {why}: `bastion l1 resend \"{name}\"` begins it anew"
                    ),
                });
            }
            Some(State::Pending | State::Sent) => std::thread::sleep(POLL),
            None => {
                warn!(name, "a transaction that was asked for is not known");
                std::thread::sleep(POLL);
            }
        }
    }
}
