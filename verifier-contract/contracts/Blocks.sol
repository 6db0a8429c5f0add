// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "./Data.sol";
import {Statements} from "./Statements.sol";
import {Times} from "./Times.sol";

/// @title Blocks
/// @notice Blocks are committed (header and data), proven and finalized in order, in three calls or
/// in one. Nothing but a proof moves the state root forward.
abstract contract Blocks is Statements {
    /// @notice Longest data of a block: so long that commit, settlement and alarm of any block keep
    /// to the gas of one transaction (2^24).
    uint256 public constant MAX_DATA = 1 << 18;
    /// @notice Most batches of a block, for the same reason.
    uint256 public constant MAX_BATCHES = 256;
    /// @notice How many overdue entries a block must process for each of its batches, while there
    /// are as many. The smallest circuit has room for one forced exit of any token in a batch.
    uint256 public constant OVERDUE_PER_BATCH = 1;

    /// @notice What is kept of a block.
    struct Block {
        uint256 newRoot;
        /// Number and tree of its exits.
        bytes32 exitRoot;
        /// keccak256 of the sixteen public inputs.
        bytes32 inputs;
        /// Circuit whose verifier accepted its proof, 0 before.
        bytes32 circuitId;
        /// Its time on L2.
        uint64 time;
        uint64 committedAt;
        /// Queue entries processed after the block.
        uint64 processed;
        /// When it became final, 0 before.
        uint64 finalizedAt;
    }

    /// @notice Blocks from 1 on; block 0 is genesis. Those above `committed` were taken back.
    mapping(uint256 number => Block) public blocks;
    /// @notice Number of the last committed block. Taking commits back lowers it, whatever their
    /// number: an operator must not be able to make that too dear for others.
    uint64 public committed;
    /// @notice Number of the last proven block.
    uint64 public proven;
    /// @notice Number of the last finalized block.
    uint64 public finalized;
    /// @notice When a block became final last, or an alarm ended.
    uint64 public finalizedAt;

    /// @notice A block is posted.
    /// @param number Its number.
    /// @param header What it claims.
    /// @param exitRoot Number and tree of its exits.
    /// @param processed Queue entries processed after it.
    /// @param versionedHash Versioned hash of the blob that holds its L2 and owner records, 0 if
    /// calldata hold them.
    event Committed(
        uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed, bytes32 versionedHash
    );
    /// @notice A block is proven.
    /// @param number Its number.
    /// @param circuitId Circuit of the proof.
    /// @param newRoot State root after it.
    event Proven(uint256 indexed number, bytes32 indexed circuitId, uint256 newRoot);
    /// @notice The state root is that of a block.
    /// @param number Its number.
    /// @param newRoot The root.
    event Finalized(uint256 indexed number, uint256 newRoot);
    /// @notice Blocks are taken back: unproven ones, or those that an alarm put in doubt.
    /// @param from The last one.
    /// @param to The last one that stays.
    event Reverted(uint256 indexed from, uint256 indexed to);

    /// @notice The sender may not bring blocks now.
    /// @param sender The sender.
    error NotOperator(address sender);
    /// @notice A block does not start where the last one ends.
    /// @param expected Root of the last block.
    /// @param actual Root before this one.
    error WrongOldRoot(uint256 expected, uint256 actual);
    /// @notice A block's time is before the last block's, too far in the past, or in the future.
    /// @param earliest Earliest time that is taken.
    /// @param time The block's.
    /// @param latest Latest time that is taken: now.
    error TimeOutOfRange(uint256 earliest, uint64 time, uint256 latest);
    /// @notice A block has at least one batch, and not too many.
    /// @param most How many it may have.
    /// @param actual How many it has.
    error BatchesOutOfRange(uint256 most, uint256 actual);
    /// @notice The data are longer than those of any block may be.
    /// @param longest Longest length.
    /// @param actual Their length.
    error DataTooLong(uint256 longest, uint256 actual);
    /// @notice The transaction carries no blob.
    error NoBlob();
    /// @notice The L1 records of a block are not the next entries of the queue.
    /// @param entry Last entry that the block would have processed.
    error QueueMismatch(uint256 entry);
    /// @notice An overdue entry waits, and the block has left it out.
    /// @param entry Its number.
    error OverdueWaits(uint256 entry);
    /// @notice It is another block's turn.
    /// @param expected Whose turn it is.
    /// @param actual Which block was named.
    error NotNext(uint256 expected, uint256 actual);
    /// @notice The sixteen public inputs are not those of the block.
    /// @param number Its number.
    error WrongInputs(uint256 number);
    /// @notice Every committed block is proven.
    error NothingToRevert();
    /// @notice The time for this has not come.
    /// @param earliest When it comes.
    error TooEarly(uint256 earliest);
    /// @notice A block was made under a policy that is not in force, nor was it within the grace.
    /// @param expected The policy in force.
    /// @param actual The block's.
    error WrongPolicy(uint256 expected, uint256 actual);

    constructor(uint256 genesisRoot) {
        _requireElement(genesisRoot);
        uint64 time = uint64(block.timestamp);
        // The first block may have been made before, like any other.
        uint64 lag = uint64(Times.MAX_CLOCK_LAG);
        blocks[0] = Block(genesisRoot, 0, 0, 0, time > lag ? time - lag : 0, time, 0, time);
        finalizedAt = time;
    }

    /// @notice The finalized state root.
    function stateRoot() external view returns (uint256) {
        return blocks[finalized].newRoot;
    }

    /// @notice Whether anybody may bring blocks.
    function operatorsAway() public view returns (bool) {
        return block.timestamp > finalizedAt + Times.OPERATOR_DEADLINE
            || _waitsLonger(blocks[finalized].processed, Times.OPERATOR_DEADLINE);
    }

    /// @notice Posts a block: its header and its data.
    function commit(Header calldata header, bytes calldata data) external {
        _requireOperator(_fromOperator());
        _commit(header, data, 0, msg.data[:0]);
    }

    /// @notice Posts a block whose L2 and owner records are in the first blob of the transaction.
    /// @param header Its header.
    /// @param data For each batch, the numbers of all its records, its L1 records and its exits.
    /// @param opening Value of the blob's polynomial at the point that all of this gives (32 bytes),
    /// commitment and proof (48 bytes each).
    function commitInBlob(Header calldata header, bytes calldata data, bytes calldata opening) external {
        _requireOperator(_fromOperator());
        bytes32 versionedHash = blobhash(0);
        if (versionedHash == 0) revert NoBlob();
        _commit(header, data, versionedHash, opening);
    }

    /// @notice Proves the next committed block; open to anybody.
    /// @param number Number of the block.
    /// @param circuitId Whose verifier checks the proof.
    /// @param accumulator Twelve limbs of the accumulator, which the proof binds.
    /// @param inputs Sixteen public inputs, as they were computed at the commit.
    /// @param proof The proof.
    function prove(
        uint256 number,
        bytes32 circuitId,
        uint256[12] memory accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) external whenCalm {
        _requireNext(proven, committed, number);
        _requireInputs(number, inputs);
        _prove(number, circuitId, accumulator, inputs, proof);
    }

    /// @notice Moves the state root to the next proven block; open to anybody. What stands before a
    /// doubted block may go on, so that beginning exodus never has too much to catch up on.
    function finalize(uint256 number) external whenLive {
        _requireNoDoubt(number);
        _requireNext(finalized, proven, number);
        _finalizeNext();
    }

    /// @notice Commits, proves and finalizes a block, all of it in calldata: whoever takes over needs
    /// no blobs. When the operators are away anybody may, and
    /// what they committed without a proof is dropped: a commit alone would let him stand in the
    /// way for `PROVE_DEADLINE`.
    function settle(
        Header calldata header,
        bytes calldata data,
        bytes32 circuitId,
        uint256[12] memory accumulator,
        bytes calldata proof
    ) external {
        if (!_fromOperator()) {
            _requireOperator(operatorsAway());
            if (committed > proven) _takeBack(proven);
        }
        uint256[16] memory inputs = _commit(header, data, 0, msg.data[:0]);
        uint256 number = committed;
        _requireNext(proven, number, number);
        _prove(number, circuitId, accumulator, inputs, proof);
        _finalizeProven();
    }

    /// @notice Takes back the commits that are not proven: an operator at any time, anybody when
    /// the oldest of them is overdue.
    function revertCommits() external whenCalm {
        if (committed == proven) revert NothingToRevert();
        uint256 earliest = blocks[uint256(proven) + 1].committedAt + Times.PROVE_DEADLINE;
        if (!_fromOperator()) _requireTime(earliest);
        _takeBack(proven);
    }

    /// @dev Requires that a block is the one after `last`, and not after `end`.
    function _requireNext(uint256 last, uint256 end, uint256 number) private pure {
        if (number != last + 1 || number > end) revert NotNext(last + 1, number);
    }

    function _requireInputs(uint256 number, uint256[16] memory inputs) internal view {
        if (_hash(inputs) != blocks[number].inputs) revert WrongInputs(number);
    }

    function _requireTime(uint256 earliest) internal view {
        if (block.timestamp < earliest) revert TooEarly(earliest);
    }

    function _hash(uint256[16] memory inputs) private pure returns (bytes32) {
        return keccak256(abi.encode(inputs));
    }

    function _finalizeProven() internal {
        while (finalized < proven) _finalizeNext();
    }

    /// @dev Takes back every block above `to`, whatever was reached for it.
    function _takeBack(uint64 to) internal {
        emit Reverted(committed, to);
        committed = to;
        if (proven > to) proven = to;
        if (finalized > to) finalized = to;
    }

    /// @dev Whether the first entry after `processed` ones is older than `age`.
    function _waitsLonger(uint256 processed, uint256 age) internal view returns (bool) {
        uint256 next = processed + 1;
        return next < entries.length && block.timestamp > entries[next].queuedAt + age;
    }

    function _fromOperator() private view returns (bool) {
        return governance.operators(msg.sender);
    }

    function _requireOperator(bool allowed) private view {
        if (!allowed) revert NotOperator(msg.sender);
    }

    function _commit(Header calldata header, bytes calldata data, bytes32 versionedHash, bytes calldata opening)
        private
        whenCalm
        whenNotPaused
        returns (uint256[16] memory inputs)
    {
        Block storage last = blocks[committed];
        _checkHeader(header, last);
        if (data.length > MAX_DATA) revert DataTooLong(MAX_DATA, data.length);
        inputs = _statement(header);
        if (versionedHash != 0) inputs[MODE] = 1;
        Data.Summary memory s = _complete(
            inputs,
            header.batches,
            data,
            versionedHash,
            opening,
            entries[last.processed].roll,
            header.time + MAX_RELEASE_DELAY
        );
        uint256 processed = last.processed + s.l1Count;
        if (processed >= entries.length || entries[processed].roll != s.roll) revert QueueMismatch(processed);
        // An entry waits longer than those behind it, so that the first one tells of all.
        if (s.l1Count < header.batches * OVERDUE_PER_BATCH && _waitsLonger(processed, Times.OPERATOR_DEADLINE)) {
            revert OverdueWaits(processed + 1);
        }
        ++committed;
        blocks[committed] = Block(
            header.newRoot,
            s.exitRoot,
            _hash(inputs),
            0,
            header.time,
            uint64(block.timestamp),
            uint64(processed),
            0
        );
        emit Committed(committed, header, s.exitRoot, processed, versionedHash);
    }

    function _checkHeader(Header memory header, Block storage last) private view {
        if (header.oldRoot != last.newRoot) revert WrongOldRoot(last.newRoot, header.oldRoot);
        _requireElement(header.newRoot);
        _requireElement(header.cOut);
        if (!governance.acceptable(header.policyRoot)) {
            revert WrongPolicy(governance.policyRoot(), header.policyRoot);
        }
        uint256 earliest = last.time;
        if (block.timestamp > earliest + Times.MAX_CLOCK_LAG) earliest = block.timestamp - Times.MAX_CLOCK_LAG;
        if (header.time < earliest || header.time > block.timestamp) {
            revert TimeOutOfRange(earliest, header.time, block.timestamp);
        }
        if (header.batches == 0 || header.batches > MAX_BATCHES) {
            revert BatchesOutOfRange(MAX_BATCHES, header.batches);
        }
    }

    function _prove(
        uint256 number,
        bytes32 circuitId,
        uint256[12] memory accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) private {
        _requireProof(number, circuitId, accumulator, inputs, proof);
        proven = uint64(number);
        blocks[number].circuitId = circuitId;
        emit Proven(number, circuitId, blocks[number].newRoot);
    }

    function _finalizeNext() private {
        uint64 number = finalized + 1;
        (finalized, finalizedAt) = (number, uint64(block.timestamp));
        blocks[number].finalizedAt = uint64(block.timestamp);
        emit Finalized(number, blocks[number].newRoot);
    }
}
