//! Deploys the contracts: verifier, governance, rollup.

use alloy_primitives::{Address, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_aggregator::BlockVerifier;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::{governance, rollup, IRollup};
use bastion_prover::srs::SrsOrigin;
use bastion_state::{Fr, Policy};

use crate::dev::dev_exit;
use crate::error::NodeError;
use crate::l1::{DEV_CHAIN_IDS, L1};
use crate::settle::{to_u256, Settlement};

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

/// Address of the rollup that [`Settlement::deploy`] makes on a chain on which the first operator
/// has sent `nonce` transactions: the third contract, after verifier and governance.
pub fn rollup_address(operator: Address, nonce: u64) -> Address {
    operator.create(nonce + 2)
}

impl Settlement {
    /// Deploys verifier, governance and rollup.
    ///
    /// # Errors
    /// [`NodeError::UnsafeSrs`] for keys of a development SRS on another chain than a development
    /// chain, [`NodeError::Policy`] for a policy under which exits could not be posted, or if the L1
    /// refuses.
    pub fn deploy(
        l1: &mut dyn L1,
        roles: &Roles,
        verifier: &BlockVerifier,
        genesis: &Fr,
        policy: &Policy,
    ) -> Result<Self, NodeError> {
        let chain_id = l1.chain_id();
        if verifier.srs_origin == SrsOrigin::UnsafeDev && !DEV_CHAIN_IDS.contains(&chain_id) {
            return Err(NodeError::UnsafeSrs {
                chain_id,
                srs: verifier.srs_id.to_string(),
            });
        }
        policy
            .check()
            .map_err(|e| NodeError::Policy(e.to_string()))?;
        let operator = *roles
            .operators
            .first()
            .ok_or_else(|| NodeError::L1("there is no operator to deploy from".into()))?;
        let circuit_id: FixedBytes<32> = verifier
            .circuit_id
            .parse()
            .map_err(|e| NodeError::L1(format!("circuit id {}: {e}", verifier.circuit_id)))?;
        let contract = &verifier.contract;
        l1.fund(operator, U256::ZERO)?;
        let (verifier_address, _) = l1.deploy(operator, contract.bytecode.clone())?;
        if l1.code(verifier_address)? != contract.deployed_bytecode {
            return Err(NodeError::L1("the deployed verifier has other code".into()));
        }
        let config = IGovernance::Config {
            policyRoot: to_u256(&policy.root()),
            circuitId: circuit_id,
            verifier: verifier_address,
            governor: roles.governor,
            operators: roles.operators.clone(),
            guardians: roles.guardians.clone(),
            toPause: U256::from(roles.to_pause),
            council: roles.council.clone(),
            toUnpause: U256::from(roles.to_unpause),
        };
        let code = governance()?.with_args(&(config,).abi_encode_params());
        let (governance, _) = l1.deploy(operator, code)?;
        let args = (to_u256(genesis), governance);
        let (rollup, _) = l1.deploy(operator, rollup()?.with_args(&args.abi_encode_params()))?;
        let settlement = Self {
            rollup,
            governance,
            circuit_id,
            operator,
            tokens: vec![Address::ZERO],
        };
        let longest = settlement.longest_delay(l1)?;
        if policy.longest_delay() > longest {
            return Err(NodeError::Policy(format!(
                "an exit may wait {} seconds, but the contract takes no exit that waits more than \
                 {longest}: lower max_delay",
                policy.longest_delay()
            )));
        }
        Ok(settlement)
    }

    /// A value of the rollup.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub(crate) fn view<C: SolCall>(
        &self,
        l1: &mut dyn L1,
        call: &C,
    ) -> Result<C::Return, NodeError> {
        let output = l1.view(self.rollup, call.abi_encode().into())?;
        C::abi_decode_returns(&output).map_err(|e| NodeError::L1(format!("{}: {e}", C::SIGNATURE)))
    }
}
