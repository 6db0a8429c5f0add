//! A stranger shows L1 a broken receipt, and takes his part of the operator's bond.

use alloy_primitives::{keccak256, Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_audit::History;
use bastion_contract::rollup::slashing;
use bastion_contract::slashing::ISlashing;
use bastion_l1::{DevChain, SendL1};
use bastion_protocol::field::serde_decimal;
use bastion_protocol::receipt::Place;
use bastion_protocol::times::REPORT_DELAY;
use bastion_protocol::Policy;
use serde::Serialize;

use crate::error::NodeError;
use crate::inclusion::{inclusion, Wanted};
use crate::sequencer::SignedReceipt;
use crate::slashing::{bond, Evidence, Fault, Verdict};

/// An operator's bond on a development chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// The contract that holds it.
    pub slashing: Address,
    /// Who put it up.
    pub owner: Address,
    /// The key that it stands behind.
    pub signer: Address,
    /// Gas of the contract's creation, and of the bond.
    pub gas: [u64; 2],
}

impl Operator {
    /// Creates the contract for a rollup and puts up a bond.
    ///
    /// # Errors
    /// Those of L1.
    pub fn bonded(
        l1: &mut dyn DevChain,
        rollup: Address,
        owner: Address,
        signer: Address,
        wei: u128,
    ) -> Result<Self, NodeError> {
        let (slashing, created) = l1.deploy(owner, slashing()?.with_args(&rollup.abi_encode()))?;
        l1.fund(owner, U256::from(wei))?;
        let call = ISlashing::bondCall { signer }.abi_encode();
        let bonded = l1.send(owner, slashing, U256::from(wei), call.into())?;
        Ok(Self { slashing, owner, signer, gas: [created, bonded] })
    }
}

/// Gas of the stranger's two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// Announcing the report.
    pub announce: u64,
    /// The report.
    pub report: u64,
}

/// What became of a broken receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dispute {
    /// What was promised.
    pub place: Place,
    /// What is wrong with it.
    pub fault: Fault,
    /// The operator's bond before, in wei.
    #[serde(with = "serde_decimal")]
    pub bond: u128,
    /// The bond after.
    #[serde(with = "serde_decimal")]
    pub bond_after: u128,
    /// What the stranger got.
    #[serde(with = "serde_decimal")]
    pub reward: u128,
    /// Seconds between announcement and report.
    pub waited: u64,
    /// Bytes of the report's calldata.
    pub report_bytes: usize,
    /// Gas.
    pub gas: Steps,
}

impl Dispute {
    /// Builds the evidence from a receipt and what L1 shows, asks the contract, announces the report, waits, and
    /// reports.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if the receipt was kept or the contract does not see the fault; those of L1 and of
    /// [`inclusion`].
    pub fn settle(
        l1: &mut dyn DevChain,
        history: &History,
        policy: &Policy,
        receipt: &SignedReceipt,
        operator: &Operator,
        stranger: Address,
    ) -> Result<Self, NodeError> {
        let refused = |why: String| NodeError::Receipt { why };
        let Operator { slashing, owner, signer, .. } = *operator;
        let place = receipt.receipt.place;
        let proof = inclusion(history, std::slice::from_ref(policy), &Wanted::Place(place))?;
        let rollup = Address::from(history.contract.0);
        let evidence = Evidence::against(receipt, &proof, history.chain_id, rollup)?
            .ok_or_else(|| refused("it was kept: there is nothing to report".into()))?;
        let block =
            usize::try_from(place.block).ok().and_then(|n| history.blocks.get(n.checked_sub(1)?));
        let exit_root = block.map(|block| block.exit_root).unwrap_or_default().into();
        let verdict = evidence.verdict(l1, slashing, owner, exit_root)?;
        if verdict != Verdict::Broken {
            return Err(refused(format!("the contract does not see the fault: {verdict:?}")));
        }
        let (before, _) = bond(l1, slashing, owner, signer)?;
        let salt = keccak256("bastion.dev.salt");
        let commitment_ = evidence.commitment(stranger, owner, salt);
        l1.fund(stranger, U256::ZERO)?;
        let held = l1.balance(stranger)?;
        let send = |l1: &mut dyn DevChain, data: Bytes| -> Result<u64, NodeError> {
            Ok(SendL1::send(l1, stranger, slashing, U256::ZERO, data)?)
        };
        let announce = ISlashing::announceReportCall { commitment_ }.abi_encode();
        let announced = send(l1, announce.into())?;
        l1.advance(REPORT_DELAY)?;
        let call = evidence.report(owner, exit_root, salt)?;
        let report_bytes = call.len();
        let reported = send(l1, call)?;
        let (after, _) = bond(l1, slashing, owner, signer)?;
        let reward = l1.balance(stranger)?.saturating_sub(held);
        Ok(Self {
            place,
            fault: evidence.fault,
            bond: before,
            bond_after: after,
            reward: reward.saturating_to(),
            waited: REPORT_DELAY,
            report_bytes,
            gas: Steps { announce: announced, report: reported },
        })
    }
}
