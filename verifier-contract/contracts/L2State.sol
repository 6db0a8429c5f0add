// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Poseidon2} from "./Poseidon2.sol";

/// @title The L2 state and policy as hashes
/// @notice Leaves, paths and policies, hashed as the circuit hashes them (docs/protocol.md,
/// sections 1, 3 and 4).
library L2State {
    uint256 private constant TAG_POLICY = 3;
    uint256 private constant TAG_LIMIT = 4;

    /// @notice What a user shows of an account.
    struct Account {
        uint256 keyhash;
        address exit;
        uint16 token;
        uint32 nonce;
        uint128 balance;
        uint40 frozenUntil;
    }

    /// @notice A policy, as its root binds it.
    struct Policy {
        uint256 guardianKeyhash;
        uint40 maxFreeze;
        uint40 cooldown;
        uint256 feeKeyhash;
        address feeExit;
        uint256 limitsRoot;
    }

    /// @notice Bridge limits of one token.
    struct Limits {
        uint64 rate;
        uint40 burstSeconds;
        uint40 maxDelay;
    }

    /// @notice A 32-byte word is not below the field modulus.
    /// @param word The word.
    error NotAnElement(uint256 word);

    /// @notice The leaf of an account.
    function leaf(Account calldata a) internal pure returns (uint256) {
        return _leaf(Poseidon2.constants(), a);
    }

    /// @notice Root of the state tree with an account at an index.
    /// @param path Siblings from the leaf up. Each must be an element: a sum of larger words would
    /// wrap in the hash, which then is none. Their number and the index' width fix the tree's depth.
    function root(Account calldata a, uint32 index, uint256[32] calldata path) internal pure returns (uint256 node) {
        bytes memory c = Poseidon2.constants();
        node = _leaf(c, a);
        for (uint256 h = 0; h < 32; ++h) {
            node = _parent(c, node, path[h], (index >> h) & 1);
        }
    }

    function _leaf(bytes memory c, Account calldata a) private pure returns (uint256) {
        uint256 owner = Poseidon2.compress(c, _element(a.keyhash), uint160(a.exit));
        uint256 packed = uint256(a.token) | (uint256(a.nonce) << 16) | (uint256(a.balance) << 48)
            | (uint256(a.frozenUntil) << 176);
        return Poseidon2.compress(c, owner, packed);
    }

    /// @notice Root of the tree of limits above a token's leaf.
    function limitsRoot(Limits calldata l, uint16 token, uint256[16] calldata path) internal pure returns (uint256 node) {
        bytes memory c = Poseidon2.constants();
        node = Poseidon2.compress(c, TAG_LIMIT, 3);
        node = Poseidon2.compress(c, node, l.rate);
        node = Poseidon2.compress(c, node, l.burstSeconds);
        node = Poseidon2.compress(c, node, l.maxDelay);
        for (uint256 h = 0; h < 16; ++h) {
            node = _parent(c, node, path[h], (token >> h) & 1);
        }
    }

    /// @notice Root of a policy.
    function policyRoot(Policy memory p) internal pure returns (uint256 h) {
        bytes memory c = Poseidon2.constants();
        h = Poseidon2.compress(c, TAG_POLICY, 6);
        h = Poseidon2.compress(c, h, _element(p.guardianKeyhash));
        h = Poseidon2.compress(c, h, p.maxFreeze);
        h = Poseidon2.compress(c, h, p.cooldown);
        h = Poseidon2.compress(c, h, _element(p.feeKeyhash));
        h = Poseidon2.compress(c, h, uint160(p.feeExit));
        h = Poseidon2.compress(c, h, _element(p.limitsRoot));
    }

    function _parent(bytes memory c, uint256 node, uint256 sibling, uint256 right) private pure returns (uint256) {
        sibling = _element(sibling);
        return right == 0 ? Poseidon2.compress(c, node, sibling) : Poseidon2.compress(c, sibling, node);
    }

    function _element(uint256 word) private pure returns (uint256) {
        if (word >= Poseidon2.P) revert NotAnElement(word);
        return word;
    }
}
