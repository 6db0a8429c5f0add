// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Governor} from "./Governor.sol";
import {Quorum} from "./Quorum.sol";
import {Times} from "./Times.sol";

/// @title Pause
/// @notice A few guardians stop commits and deposits at once. A pause ends by itself, the next one
/// must wait, and 30 days hold a bounded number of paused seconds; more members of another set, the
/// council, end one early. Forced exits, proofs, claims and exodus never look at it.
abstract contract Pause is Governor {
    using Quorum for Quorum.Set;

    struct Interval {
        uint64 start;
        uint64 end;
    }

    /// @notice Every pause; the last may still run.
    Interval[] public pauses;

    Quorum.Set private _guardians;
    Quorum.Set private _council;

    event Paused(uint256 start, uint256 end);
    event Unpaused(uint256 time);
    event PauseVote(address indexed guardian, uint256 ballot);
    event UnpauseVote(address indexed member, uint256 ballot);
    event MembersAnnounced(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause, uint256 readyAt);
    event MembersChanged(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause);

    error NotPaused();
    error PauseCooldown(uint256 earliest);
    error PauseBudgetSpent(uint256 used);
    error InBothSets(address member);
    error CouncilQuorumTooSmall(uint256 toPause, uint256 toUnpause);

    /// @notice When the last pause ends or ended, 0 if there was none.
    function pausedUntil() public view returns (uint256) {
        uint256 n = pauses.length;
        return n == 0 ? 0 : pauses[n - 1].end;
    }

    function guardians() external view returns (address[] memory members, uint256 toPause) {
        return (_guardians.members, _guardians.needed);
    }

    function council() external view returns (address[] memory members, uint256 toUnpause) {
        return (_council.members, _council.needed);
    }

    /// @notice A guardian's vote to pause; with enough of them the pause begins.
    function votePause() external {
        uint256 ballot = pauses.length;
        emit PauseVote(msg.sender, ballot);
        if (_guardians.vote(keccak256(abi.encode("pause", ballot)))) _pause();
    }

    /// @notice A council member's vote to end the pause that runs.
    function voteUnpause() external {
        uint256 ballot = pauses.length;
        if (block.timestamp >= pausedUntil()) revert NotPaused();
        emit UnpauseVote(msg.sender, ballot);
        if (_council.vote(keccak256(abi.encode("unpause", ballot)))) {
            pauses[ballot - 1].end = uint64(block.timestamp);
            emit Unpaused(block.timestamp);
        }
    }

    /// @notice Paused seconds since a time.
    function pausedSince(uint256 time) public view returns (uint256 used) {
        // Pauses lie `PAUSE_COOLDOWN` apart, so that few reach into the window.
        for (uint256 i = pauses.length; i > 0 && pauses[i - 1].end > time; --i) {
            Interval storage p = pauses[i - 1];
            used += p.end - (p.start > time ? p.start : time);
        }
    }

    function announceMembers(
        address[] calldata guardians_,
        uint256 toPause,
        address[] calldata council_,
        uint256 toUnpause
    ) external {
        _checkMembers(guardians_, toPause, council_, toUnpause);
        uint256 ready = _announce(_membersChange(guardians_, toPause, council_, toUnpause));
        emit MembersAnnounced(guardians_, toPause, council_, toUnpause, ready);
    }

    /// @notice Replaces both sets as announced; open to anybody.
    function changeMembers(
        address[] calldata guardians_,
        uint256 toPause,
        address[] calldata council_,
        uint256 toUnpause
    ) external {
        _take(_membersChange(guardians_, toPause, council_, toUnpause));
        _setMembers(guardians_, toPause, council_, toUnpause);
    }

    function _setMembers(address[] memory guardians_, uint256 toPause, address[] memory council_, uint256 toUnpause)
        internal
    {
        _checkMembers(guardians_, toPause, council_, toUnpause);
        _guardians.replace(guardians_, toPause);
        _council.replace(council_, toUnpause);
        emit MembersChanged(guardians_, toPause, council_, toUnpause);
    }

    /// @dev Whether the council has decided on a topic, counting the sender's vote.
    function _councilVote(bytes32 topic) internal returns (bool) {
        return _council.vote(topic);
    }

    function _pause() private {
        uint256 earliest = pausedUntil() + Times.PAUSE_COOLDOWN;
        if (pauses.length > 0 && block.timestamp < earliest) revert PauseCooldown(earliest);
        // The window that ends with the new pause begins later than this one, so it holds no more.
        uint256 used = pausedSince(block.timestamp > Times.PAUSE_WINDOW ? block.timestamp - Times.PAUSE_WINDOW : 0);
        if (used >= Times.PAUSE_BUDGET) revert PauseBudgetSpent(used);
        uint256 length = Times.PAUSE_BUDGET - used < Times.MAX_PAUSE ? Times.PAUSE_BUDGET - used : Times.MAX_PAUSE;
        pauses.push(Interval(uint64(block.timestamp), uint64(block.timestamp + length)));
        emit Paused(block.timestamp, block.timestamp + length);
    }

    function _checkMembers(address[] memory guardians_, uint256 toPause, address[] memory council_, uint256 toUnpause)
        private
        pure
    {
        Quorum.check(guardians_, toPause);
        Quorum.check(council_, toUnpause);
        if (toUnpause <= toPause) revert CouncilQuorumTooSmall(toPause, toUnpause);
        for (uint256 i = 0; i < guardians_.length; ++i) {
            for (uint256 j = 0; j < council_.length; ++j) {
                if (guardians_[i] == council_[j]) revert InBothSets(guardians_[i]);
            }
        }
    }

    function _membersChange(address[] memory guardians_, uint256 toPause, address[] memory council_, uint256 toUnpause)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode("members", guardians_, toPause, council_, toUnpause));
    }
}
