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

    /// `contracts/Blind.sol`: a receipt for a hidden order.
    #[derive(Debug, PartialEq, Eq)]
    struct BlindReceipt {
        Receipt receipt;
        uint256 forfeit;
    }

    /// `contracts/Blind.sol`: what was agreed on about a hidden order.
    #[derive(Debug, PartialEq, Eq)]
    struct Terms {
        uint256 message;
        uint32 account;
        uint16 token;
        uint32 nonce;
        uint128 available;
        bytes32 paid;
        uint64 revealBy;
    }

    /// `contracts/Blind.sol`: the content of a hidden order.
    #[derive(Debug, PartialEq, Eq)]
    struct Opening {
        uint32 to;
        uint16 buy;
        uint40 amount;
        uint16 fee;
        uint128 limit;
        uint64 deadline;
    }

    /// `contracts/Blind.sol`: the operations of a batch before its quotes.
    #[derive(Debug, PartialEq, Eq)]
    struct Closing {
        uint32 epoch;
        uint64 number;
        uint32 batch;
        uint32 count;
        uint256 root;
        uint64 time;
    }

    /// `contracts/Blind.sol`: a signature.
    #[derive(Debug, PartialEq, Eq)]
    struct Signature {
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    /// `contracts/Slashing.sol` with what it inherits.
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

        struct Shown {
            uint256[16] inputs;
            bytes32 exitRoot;
            Batch[] batches;
            uint256 leaf;
            uint256[] siblings;
        }

        struct Entry {
            uint256 position;
            uint256 leaf;
            uint256 forfeit;
            uint256[] siblings;
        }

        event Announced(bytes32 indexed commitment);
        event Bonded(address indexed owner, address indexed signer, uint256 amount);
        event Leaving(address indexed owner, address indexed signer, uint256 leavesAt);
        event Revealed(bytes32 indexed digest, Opening opening);
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
        error NotExecutable();
        error NotItsInputs(uint256 number);
        error NotItsWords();
        error NotLeaving();
        error NotRevealed(bytes32 digest);
        error OtherPlace();
        error OtherSigner(address signer);
        error OtherTerms();
        error PathLength(uint256 expected, uint256 actual);
        error PaymentRefused(address to);
        error SameReceipt();
        error TooLate(uint256 latest);
        error TooSoon(uint256 earliest);
        error Void(uint256 revert_);
        error WordTooLarge(uint256 word);
        error WrongBatches(uint256 expected, uint256 actual);
        error WrongLeaf(uint256 expected, uint256 actual);
        error WrongOpening();

        function BURNED() external view returns (address);
        function REWARD_PART() external view returns (uint256);
        function announceReport(bytes32 commitment_) external;
        function announceWithdrawal(address signer) external;
        function announced(bytes32 commitment) external view returns (uint64);
        function bond(address signer) external payable;
        function bonds(address owner, address signer) external view returns (uint128 amount, uint64 leavesAt);
        function cancelWithdrawal(address signer) external;
        function commitment(address reporter, address owner, bytes32 evidence, bytes32 salt) external pure returns (bytes32);
        function reportBlindAndOther(address owner, address signer, BlindReceipt calldata blind, Signature calldata signature, Signed calldata signed, bytes32 salt) external;
        function reportBlindBroken(address owner, address signer, BlindReceipt calldata blind, Signature calldata signature, Shown calldata shown, bytes32 salt) external;
        function reportBlindOvertaken(address owner, address signer, BlindReceipt calldata blind, Signature calldata signature, uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, bytes32 salt) external;
        function reportBroken(address owner, address signer, Signed calldata signed, uint256[16] calldata inputs, bytes32 exitRoot, Batch[] calldata batches, uint256 leaf, uint256[] calldata siblings, bytes32 salt) external;
        function reportIgnored(address owner, address signer, BlindReceipt calldata blind, Signature calldata signature, Shown calldata shown, bytes32 salt) external;
        function reportOvertaken(address owner, address signer, Signed calldata signed, uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, bytes32 salt) external;
        function reportReopened(address owner, address signer, Closing calldata closing, Signature calldata signature, uint256 position, uint256[] calldata words, Shown calldata shown, bytes32 salt) external;
        function reportReplaced(address owner, address signer, Closing calldata closing, Signature calldata signature, Entry calldata entry, Shown calldata shown, bytes32 salt) external;
        function reportTwo(address owner, address signer, Signed calldata first, Signed calldata second, bytes32 salt) external;
        function reportTwoBlind(address owner, address signer, BlindReceipt calldata first, Signature calldata firstSignature, BlindReceipt calldata second, Signature calldata secondSignature, bytes32 salt) external;
        function reportTwoClosings(address owner, address signer, Closing calldata first, Signature calldata firstSignature, Closing calldata second, Signature calldata secondSignature, bytes32 salt) external;
        function requireIncluded(uint256 number, uint256[16] calldata inputs, bytes32 exitRoot, Batch[] calldata batches, uint256 batch, uint256 position, uint256 leaf, uint256[] calldata siblings) external view;
        function reveal(BlindReceipt calldata blind, Terms calldata terms, Opening calldata opening, uint48[] calldata paid) external;
        function revealed(bytes32 digest) external view returns (uint64);
        function rollup() external view returns (address);
        function withdraw(address signer, address to) external;
    }
}
