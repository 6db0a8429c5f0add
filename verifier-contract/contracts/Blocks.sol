// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "./Blockbook.sol";
import {Chain} from "./Chain.sol";
import {Data} from "./Data.sol";
import {Times} from "./Times.sol";

/// @title Blocks
/// @notice Blocks are committed (header and data), proven and finalized in order, in three calls, in
/// two, or in one. Nothing but a proof moves the state root forward.
abstract contract Blocks is Chain {
    /// @notice Longest data of a block: so long that commit, settlement and alarm of any block keep
    /// to the gas of one transaction (2^24).
    uint256 public constant MAX_DATA = 1 << 18;
    /// @notice Most batches of a block, for the same reason.
    uint256 public constant MAX_BATCHES = 256;
    /// @notice How many overdue entries a block must process for each of its batches, while there
    /// are as many. The smallest circuit has room for one forced exit of any token in a batch.
    uint256 public constant OVERDUE_PER_BATCH = 1;

    /// @notice A block is posted.
    /// @param number Its number.
    /// @param header What it claims.
    /// @param exitRoot Number and tree of its exits.
    /// @param processed Queue entries processed after it.
    /// @param versionedHashes Versioned hashes of the blobs that hold its L2 and owner records, in order;
    /// none if calldata hold them.
    event Committed(
        uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed, bytes32[] versionedHashes
    );
    /// @notice A block is proven.
    /// @param number Its number.
    /// @param circuitId Circuit of the proof.
    /// @param newRoot State root after it.
    event Proven(uint256 indexed number, bytes32 indexed circuitId, uint256 newRoot);
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
    /// @notice Every committed block is proven.
    error NothingToRevert();
    /// @notice A block was made under a policy that is not in force, nor was it within the grace.
    /// @param expected The policy in force.
    /// @param actual The block's.
    error WrongPolicy(uint256 expected, uint256 actual);

    /// @notice Whether anybody may bring blocks.
    function operatorsAway() public view returns (bool) {
        State memory s = _state;
        return block.timestamp > s.finalizedAt + Times.OPERATOR_DEADLINE
            || _waitsLonger(_block(s.finalized).processed, Times.OPERATOR_DEADLINE);
    }

    /// @notice Posts a block: its header and its data.
    function commit(Header calldata header, bytes calldata data) external {
        _commitOnly(header, data, _none(), msg.data[:0]);
    }

    /// @notice Posts a block whose L2 and owner records are in the blobs of the transaction: as many as
    /// the records take, and at least one.
    /// @param header Its header.
    /// @param data For each batch, the numbers of all its records, its L1 records and its exits.
    /// @param openings For each blob in order: the value of its polynomial at the point that all of this
    /// gives (32 bytes), commitment and proof (48 bytes each).
    function commitInBlobs(Header calldata header, bytes calldata data, bytes calldata openings) external {
        _commitOnly(header, data, _blobs(), openings);
    }

    /// @notice Proves the next committed block; open to anybody. A proven block before it becomes final.
    /// @param number Number of the block.
    /// @param circuitId Whose verifier checks the proof.
    /// @param accumulator Twelve limbs of the accumulator, which the proof binds.
    /// @param inputs Sixteen public inputs, as they were computed at the commit.
    /// @param exitRoot Number and tree of its exits, as `Committed` told it.
    /// @param proof The proof.
    function prove(
        uint256 number,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        bytes calldata proof
    ) external {
        State memory s = _calm();
        uint256 circuit = _proveCommitted(s, number, circuitId, accumulator, inputs, exitRoot, proof);
        Blockbook.Block memory b = _block(number);
        b.circuit = circuit;
        _write(number, b);
        _provenRoot = inputs[NEW_ROOT];
        _state = s;
    }

    /// @notice `prove` and `finalize` in one: what is proven while no alarm runs may become final.
    function proveAndFinalize(
        uint256 number,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        bytes calldata proof
    ) external {
        State memory s = _calm();
        uint256 circuit = _proveCommitted(s, number, circuitId, accumulator, inputs, exitRoot, proof);
        Blockbook.Block memory b = _block(number);
        (b.circuit, b.finalizedAt) = (circuit, block.timestamp);
        _write(number, b);
        _finalized(s, inputs[NEW_ROOT]);
        _state = s;
    }

    /// @notice Moves the state root to the next proven block; open to anybody.
    function finalize(uint256 number) external {
        State memory s = _state;
        _requireLive(s.phase);
        _requireNoDoubt(s.phase, number);
        _requireNext(s.finalized, s.proven, number);
        _finalizePending(s);
        _state = s;
    }

    /// @notice Commits, proves and finalizes a block, all of it in calldata: whoever takes over needs
    /// no blobs. When the operators are away anybody may, and
    /// what they committed without a proof is dropped: a commit alone would let him stand in the
    /// way for `PROVE_DEADLINE`.
    function settle(
        Header calldata header,
        bytes calldata data,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        bytes calldata proof
    ) external {
        State memory s = _calm();
        if (!_mayCommit(header)) {
            _requireOperator(operatorsAway());
            // Even if there is none: operators do not answer for blocks that others bring.
            _takeBack(s, s.proven);
        }
        _settle(s, header, data, _none(), msg.data[:0], circuitId, accumulator, proof);
    }

    /// @notice Commits, proves and finalizes a block whose L2 and owner records are in the blobs of the
    /// transaction; for operators.
    function settleInBlobs(
        Header calldata header,
        bytes calldata data,
        bytes calldata openings,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        bytes calldata proof
    ) external {
        State memory s = _calm();
        _requireOperator(_mayCommit(header));
        _settle(s, header, data, _blobs(), openings, circuitId, accumulator, proof);
    }

    /// @notice Takes back the commits that are not proven: an operator at any time, anybody when
    /// the oldest of them is overdue.
    function revertCommits() external {
        State memory s = _calm();
        if (s.committed == s.proven) revert NothingToRevert();
        if (!governance.operators(msg.sender)) {
            _requireTime(_block(s.proven + 1).committedAt + Times.PROVE_DEADLINE);
        }
        _takeBack(s, s.proven);
        _state = s;
    }

    function _calm() private view returns (State memory s) {
        s = _state;
        _requireCalm(s.phase);
    }

    /// @dev Requires that a block is the one after `last`, and not after `end`.
    function _requireNext(uint256 last, uint256 end, uint256 number) private pure {
        if (number != last + 1 || number > end) revert NotNext(last + 1, number);
    }

    function _requireOperator(bool allowed) private view {
        if (!allowed) revert NotOperator(msg.sender);
    }

    /// @dev The hashes of a block that has all of its data in calldata.
    function _none() private pure returns (bytes32[] memory hashes) {}

    /// @dev Versioned hashes of the transaction's blobs. A block takes all of them: who reads the
    /// transaction need not know which are its own.
    function _blobs() private view returns (bytes32[] memory hashes) {
        uint256 n = 0;
        assembly ("memory-safe") {
            hashes := mload(0x40)
            let end := add(hashes, 32)
            for { let hash := blobhash(0) } hash { hash := blobhash(n) } {
                mstore(end, hash)
                end := add(end, 32)
                n := add(n, 1)
            }
            mstore(hashes, n)
            mstore(0x40, end)
        }
        if (n == 0) revert NoBlob();
    }

    /// @dev Whether the sender is an operator. Requires that no pause runs, and that blocks may be made
    /// under the policy.
    function _mayCommit(Header calldata header) private view returns (bool) {
        (bool operator, bool accepted, uint256 until) = governance.rules(msg.sender, header.policyRoot);
        _requireNoPause(until);
        if (!accepted) revert WrongPolicy(governance.policyRoot(), header.policyRoot);
        return operator;
    }

    function _commitOnly(
        Header calldata header,
        bytes calldata data,
        bytes32[] memory versionedHashes,
        bytes calldata openings
    ) private {
        State memory s = _calm();
        _requireOperator(_mayCommit(header));
        (, Blockbook.Block memory b) = _commit(s, header, data, versionedHashes, openings);
        _write(s.committed, b);
        _committedRoot = header.newRoot;
        _state = s;
    }

    /// @dev Every block before the new one must be proven.
    function _settle(
        State memory s,
        Header calldata header,
        bytes calldata data,
        bytes32[] memory versionedHashes,
        bytes calldata openings,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        bytes calldata proof
    ) private {
        _requireNext(s.proven, s.proven + 1, uint256(s.committed) + 1);
        (uint256[16] memory inputs, Blockbook.Block memory b) = _commit(s, header, data, versionedHashes, openings);
        (b.circuit, b.finalizedAt) = (_prove(s, circuitId, accumulator, inputs, proof), block.timestamp);
        _write(s.committed, b);
        _finalized(s, header.newRoot);
        _state = s;
    }

    /// @dev Checks a block, and notes in `s` that it is committed. What is kept of it beside its record is
    /// written by the caller, who may know more of it.
    function _commit(
        State memory s,
        Header calldata header,
        bytes calldata data,
        bytes32[] memory versionedHashes,
        bytes calldata openings
    ) private returns (uint256[16] memory inputs, Blockbook.Block memory b) {
        _checkHeader(header, s);
        if (data.length > MAX_DATA) revert DataTooLong(MAX_DATA, data.length);
        inputs = _statement(header);
        bool inBlobs = versionedHashes.length != 0;
        if (inBlobs) inputs[MODE] = 1;
        Data.Summary memory d =
            _complete(inputs, header.batches, data, versionedHashes, openings, header.time + MAX_RELEASE_DELAY);
        uint256 processed = s.processed + d.l1Count;
        if (d.l1Count != 0) _requireEntries(s.processed, processed, data, inBlobs);
        // An entry waits longer than those behind it, so that the first one tells of all.
        if (d.l1Count < header.batches * OVERDUE_PER_BATCH && _waitsLonger(processed, Times.OPERATOR_DEADLINE)) {
            revert OverdueWaits(processed + 1);
        }
        (s.committed, s.time, s.processed) = (s.committed + 1, uint40(header.time), uint40(processed));
        _records[s.committed] = _recordOf(inputs, d.exitRoot);
        (b.committedAt, b.time, b.processed) = (block.timestamp, header.time, processed);
        emit Committed(s.committed, header, d.exitRoot, processed, versionedHashes);
    }

    /// @dev Requires that the L1 records of the data are the entries after `from`, up to `to`.
    function _requireEntries(uint256 from, uint256 to, bytes calldata data, bool inBlobs) private view {
        if (to >= entries.length || entries[to].roll != Data.rolled(data, inBlobs, entries[from].roll)) {
            revert QueueMismatch(to);
        }
    }

    function _checkHeader(Header calldata header, State memory s) private view {
        uint256 root = _lastRoot(s);
        if (header.oldRoot != root) revert WrongOldRoot(root, header.oldRoot);
        _requireElement(header.newRoot);
        _requireElement(header.cOut);
        uint256 earliest = s.time;
        if (block.timestamp > earliest + Times.MAX_CLOCK_LAG) earliest = block.timestamp - Times.MAX_CLOCK_LAG;
        if (header.time < earliest || header.time > block.timestamp) {
            revert TimeOutOfRange(earliest, header.time, block.timestamp);
        }
        if (header.batches == 0 || header.batches > MAX_BATCHES) {
            revert BatchesOutOfRange(MAX_BATCHES, header.batches);
        }
    }

    /// @dev Proves the next committed block by what the caller says that it is.
    function _proveCommitted(
        State memory s,
        uint256 number,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[16] memory inputs,
        bytes32 exitRoot,
        bytes calldata proof
    ) private returns (uint256) {
        _requireNext(s.proven, s.committed, number);
        _requireInputs(number, inputs, exitRoot);
        return _prove(s, circuitId, accumulator, inputs, proof);
    }

    /// @dev Proves the block after the last proven one, which becomes final if it is not, so that there
    /// is never more than one that is proven and not final. Returns the number of the circuit.
    function _prove(
        State memory s,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) private returns (uint256 circuit) {
        uint256 number = uint256(s.proven) + 1;
        circuit = _requireProof(number, circuitId, accumulator, inputs, proof);
        _finalizePending(s);
        s.proven = uint40(number);
        emit Proven(number, circuitId, inputs[NEW_ROOT]);
    }
}
