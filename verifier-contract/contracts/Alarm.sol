// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "./Blockbook.sol";
import {Blocks} from "./Blocks.sol";
import {Times} from "./Times.sol";

/// @title Alarm
/// @notice Posted data determine what follows from a root, so that two accepted proofs about one
/// root and the same data, policy and time that differ in what follows show, on chain and to
/// everybody, that a circuit accepts what is false. Anybody who shows them stops the block and all
/// after it; the council removes a verifier in time, and the chain goes back before the block and on
/// with the others, or else everybody leaves from there. Nobody needs to be believed.
abstract contract Alarm is Blocks {
    /// @notice What contradicts a proven block.
    struct Contradiction {
        /// Another root after the same data,
        uint256 newRoot;
        /// or another order chain.
        uint256 cOut;
        bytes32 circuitId;
        uint256[12] accumulator;
        bytes proof;
        /// If the block has its data in blobs: the blobs, and their values at the point that the other
        /// order chain gives.
        bytes32[] versionedHashes;
        bytes openings;
    }

    /// @notice Two circuits of which one at least is broken; they may be the same.
    struct Pair {
        bytes32 ofBlock;
        bytes32 ofContradiction;
    }

    Pair[] private _accused;
    /// @dev Root before the block in doubt.
    uint256 private _rootBefore;

    /// @notice A block is in doubt, and every one after it.
    /// @param number Its number.
    /// @param ofBlock Circuit of its proof.
    /// @param ofContradiction Circuit of the proof against it.
    /// @param newRoot What that proof says the root would be.
    /// @param cOut What it says the order chain would be.
    event Alarmed(
        uint256 indexed number, bytes32 indexed ofBlock, bytes32 indexed ofContradiction, uint256 newRoot, uint256 cOut
    );
    /// @notice An alarm ended; the chain goes on after a block.
    /// @param number Its number.
    /// @param root State root after it.
    event Resumed(uint256 indexed number, uint256 root);

    /// @notice The block is not proven, so that there is nothing to contradict.
    /// @param number Its number.
    error NotProven(uint256 number);
    /// @notice The block has been final for so long that what leaves by it was not held back.
    /// @param latest When an alarm was possible last.
    error TooLate(uint256 latest);
    /// @notice The data are not those of the block.
    /// @param number Its number.
    error WrongData(uint256 number);
    /// @notice The proofs say the same.
    error NoContradiction();
    /// @notice No alarm runs.
    error NoAlarm();
    /// @notice A verifier must be removed first: one of these two accepts what is false.
    /// @param ofBlock Circuit of the block's proof.
    /// @param ofContradiction Circuit of the proof against it.
    error StillRegistered(bytes32 ofBlock, bytes32 ofContradiction);

    /// @notice Rings the alarm about a proven block; open to anybody. It must not have been final for
    /// `MAX_RELEASE_DELAY`: what left by it then came through the buckets alone. While an alarm runs
    /// only one about an earlier block counts, and the council gets no more time by it.
    /// @param number Number of the block.
    /// @param inputs Its sixteen public inputs.
    /// @param exitRoot Number and tree of its exits, as `Committed` told it.
    /// @param batches Its number of batches.
    /// @param data Its data.
    /// @param other What contradicts it.
    function alarm(
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        uint32 batches,
        bytes calldata data,
        Contradiction calldata other
    ) external {
        State memory s = _state;
        if (number == 0 || number > s.proven) revert NotProven(number);
        if (s.phase == Phase.Alarm && number >= doubted) revert AlarmRuns(doubted);
        Blockbook.Block memory b = _block(number);
        uint256 latest = b.finalizedAt + Times.MAX_RELEASE_DELAY;
        if (number <= s.finalized && block.timestamp >= latest) revert TooLate(latest);
        _requireInputs(number, inputs, exitRoot);
        _requireContradiction(number, inputs, batches, data, other);
        bytes32 ofBlock = governance.circuitOf(b.circuit);
        emit Alarmed(number, ofBlock, other.circuitId, other.newRoot, other.cOut);
        if (s.phase == Phase.Exodus) {
            _takeBack(s, number - 1);
            (_state, _finalRoot) = (s, inputs[OLD_ROOT]);
            _rootMoved(number - 1);
            return;
        }
        if (s.phase == Phase.Calm) alarmedAt = uint64(block.timestamp);
        (doubted, _rootBefore) = (uint64(number), inputs[OLD_ROOT]);
        s.phase = Phase.Alarm;
        _state = s;
        _accuse(Pair(ofBlock, other.circuitId));
    }

    /// @notice Ends the alarm when the council has acted: of each two circuits that contradicted
    /// each other one is gone. Open to anybody.
    function resume() external {
        State memory s = _state;
        _requireLive(s.phase);
        if (s.phase == Phase.Calm) revert NoAlarm();
        uint256 n = _accused.length;
        for (uint256 i = 0; i < n; ++i) {
            if (!_answered(_accused[i])) revert StillRegistered(_accused[i].ofBlock, _accused[i].ofContradiction);
        }
        _takeBackDoubted(s);
        (s.phase, s.finalizedAt) = (Phase.Calm, uint40(block.timestamp));
        (_state, resumedAt) = (s, uint64(block.timestamp));
        emit Resumed(s.committed, _finalRoot);
    }

    /// @dev Takes back what is in doubt; nothing is any more. The last block that stays is final: no
    /// block is proven unless the one before it is.
    function _takeBackDoubted(State memory s) internal {
        _takeBack(s, doubted - 1);
        _finalRoot = _rootBefore;
        (doubted, alarmedAt) = (0, 0);
        delete _accused;
    }

    /// @dev Whether an alarm runs that the council has left unanswered for too long.
    function _unanswered() internal view returns (bool) {
        if (block.timestamp < alarmedAt + Times.ALARM_DEADLINE) return false;
        uint256 n = _accused.length;
        for (uint256 i = 0; i < n; ++i) {
            if (!_answered(_accused[i])) return true;
        }
        return false;
    }

    /// @dev Exodus has a root that it leaves from, and it is another one now.
    /// @param number Its block.
    function _rootMoved(uint256 number) internal virtual;

    function _answered(Pair memory pair) private view returns (bool) {
        return address(governance.verifiers(pair.ofBlock)) == address(0)
            || address(governance.verifiers(pair.ofContradiction)) == address(0);
    }

    /// @dev Each pair stands once, so that there are no more than circuits can make.
    function _accuse(Pair memory pair) private {
        uint256 n = _accused.length;
        for (uint256 i = 0; i < n; ++i) {
            if (_accused[i].ofBlock == pair.ofBlock && _accused[i].ofContradiction == pair.ofContradiction) return;
        }
        _accused.push(pair);
    }

    function _requireContradiction(
        uint256 number,
        uint256[16] memory inputs,
        uint32 batches,
        bytes calldata data,
        Contradiction calldata other
    ) private view {
        bytes32[] memory hashes = other.versionedHashes;
        if (_challenge(inputs, data, hashes) != inputs[R]) revert WrongData(number);
        if (other.newRoot == inputs[NEW_ROOT] && other.cOut == inputs[C_OUT]) revert NoContradiction();
        // Old root, policy, domain and time stay; what follows is another, and with it the challenge.
        (inputs[NEW_ROOT], inputs[C_OUT]) = (other.newRoot, other.cOut);
        _complete(inputs, batches, data, hashes, other.openings, inputs[TIME] + MAX_RELEASE_DELAY);
        _requireProof(number, other.circuitId, other.accumulator, inputs, other.proof);
    }
}
