//! Deploys the contracts: verifier, governance, rollup.
//!
//! Every deployment is made in memory first: what can be wrong with it is found before anything is
//! sent, and what it makes is known to the byte, so that one that was cut short can go on.

use alloy_primitives::{Address, Bytes, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::{governance, rollup};
use bastion_l1::{DevChain, EmbeddedL1, ReadL1, SendL1, DEV_CHAIN_IDS};
use bastion_protocol::{Fr, Policy};
use bastion_prover::srs::SrsOrigin;

use crate::devnet::dev_exit;
use crate::error::NodeError;
use crate::settle::{to_u256, RollupClient};

/// Who holds which role; `docs/security.md` says what each may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Announces changes.
    pub governor: Address,
    /// Commit blocks; the first one deploys.
    pub operators: Vec<Address>,
    /// Pause.
    pub guardians: Vec<Address>,
    /// How many of them it takes.
    pub to_pause: u64,
    /// End pauses and remove verifiers.
    pub council: Vec<Address>,
    /// How many of them it takes.
    pub to_unpause: u64,
}

impl Roles {
    /// Roles for development chains, all but the operator's played by addresses without a key.
    pub fn dev(operator: Address) -> Self {
        let members = |role: &str, n: usize| {
            let name = |i| Address::from(dev_exit(&format!("{role} {i}")).0);
            (0..n).map(name).collect()
        };
        Self {
            governor: Address::from(dev_exit("governor").0),
            operators: vec![operator],
            guardians: members("guardian", 3),
            to_pause: 2,
            council: members("council", 5),
            to_unpause: 3,
        }
    }
}

impl Roles {
    /// Who deploys.
    fn operator(&self) -> Result<Address, NodeError> {
        let first = self.operators.first().copied();
        first.ok_or(NodeError::NoOperator)
    }
}

/// Address of the rollup that [`RollupClient::deploy`] makes on a chain on which the first operator
/// has sent `nonce` transactions: the third contract, after verifier and governance.
pub fn rollup_address(operator: Address, nonce: u64) -> Address {
    operator.create(nonce.saturating_add(2))
}

/// A contract of a deployment.
struct Creation {
    address: Address,
    /// Creation code with arguments.
    creation: Bytes,
    /// The code that it leaves.
    code: Bytes,
}

/// A deployment that was made in memory.
pub struct Deployment {
    /// Transactions that the operator has sent before it.
    nonce: u64,
    contracts: Vec<Creation>,
    settlement: RollupClient,
    memory: EmbeddedL1,
}

/// Where and when a deployment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Chain id.
    pub chain_id: u64,
    /// Time there.
    pub time: u64,
    /// Transactions that the operator has sent before.
    pub nonce: u64,
}

impl Deployment {
    /// Makes the deployment in memory.
    ///
    /// # Errors
    /// [`NodeError::UnsafeSrs`] for keys of a development SRS on another chain than a development
    /// chain, [`NodeError::Policy`] for a policy under which exits could not be posted, or if a
    /// constructor refuses.
    pub fn rehearse(
        site: Site,
        roles: &Roles,
        stored: &StoredBlockVerifier,
        genesis: &Fr,
        policy: &Policy,
    ) -> Result<Self, NodeError> {
        let StoredBlockVerifier { verifier, contract, .. } = stored;
        if verifier.srs_origin == SrsOrigin::UnsafeDev && !DEV_CHAIN_IDS.contains(&site.chain_id) {
            return Err(NodeError::UnsafeSrs {
                chain_id: site.chain_id,
                srs: verifier.srs_id.to_string(),
            });
        }
        policy.check().map_err(|e| NodeError::Policy(e.to_string()))?;
        let operator = roles.operator()?;
        let circuit_id = FixedBytes::from(verifier.circuit_id.to_bytes());
        let mut memory = EmbeddedL1::with_chain(site.chain_id, site.time);
        memory.set_nonce(operator, site.nonce)?;
        let mut contracts = Vec::new();
        let mut create = |memory: &mut EmbeddedL1, creation: Bytes| -> Result<_, NodeError> {
            let (address, _) = memory.deploy(operator, creation.clone())?;
            let code = memory.code(address)?;
            contracts.push(Creation { address, creation, code: code.clone() });
            Ok((address, code))
        };
        let (verifier, code) = create(&mut memory, contract.bytecode.clone())?;
        if code != contract.deployed_bytecode {
            return Err(NodeError::VerifierCode { address: verifier.to_string() });
        }
        let config = IGovernance::Config {
            policyRoot: to_u256(&policy.root()),
            circuitId: circuit_id,
            verifier,
            governor: roles.governor,
            operators: roles.operators.clone(),
            guardians: roles.guardians.clone(),
            toPause: U256::from(roles.to_pause),
            council: roles.council.clone(),
            toUnpause: U256::from(roles.to_unpause),
        };
        let code = governance()?.with_args(&(config,).abi_encode_params());
        let (governance, _) = create(&mut memory, code)?;
        let args = (to_u256(genesis), governance).abi_encode_params();
        let (rollup, _) = create(&mut memory, rollup()?.with_args(&args))?;
        let settlement =
            RollupClient { rollup, governance, circuit_id, operator, tokens: vec![Address::ZERO] };
        let longest = settlement.longest_delay(&mut memory)?;
        if policy.longest_delay() > longest {
            return Err(NodeError::Policy(format!(
                "an exit may wait {} seconds, but the contract takes no exit that waits more than \
                 {longest}: lower max_delay",
                policy.longest_delay()
            )));
        }
        Ok(Self { nonce: site.nonce, contracts, settlement, memory })
    }

