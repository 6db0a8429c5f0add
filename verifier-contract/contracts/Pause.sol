// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "./Governor.sol";
import {Quorum} from "./Quorum.sol";
import {Times} from "./Times.sol";

/// @title Pause
/// @notice A few guardians stop commits and deposits at once. A pause ends by itself, the next one
/// must wait, and 30 days hold a bounded number of paused seconds; more members of another set, the
/// council, end one early. Forced exits, proofs, claims and exodus never look at it.
abstract contract Pause is Governor {
    using Quorum for Quorum.Set;

    /// @notice Fewest members of the council. With its quorum of more than half, three parties agree
    /// before anything is decided, and two that are lost or bought neither decide nor prevent.
    uint256 public constant MIN_COUNCIL = 5;

    /// @notice A pause from `start` until `end`.
    struct Interval {
        uint64 start;
        uint64 end;
    }

    /// @notice Every pause; the last may still run.
    Interval[] public pauses;

    /// @notice When the last pause ends or ended, 0 if there was none. Every commit asks for it.
    uint256 public pausedUntil;

    Quorum.Set private _guardians;
    Quorum.Set private _council;

    /// @notice A pause begins.
    /// @param start When.
    /// @param end When it ends by itself.
    event Paused(uint256 start, uint256 end);
    /// @notice The council ended the pause.
    /// @param time When.
    event Unpaused(uint256 time);
    /// @notice A guardian wants a pause.
    /// @param guardian Who.
    /// @param ballot Number of pauses before it.
    event PauseVote(address indexed guardian, uint256 ballot);
    /// @notice A member of the council wants the pause to end.
    /// @param member Who.
    /// @param ballot Number of pauses with it.
    event UnpauseVote(address indexed member, uint256 ballot);
    /// @notice Other guardians and another council are announced.
    /// @param guardians The guardians.
    /// @param toPause How many of them pause.
    /// @param council The council.
    /// @param toUnpause How many of it decide.
    /// @param readyAt When they may take over.
    event MembersAnnounced(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause, uint256 readyAt);
    /// @notice Guardians and council are others from now on.
    /// @param guardians The guardians.
    /// @param toPause How many of them pause.
    /// @param council The council.
    /// @param toUnpause How many of it decide.
    event MembersChanged(address[] guardians, uint256 toPause, address[] council, uint256 toUnpause);

    /// @notice No pause runs.
    error NotPaused();
    /// @notice The last pause ended too short a time ago.
    /// @param earliest When the next one may begin.
    error PauseCooldown(uint256 earliest);
    /// @notice The last 30 days were paused for as long as they may be.
    /// @param used Paused seconds.
    error PauseBudgetSpent(uint256 used);
    /// @notice An account is guardian and member of the council.
    /// @param member Who.
    error InBothSets(address member);
    /// @notice The council is too small.
    /// @param members How many it has.
    /// @param least How many it must have.
    error CouncilTooSmall(uint256 members, uint256 least);
    /// @notice The council's quorum must be larger than the guardians', and than half of the council.
    /// @param toPause The guardians' quorum.
    /// @param toUnpause The council's.
    error CouncilQuorumTooSmall(uint256 toPause, uint256 toUnpause);

    /// @notice The guardians, and how many of them pause.
    function guardians() external view returns (address[] memory members, uint256 toPause) {
        return (_guardians.members, _guardians.needed);
    }

    /// @notice The council, and how many of it decide.
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
        if (block.timestamp >= pausedUntil) revert NotPaused();
        emit UnpauseVote(msg.sender, ballot);
        if (_council.vote(keccak256(abi.encode("unpause", ballot)))) {
            (pauses[ballot - 1].end, pausedUntil) = (uint64(block.timestamp), block.timestamp);
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

    /// @notice Announces other guardians and another council.
    /// @param guardians_ The guardians.
    /// @param toPause How many of them pause.
    /// @param council_ The council.
    /// @param toUnpause How many of it decide.
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
    /// @param guardians_ The guardians.
    /// @param toPause How many of them pause.
    /// @param council_ The council.
    /// @param toUnpause How many of it decide.
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
        uint256 earliest = pausedUntil + Times.PAUSE_COOLDOWN;
        if (pauses.length > 0 && block.timestamp < earliest) revert PauseCooldown(earliest);
        // The window that ends with the new pause begins later than this one, so it holds no more.
        uint256 used = pausedSince(block.timestamp > Times.PAUSE_WINDOW ? block.timestamp - Times.PAUSE_WINDOW : 0);
        if (used >= Times.PAUSE_BUDGET) revert PauseBudgetSpent(used);
        uint256 length = Times.PAUSE_BUDGET - used < Times.MAX_PAUSE ? Times.PAUSE_BUDGET - used : Times.MAX_PAUSE;
        pausedUntil = block.timestamp + length;
        pauses.push(Interval(uint64(block.timestamp), uint64(pausedUntil)));
        emit Paused(block.timestamp, block.timestamp + length);
    }

    function _checkMembers(address[] memory guardians_, uint256 toPause, address[] memory council_, uint256 toUnpause)
        private
        pure
    {
        Quorum.check(guardians_, toPause);
        Quorum.check(council_, toUnpause);
        if (council_.length < MIN_COUNCIL) revert CouncilTooSmall(council_.length, MIN_COUNCIL);
        if (toUnpause <= toPause || 2 * toUnpause <= council_.length) {
            revert CouncilQuorumTooSmall(toPause, toUnpause);
        }
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
