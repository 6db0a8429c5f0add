// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Governor} from "./Governor.sol";
import {L2State} from "./L2State.sol";
import {Poseidon2} from "./Poseidon2.sol";

/// @title The policy in force
/// @notice Blocks are made under one policy root. A change that only takes power from the guardian
/// key or from whoever drains the bridge holds from the next block on; every other one waits.
/// The contract opens the root to tell the two apart.
abstract contract Policies is Governor {
    /// @notice Root of the policy in force.
    uint256 public policyRoot;

    event PolicyAnnounced(uint256 indexed root, uint256 readyAt);
    event PolicyChanged(uint256 indexed root);
    event PolicyTightened(
        uint256 indexed root, uint40 maxFreeze, uint40 cooldown, uint16 token, uint64 rate, uint40 burstSeconds
    );

    error RootOutOfRange(uint256 root);
    error WrongPolicy(uint256 expected, uint256 actual);
    error WrongLimits(uint256 expected, uint256 actual);
    error NotTighter();

    /// @notice Announces another policy.
    function announcePolicy(uint256 root) external {
        if (root >= Poseidon2.P) revert RootOutOfRange(root);
        emit PolicyAnnounced(root, _announce(keccak256(abi.encode("policy", root))));
    }

    /// @notice Puts an announced policy in force; open to anybody.
    function changePolicy(uint256 root) external {
        _take(keccak256(abi.encode("policy", root)));
        _setPolicy(root);
    }

    /// @notice Tightens the policy in force at once: freezes not longer, cooldown not shorter, the
    /// token's rate and burst not larger. Keys, fees and delays stay as they are.
    /// @param current The policy in force.
    /// @param limits The token's limits in force.
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
        policyRoot = root;
        emit PolicyChanged(root);
    }
}
