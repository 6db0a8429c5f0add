// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {L2State} from "../contracts/L2State.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";

/// A state tree with eight accounts at the first indices that users have, everything else empty.
abstract contract L2Tree {
    uint32 internal constant FIRST = 1 << 17;
    uint256 internal constant SLOTS = 8;

    uint256[33] private empty;

    constructor() {
        bytes memory c = Poseidon2.constants();
        for (uint256 h = 0; h < 32; ++h) {
            empty[h + 1] = Poseidon2.compress(c, empty[h], empty[h]);
        }
    }

    function leafOf(L2State.Account calldata account) external pure returns (uint256) {
        return L2State.leaf(account);
    }

    function rootOf(uint256[SLOTS] memory leaves) internal view returns (uint256 node) {
        (node,) = walk(leaves, 0);
    }

    function pathOf(uint256[SLOTS] memory leaves, uint256 slot) internal view returns (uint256[32] memory path) {
        (, path) = walk(leaves, slot);
    }

    function walk(uint256[SLOTS] memory leaves, uint256 slot)
        private
        view
        returns (uint256 node, uint256[32] memory path)
    {
        bytes memory c = Poseidon2.constants();
        uint256[SLOTS] memory level;
        for (uint256 i = 0; i < SLOTS; ++i) {
            level[i] = leaves[i];
        }
        uint256 n = SLOTS;
        uint256 h = 0;
        for (; n > 1; ++h) {
            path[h] = level[(slot >> h) ^ 1];
            n /= 2;
            for (uint256 i = 0; i < n; ++i) {
                level[i] = Poseidon2.compress(c, level[2 * i], level[2 * i + 1]);
            }
        }
        node = level[0];
        for (; h < 32; ++h) {
            path[h] = empty[h];
            // Above the eight accounts the path turns right once: FIRST is 2^17.
            node = h == 17 ? Poseidon2.compress(c, empty[h], node) : Poseidon2.compress(c, node, empty[h]);
        }
    }
}
