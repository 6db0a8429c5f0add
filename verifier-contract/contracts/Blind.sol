// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Poseidon2} from "./Poseidon2.sol";
import {Receipts} from "./Receipts.sol";

/// @title Blind orders and closings as typed data, and the opening of a blind order (docs/protocol.md, section 16)
library Blind {
    /// @notice The promise of a place to an order that nobody but its owner knows yet.
    struct Receipt {
        /// As of any operation. `operation` is keccak256 of the encoded terms, `leaf` that of the hidden order.
        Receipts.Receipt receipt;
        /// Leaf of the transfer that takes the place if the order is not revealed.
        uint256 forfeit;
    }

    /// @notice What operator and owner agreed on about a hidden order.
    struct Terms {
        /// The message that the owner has signed with its account's key.
        uint256 message;
        /// The account that sells.
        uint32 account;
        /// Its token.
        uint16 token;
        /// Its nonce, which order and forfeit share.
        uint32 nonce;
        /// What it holds at the place, whatever the prices of the batch.
        uint128 available;
        /// keccak256 of the accounts that may be paid, each as index and token in six bytes, in ascending order.
        bytes32 paid;
        /// Until when L1 takes the opening.
        uint64 revealBy;
    }

    /// @notice The content of a hidden order, as far as the terms do not have it.
    struct Opening {
        uint32 to;
        uint16 buy;
        /// As posted: mantissa of 35 bits, exponent of five.
        uint40 amount;
        /// As posted: mantissa of seven bits, exponent of five.
        uint16 fee;
        /// As posted: mantissa of 64 bits, exponent of seven.
        uint128 limit;
        uint64 deadline;
    }

    /// @notice The promise that a batch has these operations, in this order, and behind them nothing but quotes.
    struct Closing {
        uint32 epoch;
        uint64 number;
        uint32 batch;
        /// Operations.
        uint32 count;
        /// Root of the tree over what was promised for each.
        uint256 root;
        uint64 time;
    }

    /// @notice A signature.
    struct Signature {
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    bytes32 private constant BLIND =
        keccak256(bytes.concat("BlindReceipt(Receipt receipt,uint256 forfeit)", Receipts.RECEIPT));
    bytes32 private constant CLOSING =
        keccak256("Closing(uint32 epoch,uint64 number,uint32 batch,uint32 count,uint256 root,uint64 time)");

    uint256 private constant TAG_MESSAGE = 2;
    uint256 private constant KIND_ORDER = 7;
    /// Mantissa bits of amounts and of fees.
    uint256 private constant AMOUNT_BITS = 35;
    uint256 private constant FEE_BITS = 7;
    /// Where the fee stands in a posted word.
    uint256 private constant FEE_SHIFT = 104;
    uint256 private constant FEE_MASK = 0xfff;
    /// An order sells less than this.
    uint256 private constant AMOUNT_BOUND = 1 << 112;
    /// Times are below this.
    uint256 private constant TIME_BOUND = 1 << 40;

    /// @notice The terms are not those of the receipt.
    error OtherTerms();
    /// @notice The opening is not that of the hidden order.
    error WrongOpening();
    /// @notice The order could not be executed at its place. The owner knew that.
    error NotExecutable();

    /// @notice What the sequencer signs of a blind receipt.
    function digest(Receipt calldata blind, address rollup) internal view returns (bytes32) {
        return Receipts.typed(keccak256(abi.encode(BLIND, Receipts.content(blind.receipt), blind.forfeit)), rollup);
    }

    /// @notice What the sequencer signs of a closing.
    function digest(Closing calldata closing, address rollup) internal view returns (bytes32) {
        return Receipts.typed(keccak256(abi.encode(CLOSING, closing)), rollup);
    }

    /// @notice Requires that an opening is that of a hidden order, and that the order could be executed at its place
    /// as the receipt and its terms describe it.
    /// @param paid The accounts that may be paid, each as `index 2^16 + token`.
    function requireOpening(
        Receipt calldata blind,
        Terms calldata terms,
        Opening calldata o,
        uint48[] calldata paid,
        address rollup
    ) internal view {
        if (keccak256(abi.encode(terms)) != blind.receipt.operation) revert OtherTerms();
        // With room for the last store, which writes a word.
        bytes memory packed = new bytes(6 * paid.length + 26);
        bool pays = false;
        for (uint256 i = 0; i < paid.length; ++i) {
            bytes32 entry = bytes32(bytes6(paid[i]));
            assembly ("memory-safe") {
                mstore(add(add(packed, 32), mul(i, 6)), entry)
            }
            pays = pays || paid[i] == uint48(o.to) << 16 | o.buy;
        }
        assembly ("memory-safe") {
            mstore(packed, mul(paid.length, 6))
        }
        if (keccak256(packed) != terms.paid) revert OtherTerms();
        _requireContent(blind.receipt.leaf, terms, o, rollup);
        // The owner has shown the fee with the forfeit.
        bool sameFee = o.fee == blind.forfeit >> FEE_SHIFT & FEE_MASK;
        if (!pays || !sameFee || !_executable(blind.receipt.time, terms, o)) revert NotExecutable();
    }

    /// @dev Requires that leaf and message are those of the order.
    function _requireContent(uint256 leaf, Terms calldata terms, Opening calldata o, address rollup) private view {
        bytes memory table = Poseidon2.constants();
        // A wider fee would run into the kind.
        if (o.fee >> 12 != 0) revert WrongOpening();
        uint256 word = KIND_ORDER << 116 | uint256(o.fee) << FEE_SHIFT | uint256(terms.account) << 72
            | uint256(o.to) << 40 | o.amount;
        if (Poseidon2.compress(table, word, o.limit) != leaf) revert WrongOpening();
        uint256 signed_ = word | uint256(terms.nonce) << 120 | uint256(terms.token) << 152
            | uint256(o.deadline) << 168;
        bytes32 domain = keccak256(abi.encodePacked("bastion.domain.v1", block.chainid, rollup));
        uint256 message = Poseidon2.compress(table, TAG_MESSAGE, 4);
        message = Poseidon2.compress(table, message, uint256(domain) % Poseidon2.P);
        message = Poseidon2.compress(table, message, signed_);
        message = Poseidon2.compress(table, message, o.limit);
        message = Poseidon2.compress(table, message, o.buy);
        if (message != terms.message) revert WrongOpening();
    }

    /// @dev Whether the order breaks no rule that depends on its content.
    function _executable(uint256 time, Terms calldata terms, Opening calldata o) private pure returns (bool) {
        uint256 amount = _float(o.amount);
        uint256 cost = amount + _float(o.fee);
        // The mantissa has its top bit set, and nothing stands above it.
        bool limited = o.limit >> 70 == 1;
        bool lasts = o.deadline >= time && o.deadline < TIME_BOUND;
        bool shortest = _shortest(o.amount, AMOUNT_BITS) && _shortest(o.fee, FEE_BITS);
        return shortest && amount > 0 && amount < AMOUNT_BOUND && cost <= terms.available && limited && lasts;
    }

    /// @dev Whether a float has the least exponent for its value: operators know orders by values, and encode no other.
    function _shortest(uint256 encoded, uint256 bits) private pure returns (bool) {
        return encoded & 31 == 0 || (encoded >> 5) * 10 >> bits != 0;
    }

    /// @dev The value of `mantissa 2^5 + exponent`: below `2^139`.
    function _float(uint256 encoded) private pure returns (uint256) {
        return (encoded >> 5) * 10 ** (encoded & 31);
    }
}
