//! The code that the contracts of a rollup must have: what this version deploys, with the values of
//! that deployment in the places of its immutables.

use alloy_primitives::{keccak256, Address, U256};
use alloy_sol_types::SolValue;
use bastion_audit::chain::{Code, History};
use bastion_contract::evm::Evm;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::{governance, rollup};
use bastion_protocol::field;
use bastion_protocol::header::domain;
use bastion_protocol::times::MAX_CLOCK_LAG;

use crate::error::NodeError;
use crate::settle::to_u256;

/// keccak256 of the code that rollup and governance of a history must have.
///
/// The contracts are deployed in memory, on a chain of the same id, at the same time and from the same
/// root. What their code then holds of that deployment alone (domain and addresses) is replaced by what
/// it must hold of the other one.
///
/// # Errors
/// If the contracts cannot be deployed.
pub fn expected(history: &History) -> Result<Code, NodeError> {
    let mut evm = Evm::new(history.chain_id);
    // Genesis is as old on L2 as a block may be at its commit.
    evm.set_block(1, history.genesis_time.saturating_add(MAX_CLOCK_LAG));
    let member = |i: u8| Address::repeat_byte(i);
    // A verifier is any account with code; this one is `STOP`, behind what returns it.
    let stop = [0x60, 0x01, 0x60, 0x00, 0xf3].to_vec();
    let config = IGovernance::Config {
        policyRoot: U256::from(1),
        circuitId: [1; 32].into(),
        verifier: evm.deploy(stop.into())?,
        governor: member(1),
        operators: vec![member(1)],
        guardians: (10..13).map(member).collect(),
        toPause: U256::from(2),
        council: (20..25).map(member).collect(),
        toUnpause: U256::from(3),
    };
    let code = governance()?.with_args(&(config,).abi_encode_params());
    let governance = evm.deploy(code)?;
    let args = (to_u256(&history.genesis), governance).abi_encode_params();
    let contract = evm.deploy(rollup()?.with_args(&args))?;

    let mut code = evm.code(contract)?.to_vec();
    let domain = |address: Address| {
        let address = bastion_protocol::Address(address.into_array());
        field::to_bytes(&domain(history.chain_id, address))
    };
    replace(&mut code, &domain(contract), &field::to_bytes(&history.domain()));
    for (from, to) in [(governance, history.governance), (contract, history.contract)] {
        replace(&mut code, &from.into_word().0, &Address::from(to.0).into_word().0);
    }
    Ok(Code { rollup: keccak256(&code).0, governance: keccak256(evm.code(governance)?).0 })
}

fn replace(code: &mut [u8], from: &[u8; 32], to: &[u8; 32]) {
    let mut at = 0;
    while let Some(word) = code.get_mut(at..at + 32) {
        if word == from {
            word.copy_from_slice(to);
        }
        at += 1;
    }
}
