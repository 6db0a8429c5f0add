// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "./Governor.sol";
import {L2State} from "./L2State.sol";
import {Poseidon2} from "./Poseidon2.sol";
import {Times} from "./Times.sol";

/// @title The policy in force
/// @notice Blocks are made under one policy root. A change that only takes power from the guardian
/// key or from whoever drains the bridge is made at once; every other one waits. The contract opens
/// the root to tell the two apart. A replaced root is still taken for `POLICY_GRACE`, so that no
/// number of changes outdates a block faster than it can be proven.
abstract contract Policies is Governor {
    /// @notice Root of the policy in force.
    uint256 public policyRoot;
    /// @notice Until when a policy that was replaced is taken, 0 if it never was.
    mapping(uint256 root => uint256) public acceptableUntil;

    /// @notice Another policy is announced.
    /// @param root Its root.
    /// @param readyAt When it may be put in force.
    event PolicyAnnounced(uint256 indexed root, uint256 readyAt);
    /// @notice A policy is in force, and the one before is taken for a while.
    /// @param root Root of the new one.
    /// @param replaced Root of the one before; the same if it stays, 0 before the first.
    /// @param until Until when blocks under the one before are taken.
    event PolicyChanged(uint256 indexed root, uint256 indexed replaced, uint256 until);
    /// @notice The policy in force was tightened.
    /// @param root Root of the tighter one.
    /// @param maxFreeze Longest freeze.
    /// @param cooldown Time between freezes.
    /// @param token Token whose limits changed.
    /// @param rate Its rate.
    /// @param burstSeconds Its burst.
    event PolicyTightened(
        uint256 indexed root, uint40 maxFreeze, uint40 cooldown, uint16 token, uint64 rate, uint40 burstSeconds
    );

    /// @notice A root is not below the field modulus.
    /// @param root The word.
    error RootOutOfRange(uint256 root);
    /// @notice The policy that was shown is not the one in force.
    /// @param expected Root of the one in force.
    /// @param actual Root of the one that was shown.
    error WrongPolicy(uint256 expected, uint256 actual);
    /// @notice Limits and path do not lead to the policy's limits.
    /// @param expected The policy's root of limits.
    /// @param actual Where they lead.
    error WrongLimits(uint256 expected, uint256 actual);
    /// @notice A value is looser than it was, or no policy may have it.
    error NotTighter();

    /// @notice Whether a block may be made under a policy: it is in force, or was until a while ago.
    function acceptable(uint256 root) public view returns (bool) {
        return root == policyRoot || block.timestamp <= acceptableUntil[root];
    }

    /// @notice Announces another policy.
    /// @param root Its root.
    function announcePolicy(uint256 root) external {
        if (root >= Poseidon2.P) revert RootOutOfRange(root);
        emit PolicyAnnounced(root, _announce(keccak256(abi.encode("policy", root))));
    }

    /// @notice Puts an announced policy in force; open to anybody.
    /// @param root Its root.
    function changePolicy(uint256 root) external {
        _take(keccak256(abi.encode("policy", root)));
        _setPolicy(root);
    }

    /// @notice Tightens the policy in force at once: freezes not longer, cooldown not shorter, the
    /// token's rate and burst not larger. Keys, fees and delays stay as they are.
    /// @param current The policy in force.
    /// @param maxFreeze Longest freeze from now on.
    /// @param cooldown Time between freezes from now on.
    /// @param token The token.
    /// @param limits The token's limits in force.
    /// @param tighter The token's limits from now on.
    /// @param path Siblings of the token's leaf in the tree of limits, from the lowest level up.
    function tightenPolicy(
        L2State.Policy calldata current,
        uint40 maxFreeze,
        uint40 cooldown,
        uint16 token,
        L2State.Limits calldata limits,
        L2State.Limits calldata tighter,
        uint256[16] calldata path
    ) external onlyGovernor {
        uint256 root = L2State.policyRoot(current);
        if (root != policyRoot) revert WrongPolicy(policyRoot, root);
        root = L2State.limitsRoot(limits, token, path);
        if (root != current.limitsRoot) revert WrongLimits(current.limitsRoot, root);
        // A rate of 0 cannot be proven, and a cooldown below the freeze lets an Unfreeze be replayed.
        if (
            maxFreeze > current.maxFreeze || cooldown < current.cooldown || cooldown < maxFreeze || cooldown == 0
                || tighter.rate == 0 || tighter.rate > limits.rate || tighter.burstSeconds > limits.burstSeconds
                || tighter.maxDelay != limits.maxDelay
        ) revert NotTighter();

        L2State.Policy memory next = current;
        next.maxFreeze = maxFreeze;
        next.cooldown = cooldown;
        next.limitsRoot = L2State.limitsRoot(tighter, token, path);
        root = L2State.policyRoot(next);
        emit PolicyTightened(root, maxFreeze, cooldown, token, tighter.rate, tighter.burstSeconds);
        _setPolicy(root);
    }

    function _setPolicy(uint256 root) internal {
        if (root >= Poseidon2.P) revert RootOutOfRange(root);
        uint256 replaced = policyRoot;
        uint256 until = block.timestamp + Times.POLICY_GRACE;
        // The first root replaces none, and 0 must not be taken for one.
        if (replaced != 0) acceptableUntil[replaced] = until;
        policyRoot = root;
        emit PolicyChanged(root, replaced, until);
    }
}
