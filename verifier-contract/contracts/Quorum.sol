// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Times} from "./Times.sol";

/// @title Votes of a small set of accounts
/// @notice A topic is decided when enough members have voted for it within a day: a vote does not
/// wait forever for others to join it.
library Quorum {
    /// @notice Largest set; votes are counted one by one.
    uint256 internal constant MAX_MEMBERS = 32;

    /// @notice Members, and how many of them decide.
    struct Set {
        address[] members;
        uint256 needed;
        mapping(bytes32 topic => mapping(address member => uint256)) votedAt;
    }

    /// @notice Only members vote.
    /// @param sender Who tried.
    error NotAMember(address sender);
    /// @notice Nobody, or more than all, would have to agree, or the set is too large.
    /// @param needed How many have to agree.
    /// @param members How many there are.
    error BadQuorum(uint256 needed, uint256 members);
    /// @notice A member stands twice in a set.
    /// @param member Who.
    error DuplicateMember(address member);

    /// @notice Replaces the members.
    function replace(Set storage set, address[] memory members, uint256 needed) internal {
        check(members, needed);
        set.members = members;
        set.needed = needed;
    }

    /// @notice Refuses sets that cannot decide, and members that count twice.
    function check(address[] memory members, uint256 needed) internal pure {
        uint256 n = members.length;
        if (needed == 0 || needed > n || n > MAX_MEMBERS) revert BadQuorum(needed, n);
        for (uint256 i = 0; i < n; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (members[i] == members[j]) revert DuplicateMember(members[i]);
            }
        }
    }

    /// @notice Whether an account is a member.
    function has(Set storage set, address account) internal view returns (bool) {
        uint256 n = set.members.length;
        for (uint256 i = 0; i < n; ++i) {
            if (set.members[i] == account) return true;
        }
        return false;
    }

    /// @notice Counts the sender's vote; true if the topic is decided. Topics are used once: who
    /// acts on a decision makes the next topic another one.
    function vote(Set storage set, bytes32 topic) internal returns (bool) {
        if (!has(set, msg.sender)) revert NotAMember(msg.sender);
        set.votedAt[topic][msg.sender] = block.timestamp;
        uint256 count = 0;
        uint256 n = set.members.length;
        for (uint256 i = 0; i < n; ++i) {
            uint256 cast = set.votedAt[topic][set.members[i]];
            if (cast != 0 && block.timestamp <= cast + Times.VOTE_LIFETIME) ++count;
        }
        return count >= set.needed;
    }
}