    /// The contracts in the order in which they are made: their names, addresses, and creation code with
    /// arguments.
    pub fn creations(&self) -> impl Iterator<Item = (&'static str, Address, &Bytes)> {
        let names = ["verifier", "governance", "rollup"].into_iter();
        names.zip(&self.contracts).map(|(name, c)| (name, c.address, &c.creation))
    }

    /// The contracts as they are, or will be.
    pub fn settlement(&self) -> &RollupClient {
        &self.settlement
    }

    /// How many of the three contracts are there already.
    ///
    /// # Errors
    /// [`NodeError::Deployed`] if something else is in their place, or the transaction that would
    /// make one was used for something else.
    pub fn present(&self, l1: &mut dyn ReadL1) -> Result<usize, NodeError> {
        let mut present = 0;
        for (i, contract) in self.contracts.iter().enumerate() {
            let code = l1.code(contract.address)?;
            if code.is_empty() {
                continue;
            }
            if code != contract.code || present != i {
                return Err(NodeError::Deployed {
                    contract: contract.address.to_string(),
                    why: "another contract than these blocks are for is here: use a fresh \
                          development node"
                        .into(),
                });
            }
            present += 1;
        }
        let nonce = l1.nonce(self.settlement.operator)?;
        if present < self.contracts.len() && nonce != self.nonce.saturating_add(present as u64) {
            return Err(NodeError::Deployed {
                contract: self.settlement.rollup.to_string(),
                why: format!(
                    "cannot be deployed any more: {} has sent {nonce} transactions here, and it \
                     needs the transactions from number {} on: use a fresh development node",
                    self.settlement.operator, self.nonce
                ),
            });
        }
        Ok(present)
    }

    /// Makes the contracts that are missing.
    ///
    /// # Errors
    /// As [`Self::present`], or if the L1 refuses.
    pub fn make(&self, l1: &mut dyn SendL1) -> Result<RollupClient, NodeError> {
        let present = self.present(l1)?;
        let operator = self.settlement.operator;
        for contract in self.contracts.iter().skip(present) {
            let (address, _) = l1.deploy(operator, contract.creation.clone())?;
            if address != contract.address || l1.code(address)? != contract.code {
                return Err(NodeError::Deployed {
                    contract: address.to_string(),
                    why: format!("was to be at {}, with other code", contract.address),
                });
            }
        }
        Ok(self.settlement.clone())
    }

    /// The chain in memory on which the contracts are, to try there what is to be sent.
    pub fn memory(&mut self) -> &mut EmbeddedL1 {
        &mut self.memory
    }
}

impl RollupClient {
    /// Deploys verifier, governance and rollup.
    ///
    /// # Errors
    /// As [`Deployment::rehearse`] and [`Deployment::make`].
    pub fn deploy(
        l1: &mut dyn DevChain,
        roles: &Roles,
        stored: &StoredBlockVerifier,
        genesis: &Fr,
        policy: &Policy,
    ) -> Result<Self, NodeError> {
        let operator = roles.operator()?;
        let site = Site { chain_id: l1.chain_id(), time: l1.now()?, nonce: l1.nonce(operator)? };
        let deployment = Deployment::rehearse(site, roles, stored, genesis, policy)?;
        l1.fund(operator, U256::ZERO)?;
        deployment.make(l1)
    }

    /// A value of the rollup.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub(crate) fn view<C: SolCall>(
        &self,
        l1: &mut dyn ReadL1,
        call: &C,
    ) -> Result<C::Return, NodeError> {
        crate::exodus::view(l1, self.rollup, call)
    }
}
