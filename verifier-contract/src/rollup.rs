//! The rollup contract: its interface and its bytecode.

use alloy_primitives::{hex, Bytes};
use alloy_sol_types::{sol, SolInterface};
use serde::Deserialize;

use crate::error::{ContractError, Result};

sol! {
    /// `contracts/Rollup.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface IRollup {
        struct Header {
            uint256 oldRoot;
            uint256 newRoot;
            uint256 policyRoot;
            uint64 time;
            uint256 cOut;
            uint32 batches;
        }

        event TokenRegistered(uint16 indexed token, address indexed erc20);
        event Deposited(uint256 indexed entry, address indexed from, uint16 token, uint128 amount, bytes32 keyhash, address exit);
        event ForcedExitRequested(uint256 indexed entry, address indexed exit, uint16 token, uint32 index);
        event Committed(uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed);
        event Proven(uint256 indexed number, uint256 newRoot);
        event Finalized(uint256 indexed number, uint256 newRoot);
        event Reverted(uint256 indexed from, uint256 indexed to);
        event Claimed(uint256 indexed number, uint256 indexed position, address indexed to, uint16 token, uint256 amount);

        error UnknownToken(uint16 token);
        error AlreadyRegistered(address erc20);
        error NotAContract(address account);
        error TooManyTokens();
        error ZeroAmount();
        error WrongValue(uint256 sent, uint256 amount);
        error AmountTooLarge(uint256 total);
        error KeyhashOutOfRange(uint256 keyhash);
        error ZeroExit();
        error SystemAccount(uint32 index);
        error DataLength(uint256 expected, uint256 actual);
        error WordOutOfRange(uint256 offset);
        error NotOperator(address sender);
        error NoVerifierCode(address verifier);
        error RootOutOfRange(uint256 root);
        error WrongOldRoot(uint256 expected, uint256 actual);
        error WrongPolicy(uint256 expected, uint256 actual);
        error TimeOutOfRange(uint64 earliest, uint64 time, uint256 latest);
        error NoBatches();
        error QueueMismatch(uint256 entry);
        error NotNext(uint256 expected, uint256 actual);
        error WrongInputs(uint256 number);
        error ProofRefused(uint256 number);
        error TooEarly(uint256 earliest);
        error NothingToRevert();
        error NotFinalized(uint256 number);
        error RecordLength(uint256 length);
        error AlreadyClaimed(uint256 number, uint256 position);
        error WrongPath(uint256 number, uint256 position);
        error TransferFailed(address to);
        error InvalidInstanceCount(uint256 given, uint256 expected);
        error InvalidProofLength(uint256 given, uint256 expected);
        error InstanceOutOfRange(uint256 index);
        error ScalarOutOfRange(uint256 offset);
        error CoordinateOutOfRange(uint256 offset);
        error PointIsIdentity(uint256 offset);
        error PointNotOnCurve(uint256 offset);
        error AccumulatorLimbOutOfRange(uint256 index);
        error AccumulatorPointInvalid(uint256 index);
        error DegenerateChallenge();
        error PrecompileFailed(uint256 precompile);
        error PairingFailed();

        function domain() external view returns (uint256);
        function verifier() external view returns (address);
        function stateRoot() external view returns (uint256);
        function policyRoot() external view returns (uint256);
        function blocks(uint256 number) external view returns (uint256 newRoot, bytes32 exitRoot, bytes32 inputs, uint64 time, uint64 committedAt, uint64 processed);
        function finalized() external view returns (uint256);
        function queueLength() external view returns (uint256);
        function registerToken(address erc20) external returns (uint16 token);
        function deposit(uint16 token, uint256 amount, uint256 keyhash, address exit) external payable;
        function requestForcedExit(uint32 index, uint16 token) external;
        function commit(Header calldata header, bytes calldata data) external;
        function prove(uint256 number, uint256[12] calldata accumulator, uint256[10] calldata inputs, bytes calldata proof) external;
        function finalize(uint256 number) external;
        function revertCommits() external;
        function claim(uint256 number, uint256 position, uint256 count, bytes calldata record, bytes32[] calldata path) external;
    }

    /// `contracts/TestToken.sol`.
    interface ITestToken {
        function mint(address to, uint256 amount) external;
        function approve(address spender, uint256 amount) external returns (bool);
        function balanceOf(address account) external view returns (uint256);
    }
}

/// A compiled contract of `artifacts/`.
#[derive(Debug, Clone, Deserialize)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// Version of the compiler.
    pub solc: String,
    /// Its interface.
    pub abi: serde_json::Value,
    /// Creation code without constructor arguments.
    pub bytecode: Bytes,
}

fn compiled(json: &str) -> Result<Compiled> {
    serde_json::from_str(json).map_err(|_| ContractError::SolcOutput("artifact"))
}

/// The rollup contract.
///
/// # Errors
/// None for the artifact that this crate was built with.
pub fn rollup() -> Result<Compiled> {
    compiled(include_str!("../artifacts/Rollup.json"))
}

/// A token for development chains.
///
/// # Errors
/// None for the artifact that this crate was built with.
pub fn test_token() -> Result<Compiled> {
    compiled(include_str!("../artifacts/TestToken.json"))
}

impl Compiled {
    /// Creation code with ABI-encoded constructor arguments.
    pub fn with_args(&self, args: &[u8]) -> Bytes {
        [&self.bytecode, args].concat().into()
    }
}

/// Revert data as a named error with its values, or as hex.
pub fn describe_revert(data: &[u8]) -> String {
    match IRollup::IRollupErrors::abi_decode(data) {
        Ok(error) => format!("{error:?}"),
        Err(_) => hex::encode_prefixed(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use alloy_sol_types::SolCall;

    #[test]
    fn selectors_are_those_of_the_compiled_contract() {
        let abi = rollup().unwrap().abi;
        let mut known: Vec<[u8; 4]> = IRollup::IRollupErrors::selectors().collect();
        known.extend(IRollup::IRollupCalls::selectors());
        let mut missing = Vec::new();
        for item in abi.as_array().unwrap() {
            let kind = item["type"].as_str().unwrap();
            if kind != "error" {
                continue;
            }
            let types: Vec<&str> = item["inputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["type"].as_str().unwrap())
                .collect();
            let name = item["name"].as_str().unwrap();
            let signature = format!("{name}({})", types.join(","));
            let hash = keccak256(signature.as_bytes());
            if !known.contains(&[hash[0], hash[1], hash[2], hash[3]]) {
                missing.push(signature);
            }
        }
        // Library errors of OpenZeppelin are shown in hex.
        missing.retain(|m| !m.starts_with("SafeERC20") && !m.starts_with("Reentrancy"));
        assert_eq!(missing, Vec::<String>::new());
        let commit = keccak256(b"commit((uint256,uint256,uint256,uint64,uint256,uint32),bytes)");
        assert_eq!(IRollup::commitCall::SELECTOR, commit[..4]);
    }
}
