// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IBlocks} from "./IBlocks.sol";
import {Poseidon2} from "./Poseidon2.sol";

/// @title Inclusion
/// @notice Proves to L1 which operation stands at a place of a final block (docs/protocol.md, section 6.3). Other
/// contracts call `requireIncluded`, or inherit.
/// @dev The public input `c_out` of a block is a chain over its batches. It does not say how many there are, so all
/// of them are shown, from the first on: else the second batch could be passed off as the first.
contract Inclusion {
    /// @notice A batch, as the chain absorbs it.
    struct Batch {
        /// Root of the tree over its operations. Not looked at if it has none.
        uint256 root;
        /// Its four counts of records, and above 64 bits the number of its operations.
        uint256 counts;
    }

    uint256 internal constant INPUT_C_OUT = 3;
    uint256 internal constant INPUT_TIME = 8;
    uint256 private constant OPERATIONS = 64;

    /// @notice Whose blocks are looked at.
    IBlocks public immutable rollup;

    /// @notice There is no contract at the address of the rollup.
    /// @param account The address.
    error NoRollup(address account);
    /// @notice The block is not final.
    /// @param number Its number.
    error BlockNotFinal(uint256 number);
    /// @notice Public inputs and root of the exits are not those of the block.
    /// @param number Its number.
    error NotItsInputs(uint256 number);
    /// @notice A word is not below the field's modulus: the hash would take it for another one.
    /// @param word The word.
    error WordTooLarge(uint256 word);
    /// @notice The batches do not give the block's chain.
    /// @param expected The block's.
    /// @param actual What they give.
    error WrongBatches(uint256 expected, uint256 actual);
    /// @notice The block has no such batch.
    /// @param batches How many it has.
    /// @param batch Which was named, from 0.
    error NoSuchBatch(uint256 batches, uint256 batch);
    /// @notice The batch has no such operation.
    /// @param operations How many it has.
    /// @param position Which was named, from 0.
    error NoSuchPosition(uint256 operations, uint256 position);
    /// @notice The path has another length than the place asks for.
    /// @param expected The length.
    /// @param actual Length of what was given.
    error PathLength(uint256 expected, uint256 actual);
    /// @notice Leaf and path do not lead to the root of the batch.
    /// @param expected The root.
    /// @param actual Where they lead.
    error WrongLeaf(uint256 expected, uint256 actual);

    /// @param rollup_ Whose blocks are looked at.
    constructor(IBlocks rollup_) {
        if (address(rollup_).code.length == 0) revert NoRollup(address(rollup_));
        rollup = rollup_;
    }

    /// @notice Reverts unless an operation stands at a place of a final block.
    /// @param number The block.
    /// @param inputs Its sixteen public inputs.
    /// @param exitRoot Root of its exits, as its event `Committed` tells it.
    /// @param batches All its batches in order, empty ones included.
    /// @param batch Which of them, from 0.
    /// @param position Position in the batch, from 0.
    /// @param leaf The operation's leaf: the chain of its posted words.
    /// @param siblings Siblings on the path from the leaf up.
    function requireIncluded(
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        Batch[] calldata batches,
        uint256 batch,
        uint256 position,
        uint256 leaf,
        uint256[] calldata siblings
    ) external view {
        _requireFinal(number, inputs, exitRoot);
        bytes memory table = Poseidon2.constants();
        _requireBatches(table, inputs[INPUT_C_OUT], batches);
        if (batch >= batches.length) revert NoSuchBatch(batches.length, batch);
        uint256 operations = _operations(batches[batch]);
        if (position >= operations) revert NoSuchPosition(operations, position);
        _requireLeaf(table, batches[batch].root, operations, position, leaf, siblings);
    }

    /// @dev Requires that a block is final and says this; returns when it became final. Nothing else knows how the
    /// rollup keeps it.
    function _requireFinal(uint256 number, uint256[16] calldata inputs, bytes32 exitRoot)
        internal
        view
        returns (uint64 finalAt)
    {
        bytes32 record;
        (record, finalAt) = rollup.blockInputs(number);
        if (finalAt == 0) revert BlockNotFinal(number);
        if (keccak256(abi.encode(keccak256(abi.encode(inputs)), exitRoot)) != record) revert NotItsInputs(number);
    }

    /// @dev Requires that these are all batches of a block: the chain over them is its `c_out`.
    function _requireBatches(bytes memory table, uint256 cOut, Batch[] calldata batches) internal pure {
        uint256 c = 0;
        for (uint256 i = 0; i < batches.length; ++i) {
            if (_operations(batches[i]) > 0) c = Poseidon2.compress(table, c, _element(batches[i].root));
            c = Poseidon2.compress(table, c, _element(batches[i].counts));
        }
        if (c != cOut) revert WrongBatches(cOut, c);
    }

    /// @dev Requires that a leaf stands at a position of the tree over `operations`: node `operations + position` of
    /// a heap whose root is node 1.
    function _requireLeaf(
        bytes memory table,
        uint256 root,
        uint256 operations,
        uint256 position,
        uint256 leaf,
        uint256[] calldata siblings
    ) internal pure {
        uint256 node = _element(leaf);
        uint256 used = 0;
        for (uint256 h = operations + position; h > 1; h >>= 1) {
            if (used == siblings.length) revert PathLength(used + 1, siblings.length);
            uint256 sibling = _element(siblings[used++]);
            node = h & 1 == 0 ? Poseidon2.compress(table, node, sibling) : Poseidon2.compress(table, sibling, node);
        }
        if (used != siblings.length) revert PathLength(used, siblings.length);
        if (node != root) revert WrongLeaf(root, node);
    }

    /// @dev Number of operations of a batch.
    function _operations(Batch calldata batch) internal pure returns (uint256) {
        return batch.counts >> OPERATIONS;
    }

    function _element(uint256 word) internal pure returns (uint256) {
        if (word >= Poseidon2.P) revert WordTooLarge(word);
        return word;
    }
}
