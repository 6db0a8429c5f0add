// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bonds} from "./Bonds.sol";
import {Inclusion} from "./Inclusion.sol";
import {Poseidon2} from "./Poseidon2.sol";
import {Receipts} from "./Receipts.sol";

/// @title Faults of receipts
/// @notice What breaks the promise that an operation stands at a place (docs/protocol.md, section 13.4).
abstract contract ReceiptFaults is Inclusion, Bonds {
    using Receipts for Receipts.Receipt;
    using Receipts for Receipts.Signed;

    /// @notice The receipt was signed by another key.
    error OtherSigner(address signer);
    /// @notice The two receipts are for different places.
    error OtherPlace();
    /// @notice The two receipts are the same.
    error SameReceipt();
    /// @notice The receipt is void: blocks from before its block on were taken back.
    error Void(uint256 revert_);
    /// @notice The promise was kept.
    error Kept();
    /// @notice The block is not before that of the receipt.
    error NotEarlier(uint256 number);

    /// @dev What a key promised about a place.
    struct Promise {
        uint256 epoch;
        uint256 number;
        uint256 batch;
        uint256 position;
        /// What stands there.
        uint256 leaf;
        /// What stands there instead, if that is promised: 0 if not, which is no leaf.
        uint256 forfeit;
        uint256 time;
    }

    /// @notice Shows two receipts of one epoch for one place. Whether blocks were taken back later does not matter:
    /// nobody who is honest signs two.
    function reportTwo(
        address owner,
        address signer,
        Receipts.Signed calldata first,
        Receipts.Signed calldata second,
        bytes32 salt
    ) external {
        _requireOnePlace(first.receipt, second.receipt);
        (bytes32 one, bytes32 other) = (_requireSigned(first, signer), _requireSigned(second, signer));
        _slashTwo(owner, signer, Fault.TwoForOnePlace, one, other, salt);
    }

    /// @notice Shows that the final block of a receipt is not what the receipt says. `batches`, `leaf` and `siblings`
    /// are as in `requireIncluded`, as far as they matter: none for another time, no path for a place that is not
    /// there.
    function reportBroken(
        address owner,
        address signer,
        Receipts.Signed calldata signed,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        Batch[] calldata batches,
        uint256 leaf,
        uint256[] calldata siblings,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSigned(signed, signer);
        Promise memory vow = _promise(signed.receipt);
        _requireNotVoid(vow.epoch, vow.number, _requireFinal(vow.number, inputs, exitRoot));
        Fault fault = _fault(vow, inputs, batches, leaf, siblings);
        _slash(owner, signer, fault, digest, salt);
    }

    /// @notice Shows that the block of a receipt cannot have its time any more: a final block before it has a later
    /// one, and the times of blocks do not fall.
    function reportOvertaken(
        address owner,
        address signer,
        Receipts.Signed calldata signed,
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSigned(signed, signer);
        _requireOvertaken(signed.receipt, number, inputs, exitRoot);
        _slash(owner, signer, Fault.Overtaken, digest, salt);
    }

    /// @dev Empties a bond for two promises that differ.
    function _slashTwo(address owner, address signer, Fault fault, bytes32 one, bytes32 other, bytes32 salt) internal {
        if (one == other) revert SameReceipt();
        _slash(owner, signer, fault, keccak256(abi.encode(one, other)), salt);
    }

    /// @dev Requires that a final block before a receipt's has a later time.
    function _requireOvertaken(
        Receipts.Receipt calldata receipt,
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot
    ) internal view {
        if (number >= receipt.number) revert NotEarlier(number);
        _requireNotVoid(receipt.epoch, receipt.number, _requireFinal(number, inputs, exitRoot));
        if (inputs[INPUT_TIME] <= receipt.time) revert Kept();
    }

    /// @dev What is wrong with the block of a promise.
    function _fault(
        Promise memory vow,
        uint256[16] calldata inputs,
        Batch[] calldata batches,
        uint256 leaf,
        uint256[] calldata siblings
    ) internal pure returns (Fault) {
        if (inputs[INPUT_TIME] != vow.time) return Fault.OtherTime;
        bytes memory table = Poseidon2.constants();
        _requireBatches(table, inputs[INPUT_C_OUT], batches);
        if (vow.batch >= batches.length) return Fault.NoBatch;
        Batch calldata batch = batches[vow.batch];
        uint256 operations = _operations(batch);
        if (vow.position >= operations) return Fault.NoPosition;
        bool forfeited = vow.forfeit != 0 && leaf == vow.forfeit;
        if (leaf == vow.leaf || forfeited) revert Kept();
        _requireLeaf(table, batch.root, operations, vow.position, leaf, siblings);
        return Fault.OtherLeaf;
    }

    /// @dev What a receipt promises.
    function _promise(Receipts.Receipt calldata r) internal pure returns (Promise memory) {
        return Promise(r.epoch, r.number, r.batch, r.position, r.leaf, 0, r.time);
    }

    /// @dev Requires that a key signed a receipt; returns its digest.
    function _requireSigned(Receipts.Signed calldata signed, address signer) internal view returns (bytes32 digest) {
        digest = signed.receipt.digest(address(rollup));
        _requireSigner(signed.signer(digest), signer);
    }

    function _requireSigner(address found, address signer) internal pure {
        if (found != signer) revert OtherSigner(found);
    }

    /// @dev Requires that two receipts are of one epoch and for one place.
    function _requireOnePlace(Receipts.Receipt calldata a, Receipts.Receipt calldata b) internal pure {
        bool same = a.epoch == b.epoch && a.number == b.number && a.batch == b.batch && a.position == b.position;
        if (!same) revert OtherPlace();
    }

    /// @dev Requires that no revert of the promise's epoch or later had taken its block back when a block became
    /// final at `time`. A later one is no excuse: the promise was broken by then. So an operator cannot excuse itself
    /// when it sees a report coming, nor make it too dear by many reverts.
    function _requireNotVoid(uint256 epoch, uint256 number, uint256 time) internal view {
        uint256 count = rollup.revertCount();
        for (uint256 i = epoch; i < count; ++i) {
            (uint64 to, uint64 when) = rollup.reverts(i);
            if (when > time) return;
            if (to < number) revert Void(i);
        }
    }
}
