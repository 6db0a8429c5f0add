//! The contract that judges receipts: its interface and its bytecode.

#![allow(missing_docs, reason = "the macro's output mirrors the Solidity interface")]

use alloy_sol_types::sol;

sol! {
    /// `contracts/Receipts.sol`: what the sequencer signs.
    #[derive(Debug, PartialEq, Eq)]
    struct Receipt {
        uint32 epoch;
        uint64 number;
        uint32 batch;
        uint32 position;
        bytes32 operation;
        uint256 leaf;
        uint64 time;
    }

    /// `contracts/Slashing.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface ISlashing {
        struct Signed {
            Receipt receipt;
            bytes32 r;
            bytes32 s;
            uint8 v;
        }

        struct Batch {
            uint256 root;
            uint256 counts;
        }

        event Announced(bytes32 indexed commitment);
        event Bonded(address indexed owner, address indexed signer, uint256 amount);
        event Leaving(address indexed owner, address indexed signer, uint256 leavesAt);
        event Slashed(address indexed owner, address indexed signer, address indexed reporter, uint8 fault, bytes32 evidence, uint256 amount, uint256 reward);
        event Withdrawn(address indexed owner, address indexed signer, address to, uint256 amount);

        error BadSignature();
        error BlockNotFinal(uint256 number);
        error IsLeaving(uint256 leavesAt);
        error Kept();
        error NoBond(address owner, address signer);
        error NoRollup(address account);
        error NoSuchBatch(uint256 batches, uint256 batch);
        error NoSuchPosition(uint256 operations, uint256 position);
        error NotAnnounced(bytes32 commitment);
        error NotEarlier(uint256 number);
        error NotItsInputs(uint256 number);
        error NotLeaving();
        error OtherPlace();
        error OtherSigner(address signer);
        error PathLength(uint256 expected, uint256 actual);
        error PaymentRefused(address to);
        error SameReceipt();
        error TooSoon(uint256 earliest);
        error Void(uint256 revert_);
        error WordTooLarge(uint256 word);
        error WrongBatches(uint256 expected, uint256 actual);
        error WrongLeaf(uint256 expected, uint256 actual);

        function BURNED() external view returns (address);
        function REWARD_PART() external view returns (uint256);
        function announceReport(bytes32 commitment_) external;
        function announceWithdrawal(address signer) external;
        function announced(bytes32 commitment) external view returns (uint64);
        function bond(address signer) external payable;
        function bonds(address owner, address signer) external view returns (uint128 amount, uint64 leavesAt);
        function cancelWithdrawal(address signer) external;
        function commitment(address reporter, address owner, bytes32 evidence, bytes32 salt) external pure returns (bytes32);
        function reportBroken(address owner, address signer, Signed calldata signed, uint256[16] calldata inputs, bytes32 exitRoot, Batch[] calldata batches, uint256 leaf, uint256[] calldata siblings, bytes32 salt) external;
        function reportOvertaken(address owner, address signer, Signed calldata signed, uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, bytes32 salt) external;
        function reportTwo(address owner, address signer, Signed calldata first, Signed calldata second, bytes32 salt) external;
        function requireIncluded(uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, Batch[] calldata batches, uint256 batch, uint256 position, uint256 leaf, uint256[] calldata siblings) external view;
        function rollup() external view returns (address);
        function withdraw(address signer, address to) external;
    }
}
