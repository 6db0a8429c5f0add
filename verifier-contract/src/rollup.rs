//! The rollup contract: its interface and its bytecode.

use alloy_primitives::{hex, Bytes};
use alloy_sol_types::{sol, SolInterface};
use serde::Deserialize;

use crate::error::{ContractError, Result};
use crate::governance::IGovernance;
use crate::slashing::ISlashing;

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

        struct Account {
            uint256 keyhash;
            address exit;
            uint16 token;
            uint32 nonce;
            uint128 balance;
            uint40 frozenUntil;
        }

        struct Contradiction {
            uint256 newRoot;
            uint256 cOut;
            bytes32 circuitId;
            uint256[12] accumulator;
            bytes proof;
            bytes32[] versionedHashes;
            bytes openings;
        }

        event Alarmed(uint256 indexed number, bytes32 indexed ofBlock, bytes32 indexed ofContradiction, uint256 newRoot, uint256 cOut);
        event Claimed(uint256 indexed number, uint256 indexed position, address indexed to, uint16 token, uint256 amount);
        event Collected(address indexed account, uint16 indexed token, uint256 amount, address to);
        event Committed(uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed, bytes32[] versionedHashes);
        event Departed(uint32 indexed index, address indexed exit, uint16 indexed token, uint256 amount);
        event Deposited(uint256 indexed entry, address indexed from, uint16 token, uint128 amount, bytes32 keyhash, address exit);
        event ExodusBegan(uint256 indexed number, uint256 root);
        event Finalized(uint256 indexed number, uint256 newRoot);
        event ForcedExitRequested(uint256 indexed entry, address indexed exit, uint16 token, uint32 index);
        event Owed(address indexed account, uint16 indexed token, uint256 amount);
        event Proven(uint256 indexed number, bytes32 indexed circuitId, uint256 newRoot);
        event Refunded(uint256 indexed entry, address indexed exit, uint16 indexed token, uint256 amount);
        event Resumed(uint256 indexed number, uint256 root);
        event Reverted(uint256 indexed from, uint256 indexed to);
        event TokenRegistered(uint16 indexed token, address indexed erc20);

        error AlarmRuns(uint256 number);
        error AlreadyClaimed(uint256 number, uint256 position);
        error AlreadyLeft(uint32 index);
        error AlreadyRefunded(uint256 entry);
        error AlreadyRegistered(address erc20);
        error AmountTooLarge(uint256 held, uint256 amount);
        error BatchesOutOfRange(uint256 most, uint256 actual);
        error BlobRefused(bytes32 versionedHash, uint256 z);
        error BlobsTooFull(uint256 most, uint256 actual);
        error BucketFull(uint16 token, uint256 room, uint256 earliest);
        error DataLength(uint256 expected, uint256 actual);
        error DataTooLong(uint256 longest, uint256 actual);
        error DoesNotFit(uint256 value);
        error HeldTooLittle(uint16 token, uint256 held, uint256 amount);
        error InExodus();
        error IsPaused(uint256 until);
        error KeyhashOutOfRange(uint256 keyhash);
        error NoAlarm();
        error NoBlob();
        error NoContradiction();
        error NoGovernance(address governance);
        error NoSuchEntry(uint256 entry);
        error NotAContract(address account);
        error NotAnElement(uint256 word);
        error NotFinalized(uint256 number);
        error NotInExodus();
        error NotNext(uint256 expected, uint256 actual);
        error NotOperator(address sender);
        error NotProven(uint256 number);
        error NotTheOwner(address sender);
        error NothingOverdue();
        error NothingToRevert();
        error OpeningsLength(uint256 expected, uint256 actual);
        error OverdueWaits(uint256 entry);
        error Processed(uint256 entry);
        error ProofRefused(uint256 number);
        error QueueMismatch(uint256 entry);
        error RecordLength(uint256 length);
        error ReentrancyGuardReentrantCall();
        error ReleaseTooLate(uint256 latest, uint256 releaseTime);
        error RootOutOfRange(uint256 root);
        error SafeERC20FailedOperation(address token);
        error StillRegistered(bytes32 ofBlock, bytes32 ofContradiction);
        error SystemAccount(uint32 index);
        error TimeOutOfRange(uint256 earliest, uint64 time, uint256 latest);
        error TooEarly(uint256 earliest);
        error TooLate(uint256 latest);
        error TooManyTokens();
        error TransferFailed(address to);
        error UnknownCircuit(bytes32 circuitId);
        error UnknownToken(uint16 token);
        error WordOutOfRange(uint256 offset);
        error WrongBlobs(uint256 expected, uint256 actual);
        error WrongData(uint256 number);
        error WrongArrival(uint256 amount, uint256 arrived);
        error WrongInputs(uint256 number);
        error WrongOldRoot(uint256 expected, uint256 actual);
        error WrongPath(uint256 number, uint256 position);
        error WrongPolicy(uint256 expected, uint256 actual);
        error WrongRecord(uint256 entry);
        error WrongRoot(uint256 expected, uint256 actual);
        error WrongValue(uint256 sent, uint256 amount);
        error ZeroAmount();
        error ZeroExit();
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

        function FIRST_USER() external view returns (uint32);
        function MAX_BATCHES() external view returns (uint256);
        function MAX_BLOBS() external view returns (uint256);
        function MAX_DATA() external view returns (uint256);
        function MAX_RELEASE_DELAY() external view returns (uint256);
        function OVERDUE_PER_BATCH() external view returns (uint256);
        function QUEUE_DEADLINE() external view returns (uint256);
        function alarm(uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, uint32 batches, bytes calldata data, Contradiction calldata other) external;
        function alarmedAt() external view returns (uint64);
        function beginExodus() external;
        function blockInputs(uint256 number) external view returns (bytes32 record, uint64 finalAt);
        function blocks(uint256 number) external view returns (bytes32 record, uint64 time, uint64 committedAt, uint64 processed, uint64 finalAt, uint16 circuit);
        function claim(uint256 number, bytes32 inputsHash, uint32 position, uint32 count, bytes calldata record, bytes32[] calldata path) external;
        function claimed(uint256 number, uint256 word) external view returns (uint256);
        function collect(address account, uint16 token, address to) external;
        function commit(Header calldata header, bytes calldata data) external;
        function commitInBlobs(Header calldata header, bytes calldata data, bytes calldata openings) external;
        function committedRoot() external view returns (uint256);
        function committed() external view returns (uint64);
        function depart(uint32 index, Account calldata account, uint256[32] calldata path) external;
        function departed(uint256 word) external view returns (uint256);
        function deposit(uint16 token, uint256 amount, uint256 keyhash, address exit) external payable;
        function domain() external view returns (uint256);
        function doubted() external view returns (uint64);
        function entries(uint256) external view returns (bytes32 roll, uint64 queuedAt);
        function exodus() external view returns (bool);
        function exodusDue() external view returns (bool);
        function finalize(uint256 number) external;
        function finalized() external view returns (uint64);
        function finalizedAt() external view returns (uint64);
        function genesisRoot() external view returns (uint256);
        function governance() external view returns (address);
        function held(uint16 token) external view returns (uint256);
        function operatorsAway() external view returns (bool);
        function owed(address account, uint16 token) external view returns (uint256);
        function prove(uint256 number, bytes32 circuitId, uint256[12] calldata accumulator, uint256[16] calldata inputs, bytes32 exitRoot, bytes calldata proof) external;
        function proveAndFinalize(uint256 number, bytes32 circuitId, uint256[12] calldata accumulator, uint256[16] calldata inputs, bytes32 exitRoot, bytes calldata proof) external;
        function proven() external view returns (uint64);
        function queueLength() external view returns (uint256);
        function refund(uint256 entry, uint16 token, uint128 amount, uint256 keyhash, address exit) external;
        function refunded(uint256 entry) external view returns (bool);
        function registerToken(address erc20) external returns (uint16 token);
        function requestForcedExit(uint32 index, uint16 token) external;
        function resume() external;
        function resumedAt() external view returns (uint64);
        function revertCommits() external;
        function revertCount() external view returns (uint256);
        function reverts(uint256 index) external view returns (uint64 to, uint64 when);
        function room(uint16 token) external view returns (uint256);
        function settle(Header calldata header, bytes calldata data, bytes32 circuitId, uint256[12] calldata accumulator, bytes calldata proof) external;
        function settleInBlobs(Header calldata header, bytes calldata data, bytes calldata openings, bytes32 circuitId, uint256[12] calldata accumulator, bytes calldata proof) external;
        function stateRoot() external view returns (uint256);
        function tokenId(address erc20) external view returns (uint16);
        function tokens(uint256) external view returns (address);
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

