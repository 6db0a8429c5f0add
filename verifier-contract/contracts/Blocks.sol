// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Data} from "./Data.sol";
import {IVerifier} from "./IVerifier.sol";
import {Queue} from "./Queue.sol";
import {Times} from "./Times.sol";

/// @title Blocks
/// @notice Blocks are committed (header and data), proven and finalized in order, in three calls or
/// in one. Nothing but a proof moves the state root.
abstract contract Blocks is Queue {
    /// @notice What a block claims.
    struct Header {
        uint256 oldRoot;
        uint256 newRoot;
        uint256 policyRoot;
        uint64 time;
        uint256 cOut;
        uint32 batches;
    }

    /// @notice What is kept of a block.
    struct Block {
        uint256 newRoot;
        bytes32 exitRoot;
        /// keccak256 of the ten public inputs.
        bytes32 inputs;
        uint64 time;
        uint64 committedAt;
        /// Queue entries processed after the block.
        uint64 processed;
    }

    /// @notice Chain and contract, as signatures and proofs bind them.
    uint256 public immutable domain;

    /// @notice Blocks from 1 on; block 0 is genesis. Those above `committed` were taken back.
    mapping(uint256 number => Block) public blocks;
    /// @notice Number of the last committed block. Taking commits back lowers it, whatever their
    /// number: an operator must not be able to make that too dear for others.
    uint64 public committed;
    /// @notice Number of the last proven block.
    uint64 public proven;
    /// @notice Number of the last finalized block.
    uint64 public finalized;
    /// @notice When it became final.
    uint64 public finalizedAt;

    event Committed(uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed);
    event Proven(uint256 indexed number, bytes32 indexed circuitId, uint256 newRoot);
    event Finalized(uint256 indexed number, uint256 newRoot);
    event Reverted(uint256 indexed from, uint256 indexed to);

    error NotOperator(address sender);
    error WrongOldRoot(uint256 expected, uint256 actual);
    error TimeOutOfRange(uint64 earliest, uint64 time, uint256 latest);
    error NoBatches();
    error QueueMismatch(uint256 entry);
    error NotNext(uint256 expected, uint256 actual);
    error WrongInputs(uint256 number);
    error ProofRefused(uint256 number);
    error NothingToRevert();
    error TooEarly(uint256 earliest);
    error RootOutOfRange(uint256 root);
    error WrongPolicy(uint256 expected, uint256 actual);
    error UnknownCircuit(bytes32 circuitId);

    constructor(uint256 genesisRoot) {
        if (genesisRoot >= Data.P) revert RootOutOfRange(genesisRoot);
        domain = uint256(keccak256(abi.encodePacked("bastion.domain.v1", block.chainid, address(this)))) % Data.P;
        blocks[0] = Block(genesisRoot, 0, 0, 0, uint64(block.timestamp), 0);
        finalizedAt = uint64(block.timestamp);
    }

    /// @notice The finalized state root.
    function stateRoot() external view returns (uint256) {
        return blocks[finalized].newRoot;
    }

    /// @notice Whether anybody may bring blocks.
    function operatorsAway() public view returns (bool) {
        return block.timestamp > finalizedAt + Times.OPERATOR_DEADLINE || _waitsLonger(finalized, Times.OPERATOR_DEADLINE);
    }

    /// @notice Posts a block: its header and its data.
    function commit(Header calldata header, bytes calldata data) external {
        if (!governance.operators(msg.sender)) revert NotOperator(msg.sender);
        _commit(header, data);
    }

    /// @notice Proves the next committed block; open to anybody.
    /// @param number Number of the block.
    /// @param circuitId Whose verifier checks the proof.
    /// @param accumulator Twelve limbs of the accumulator, which the proof binds.
    /// @param inputs Ten public inputs, as they were computed at the commit.
    function prove(
        uint256 number,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[10] calldata inputs,
        bytes calldata proof
    ) external whenLive {
        if (number != uint256(proven) + 1 || number > committed) revert NotNext(uint256(proven) + 1, number);
        if (keccak256(abi.encode(inputs)) != blocks[number].inputs) revert WrongInputs(number);
        _prove(number, circuitId, accumulator, inputs, proof);
    }

    /// @notice Moves the state root to the next proven block; open to anybody.
    function finalize(uint256 number) external whenLive {
        if (number != uint256(finalized) + 1 || number > proven) revert NotNext(uint256(finalized) + 1, number);
        _finalizeNext();
    }

    /// @notice Commits, proves and finalizes a block. When the operators are away anybody may, and
    /// what they committed without a proof is dropped: a commit alone would let him stand in the
    /// way for `PROVE_DEADLINE`.
    function settle(
        Header calldata header,
        bytes calldata data,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        bytes calldata proof
    ) external {
        if (!governance.operators(msg.sender)) {
            if (!operatorsAway()) revert NotOperator(msg.sender);
            if (committed > proven) _dropCommits();
        }
        uint256[10] memory inputs = _commit(header, data);
        uint256 number = committed;
        if (number != uint256(proven) + 1) revert NotNext(uint256(proven) + 1, number);
        _prove(number, circuitId, accumulator, inputs, proof);
        _finalizeProven();
    }

    /// @notice Takes back the commits that are not proven: an operator at any time, anybody when
    /// the oldest of them is overdue.
    function revertCommits() external whenLive {
        if (committed == proven) revert NothingToRevert();
        uint256 earliest = blocks[uint256(proven) + 1].committedAt + Times.PROVE_DEADLINE;
        if (!governance.operators(msg.sender) && block.timestamp < earliest) revert TooEarly(earliest);
        _dropCommits();
    }

    function _finalizeProven() internal {
        while (finalized < proven) _finalizeNext();
    }

    /// @dev Whether the first entry that block `number` leaves waiting is older than `age`.
    function _waitsLonger(uint256 number, uint256 age) internal view returns (bool) {
        uint256 next = uint256(blocks[number].processed) + 1;
        return next < entries.length && block.timestamp > entries[next].queuedAt + age;
    }

    function _commit(Header memory header, bytes calldata data)
        private
        whenLive
        whenNotPaused
        returns (uint256[10] memory inputs)
    {
        Block storage last = blocks[committed];
        if (header.oldRoot != last.newRoot) revert WrongOldRoot(last.newRoot, header.oldRoot);
        if (header.newRoot >= Data.P) revert RootOutOfRange(header.newRoot);
        if (header.cOut >= Data.P) revert RootOutOfRange(header.cOut);
        uint256 policyRoot = governance.policyRoot();
        if (header.policyRoot != policyRoot) revert WrongPolicy(policyRoot, header.policyRoot);
        if (header.time < last.time || header.time > block.timestamp) {
            revert TimeOutOfRange(last.time, header.time, block.timestamp);
        }
        if (header.batches == 0) revert NoBatches();

        uint256 r = _challenge(header, data);
        Data.Summary memory s =
            Data.read(data, header.batches, r, entries[last.processed].roll, header.time + MAX_RELEASE_DELAY);
        uint256 processed = last.processed + s.l1Count;
        if (processed >= entries.length || entries[processed].roll != s.roll) revert QueueMismatch(processed);
        inputs = [
            header.oldRoot, header.newRoot, 0, header.cOut, 0, s.y, header.policyRoot, domain, uint256(header.time), r
        ];
        ++committed;
        blocks[committed] = Block(
            header.newRoot,
            s.exitRoot,
            keccak256(abi.encode(inputs)),
            header.time,
            uint64(block.timestamp),
            uint64(processed)
        );
        emit Committed(committed, header, s.exitRoot, processed);
    }

    function _prove(
        uint256 number,
        bytes32 circuitId,
        uint256[12] memory accumulator,
        uint256[10] memory inputs,
        bytes calldata proof
    ) private {
        IVerifier verifier = governance.verifiers(circuitId);
        if (address(verifier) == address(0)) revert UnknownCircuit(circuitId);
        uint256[] memory instances = new uint256[](22);
        for (uint256 i = 0; i < 22; ++i) {
            instances[i] = i < 12 ? accumulator[i] : inputs[i - 12];
            if (instances[i] >= Data.P) revert RootOutOfRange(instances[i]);
        }
        if (!verifier.verify(instances, proof)) revert ProofRefused(number);
        proven = uint64(number);
        emit Proven(number, circuitId, blocks[number].newRoot);
    }

    function _finalizeNext() private {
        uint64 number = finalized + 1;
        (finalized, finalizedAt) = (number, uint64(block.timestamp));
        emit Finalized(number, blocks[number].newRoot);
    }

    function _dropCommits() private {
        emit Reverted(committed, proven);
        committed = proven;
    }

    function _challenge(Header memory h, bytes calldata data) private view returns (uint256) {
        return uint256(
            keccak256(
                abi.encodePacked(
                    "bastion.r.v1",
                    domain,
                    h.oldRoot,
                    h.newRoot,
                    h.policyRoot,
                    uint256(h.time),
                    h.cOut,
                    keccak256(data)
                )
            )
        ) % Data.P;
    }
}
