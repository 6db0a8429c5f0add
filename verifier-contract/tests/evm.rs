//! The embedded EVM: effects, refusals, time, money and events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alloy_primitives::{address, Address, U256};
use alloy_sol_types::{sol, SolCall, SolError, SolEvent};
use bastion_contract::{
    evm::{Evm, Status},
    solc, ContractError,
};

sol! {
    error TooEarly(uint256 now_);
    event Paid(address indexed from, uint256 amount);
    function pay() external payable;
    function total() external view returns (uint256);
    function after_(uint256 time) external view;
    function burn() external pure;
}

const SOURCE: &str = "
pragma solidity 0.8.37;
contract Till {
    error TooEarly(uint256 now_);
    event Paid(address indexed from, uint256 amount);
    uint256 public total;
    constructor(bool fails) { require(!fails); }
    function pay() external payable { total += msg.value; emit Paid(msg.sender, msg.value); }
    function after_(uint256 time) external view {
        if (block.timestamp < time) revert TooEarly(block.timestamp);
    }
    function burn() external pure { assembly { invalid() } }
}";

const ALICE: Address = address!("00000000000000000000000000000000000a11ce");

fn till(evm: &mut Evm, fails: bool) -> Result<Address, ContractError> {
    let contract = solc::compile(&[("Till.sol", SOURCE)]).unwrap().remove(0);
    let argument = U256::from(u8::from(fails)).to_be_bytes::<32>();
    evm.deploy([contract.bytecode.as_ref(), &argument].concat().into())
}

#[test]
fn transactions_move_money_and_leave_events() {
    let mut evm = Evm::default();
    let till = till(&mut evm, false).unwrap();
    evm.set_balance(ALICE, U256::from(100)).unwrap();
    let pay = payCall {}.abi_encode();
    let result = evm.send(ALICE, till, U256::from(60), pay.clone().into()).unwrap();
    assert!(result.is_success());
    assert!(result.gas_used > 21_000);
    let event = Paid::decode_log(&result.logs[0]).unwrap();
    assert_eq!((event.from, event.amount), (ALICE, U256::from(60)));
    assert_eq!(evm.balance(ALICE).unwrap(), U256::from(40));
    assert_eq!(evm.balance(till).unwrap(), U256::from(60));
    // More than she has.
    assert!(matches!(
        evm.send(ALICE, till, U256::from(41), pay.into()),
        Err(ContractError::Transaction(_))
    ));
    let total = evm.call(till, totalCall {}.abi_encode().into()).unwrap();
    assert_eq!(totalCall::abi_decode_returns(&total.output).unwrap(), U256::from(60));
}

#[test]
fn views_have_no_effects() {
    let mut evm = Evm::default();
    let till = till(&mut evm, false).unwrap();
    evm.set_balance(ALICE, U256::from(1)).unwrap();
    assert!(evm.view(ALICE, till, payCall {}.abi_encode().into()).unwrap().is_success());
    assert_eq!(evm.balance(ALICE).unwrap(), U256::from(1));
}

#[test]
fn time_is_set_and_reverts_carry_data() {
    let mut evm = Evm::default();
    let till = till(&mut evm, false).unwrap();
    evm.set_block(10, 1_000);
    let call = after_Call { time: U256::from(1_012) }.abi_encode();
    let early = evm.call(till, call.clone().into()).unwrap();
    assert_eq!(early.status, Status::Revert);
    assert_eq!(TooEarly::abi_decode(&early.output).unwrap().now_, U256::from(1_000));
    evm.advance(12);
    assert_eq!(evm.timestamp(), 1_012);
    assert!(evm.call(till, call.into()).unwrap().is_success());
}

#[test]
fn failures_are_told_apart() {
    let mut evm = Evm::default();
    assert!(matches!(till(&mut evm, true), Err(ContractError::Deployment { .. })));
    let till = till(&mut evm, false).unwrap();
    let halted = evm.call(till, burnCall {}.abi_encode().into()).unwrap();
    assert!(matches!(halted.status, Status::Halt(_)));
    assert!(!halted.is_success());
}

#[test]
fn oversized_code_is_refused_unless_the_limit_is_lifted() {
    let contract = solc::compile(&[("Till.sol", SOURCE)]).unwrap().remove(0);
    let code: alloy_primitives::Bytes = [contract.bytecode.as_ref(), &[0; 32]].concat().into();
    let mut evm = Evm::default();
    evm.set_code_size_limit(contract.deployed_bytecode.len() - 1);
    assert!(matches!(evm.deploy(code.clone()), Err(ContractError::Deployment { .. })));
    evm.set_code_size_limit(contract.deployed_bytecode.len());
    assert!(evm.deploy(code).is_ok());
}