/// The rollup's governance.
///
/// # Errors
/// None for the artifact that this crate was built with.
pub fn governance() -> Result<Compiled> {
    compiled(include_str!("../artifacts/Governance.json"))
}

/// The contract that judges receipts of a rollup.
///
/// # Errors
/// None for the artifact that this crate was built with.
pub fn slashing() -> Result<Compiled> {
    compiled(include_str!("../artifacts/Slashing.json"))
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
    if let Ok(error) = IRollup::IRollupErrors::abi_decode(data) {
        return format!("{error:?}");
    }
    if let Ok(error) = IGovernance::IGovernanceErrors::abi_decode(data) {
        return format!("{error:?}");
    }
    match ISlashing::ISlashingErrors::abi_decode(data) {
        Ok(error) => format!("{error:?}"),
        Err(_) => hex::encode_prefixed(data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::IBastionVerifier::IBastionVerifierErrors;
    use alloy_primitives::keccak256;
    use alloy_sol_types::SolError;
    use std::collections::BTreeSet;

    /// Full topics or hashes of an artifact's items of a kind.
    fn hashes(abi: &serde_json::Value, kind: &str) -> BTreeSet<[u8; 32]> {
        fn canonical(input: &serde_json::Value) -> String {
            let kind = input["type"].as_str().unwrap();
            let Some(suffix) = kind.strip_prefix("tuple") else {
                return kind.to_owned();
            };
            let parts: Vec<String> =
                input["components"].as_array().unwrap().iter().map(canonical).collect();
            format!("({}){suffix}", parts.join(","))
        }
        let items = abi.as_array().unwrap().iter();
        items
            .filter(|item| item["type"] == kind)
            .map(|item| {
                let inputs = item["inputs"].as_array().unwrap();
                let inputs: Vec<String> = inputs.iter().map(canonical).collect();
                let name = item["name"].as_str().unwrap();
                keccak256(format!("{name}({})", inputs.join(","))).0
            })
            .collect()
    }

    fn short(hashes: BTreeSet<[u8; 32]>) -> BTreeSet<[u8; 4]> {
        let first = |hash: [u8; 32]| [hash[0], hash[1], hash[2], hash[3]];
        hashes.into_iter().map(first).collect()
    }

    #[test]
    fn the_bindings_are_the_compiled_interfaces() {
        let abi = rollup().unwrap().abi;
        let calls: BTreeSet<_> = IRollup::IRollupCalls::selectors().collect();
        assert_eq!(calls, short(hashes(&abi, "function")));
        // A proof that is refused reverts with the verifier's error.
        let mut errors = short(hashes(&abi, "error"));
        errors.extend(IBastionVerifierErrors::selectors());
        // So does an account that leaves with the governance's, which hashes its path.
        errors.insert(IRollup::NotAnElement::SELECTOR);
        let bound: BTreeSet<_> = IRollup::IRollupErrors::selectors().collect();
        assert_eq!(bound, errors);
        let bound: BTreeSet<_> = IRollup::IRollupEvents::SELECTORS.iter().copied().collect();
        assert_eq!(bound, hashes(&abi, "event"));

        let abi = governance().unwrap().abi;
        let calls: BTreeSet<_> = IGovernance::IGovernanceCalls::selectors().collect();
        assert_eq!(calls, short(hashes(&abi, "function")));
        let bound: BTreeSet<_> = IGovernance::IGovernanceErrors::selectors().collect();
        assert_eq!(bound, short(hashes(&abi, "error")));
        let events = IGovernance::IGovernanceEvents::SELECTORS;
        let bound: BTreeSet<_> = events.iter().copied().collect();
        assert_eq!(bound, hashes(&abi, "event"));

        let abi = slashing().unwrap().abi;
        let calls: BTreeSet<_> = ISlashing::ISlashingCalls::selectors().collect();
        assert_eq!(calls, short(hashes(&abi, "function")));
        let bound: BTreeSet<_> = ISlashing::ISlashingErrors::selectors().collect();
        assert_eq!(bound, short(hashes(&abi, "error")));
        let bound: BTreeSet<_> = ISlashing::ISlashingEvents::SELECTORS.iter().copied().collect();
        assert_eq!(bound, hashes(&abi, "event"));
    }
}
