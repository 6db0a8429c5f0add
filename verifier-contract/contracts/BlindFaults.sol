// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "./Blind.sol";
import {Poseidon2} from "./Poseidon2.sol";
import {ReceiptFaults} from "./ReceiptFaults.sol";
import {Receipts} from "./Receipts.sol";

/// @title Faults of blind orders
/// @notice What breaks the promises of a blind receipt and of a closing, and where owners reveal their orders when the
/// operator does not hear them (docs/protocol.md, section 16).
abstract contract BlindFaults is ReceiptFaults {
    /// @notice A final block, and what stands at a place of it.
    struct Shown {
        uint256[16] inputs;
        bytes32 exitRoot;
        /// All its batches in order.
        Batch[] batches;
        uint256 leaf;
        /// On the path from the leaf up.
        uint256[] siblings;
    }

    /// @notice What a closing promised for a place.
    struct Entry {
        uint256 position;
        uint256 leaf;
        /// 0 if the operation was known.
        uint256 forfeit;
        /// On the path from the entry up, in the tree of the closing.
        uint256[] siblings;
    }

    /// Posted words of L2 operations have 120 bits, the kind above the others.
    uint256 private constant WORD_BITS = 120;
    uint256 private constant KIND_SHIFT = 116;
    uint256 private constant KIND_QUOTE = 8;

    /// @notice When a hidden order was revealed here, by the digest of its receipt.
    mapping(bytes32 digest => uint64) public revealed;

    /// @notice The content of a hidden order.
    event Revealed(bytes32 indexed digest, Blind.Opening opening);

    /// @notice It is too late to reveal the order.
    error TooLate(uint256 latest);
    /// @notice The order was not revealed here.
    error NotRevealed(bytes32 digest);
    /// @notice These are not the words of the leaf.
    error NotItsWords();

    /// @notice Reveals a hidden order for which its owner has a blind receipt. Whether anybody signed the receipt is
    /// looked at when a fault is shown: the digest of a false one means nothing to anybody.
    /// @param paid The accounts that may be paid, each as `index 2^16 + token`.
    function reveal(
        Blind.Receipt calldata blind,
        Blind.Terms calldata terms,
        Blind.Opening calldata opening,
        uint48[] calldata paid
    ) external {
        if (block.timestamp > terms.revealBy) revert TooLate(terms.revealBy);
        Blind.requireOpening(blind, terms, opening, paid, address(rollup));
        bytes32 digest = Blind.digest(blind, address(rollup));
        if (revealed[digest] == 0) revealed[digest] = uint64(block.timestamp);
        emit Revealed(digest, opening);
    }

    /// @notice Shows two blind receipts of one epoch for one place.
    function reportTwoBlind(
        address owner,
        address signer,
        Blind.Receipt calldata first,
        Blind.Signature calldata firstSignature,
        Blind.Receipt calldata second,
        Blind.Signature calldata secondSignature,
        bytes32 salt
    ) external {
        _requireOnePlace(first.receipt, second.receipt);
        bytes32 one = _requireSignedBlind(first, firstSignature, signer);
        bytes32 other = _requireSignedBlind(second, secondSignature, signer);
        _slashTwo(owner, signer, Fault.TwoForOnePlace, one, other, salt);
    }

    /// @notice Shows a blind receipt and another one, of one epoch for one place, that do not agree. A receipt for the
    /// hidden order is what its owner gets when he reveals it.
    function reportBlindAndOther(
        address owner,
        address signer,
        Blind.Receipt calldata blind,
        Blind.Signature calldata signature,
        Receipts.Signed calldata signed,
        bytes32 salt
    ) external {
        _requireOnePlace(blind.receipt, signed.receipt);
        bytes32 one = _requireSignedBlind(blind, signature, signer);
        bytes32 other = _requireSigned(signed, signer);
        if (signed.receipt.leaf == blind.receipt.leaf && signed.receipt.time == blind.receipt.time) revert Kept();
        _slashTwo(owner, signer, Fault.TwoForOnePlace, one, other, salt);
    }

    /// @notice Shows that the final block of a blind receipt has neither the hidden order nor its forfeit at the place,
    /// as `reportBroken` does of other receipts.
    function reportBlindBroken(
        address owner,
        address signer,
        Blind.Receipt calldata blind,
        Blind.Signature calldata signature,
        Shown calldata shown,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSignedBlind(blind, signature, signer);
        Promise memory vow = _promise(blind.receipt);
        vow.forfeit = blind.forfeit;
        _slash(owner, signer, _judge(vow, shown), digest, salt);
    }

    /// @notice Shows that the block of a blind receipt cannot have its time any more, as `reportOvertaken` does.
    function reportBlindOvertaken(
        address owner,
        address signer,
        Blind.Receipt calldata blind,
        Blind.Signature calldata signature,
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSignedBlind(blind, signature, signer);
        _requireOvertaken(blind.receipt, number, inputs, exitRoot);
        _slash(owner, signer, Fault.Overtaken, digest, salt);
    }

    /// @notice Shows that the forfeit stands at the place of an order that was revealed here in time.
    function reportIgnored(
        address owner,
        address signer,
        Blind.Receipt calldata blind,
        Blind.Signature calldata signature,
        Shown calldata shown,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSignedBlind(blind, signature, signer);
        if (revealed[digest] == 0) revert NotRevealed(digest);
        Promise memory vow = _promise(blind.receipt);
        // With the hidden order alone promised, the forfeit is another leaf.
        Fault fault = _judge(vow, shown);
        if (shown.leaf != blind.forfeit) revert Kept();
        _slash(owner, signer, fault == Fault.OtherLeaf ? Fault.Ignored : fault, digest, salt);
    }

    /// @notice Shows two closings of one epoch for one batch.
    function reportTwoClosings(
        address owner,
        address signer,
        Blind.Closing calldata first,
        Blind.Signature calldata firstSignature,
        Blind.Closing calldata second,
        Blind.Signature calldata secondSignature,
        bytes32 salt
    ) external {
        bool same = first.epoch == second.epoch && first.number == second.number && first.batch == second.batch;
        if (!same) revert OtherPlace();
        bytes32 one = _requireSignedClosing(first, firstSignature, signer);
        bytes32 other = _requireSignedClosing(second, secondSignature, signer);
        _slashTwo(owner, signer, Fault.TwoClosings, one, other, salt);
    }

    /// @notice Shows that a final block has something else at a place than the closing of the batch promised.
    function reportReplaced(
        address owner,
        address signer,
        Blind.Closing calldata closing,
        Blind.Signature calldata signature,
        Entry calldata entry,
        Shown calldata shown,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSignedClosing(closing, signature, signer);
        bytes memory table = Poseidon2.constants();
        if (entry.position >= closing.count) revert NoSuchPosition(closing.count, entry.position);
        // Of all entries in the same way: a leaf is a hash itself, and must not pass for a node.
        uint256 node = Poseidon2.compress(table, _element(entry.leaf), _element(entry.forfeit));
        _requireLeaf(table, closing.root, closing.count, entry.position, node, entry.siblings);
        Promise memory vow = _promised(closing, entry.position);
        (vow.leaf, vow.forfeit) = (entry.leaf, entry.forfeit);
        _slash(owner, signer, _judge(vow, shown), digest, salt);
    }

    /// @notice Shows that an operation stands behind the closing of its batch, and is no quote.
    /// @param words The posted words of its leaf, in order.
    function reportReopened(
        address owner,
        address signer,
        Blind.Closing calldata closing,
        Blind.Signature calldata signature,
        uint256 position,
        uint256[] calldata words,
        Shown calldata shown,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSignedClosing(closing, signature, signer);
        if (position < closing.count) revert Kept();
        Promise memory vow = _promised(closing, position);
        // No leaf is promised, so what stands there is another one. A block of another time, or a batch that is
        // shorter, has nothing behind this closing.
        if (_judge(vow, shown) != Fault.OtherLeaf) revert Kept();
        if (_kind(words, shown.leaf) == KIND_QUOTE) revert Kept();
        _slash(owner, signer, Fault.Reopened, digest, salt);
    }

    /// @dev What stands above the other bits of the first word of a leaf: the kind of an L2 operation, more than any kind
    /// for one of L1. The leaf of a quote is a hash of two words: it is too wide to pass for the only word of another
    /// operation, and has no other two.
    function _kind(uint256[] calldata words, uint256 leaf) private pure returns (uint256) {
        if (words.length == 0 || (words.length == 1 && words[0] >> WORD_BITS != 0)) revert NotItsWords();
        _element(words[0]);
        bytes memory table = Poseidon2.constants();
        uint256 node = words[0];
        for (uint256 i = 1; i < words.length; ++i) {
            node = Poseidon2.compress(table, node, _element(words[i]));
        }
        if (node != leaf) revert NotItsWords();
        return words[0] >> KIND_SHIFT;
    }

    /// @dev What is wrong with a final block, by a promise that is not void.
    function _judge(Promise memory vow, Shown calldata shown) private view returns (Fault) {
        _requireNotVoid(vow.epoch, vow.number, _requireFinal(vow.number, shown.inputs, shown.exitRoot));
        return _fault(vow, shown.inputs, shown.batches, shown.leaf, shown.siblings);
    }

    /// @dev What a closing promises of a place, without a leaf.
    function _promised(Blind.Closing calldata c, uint256 position) private pure returns (Promise memory) {
        return Promise(c.epoch, c.number, c.batch, position, type(uint256).max, 0, c.time);
    }

    function _requireSignedBlind(Blind.Receipt calldata blind, Blind.Signature calldata s, address signer)
        private
        view
        returns (bytes32 digest)
    {
        digest = Blind.digest(blind, address(rollup));
        _requireSigner(Receipts.recover(digest, s.r, s.s, s.v), signer);
    }

    function _requireSignedClosing(Blind.Closing calldata closing, Blind.Signature calldata s, address signer)
        private
        view
        returns (bytes32 digest)
    {
        digest = Blind.digest(closing, address(rollup));
        _requireSigner(Receipts.recover(digest, s.r, s.s, s.v), signer);
    }
}
