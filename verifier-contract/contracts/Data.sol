// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Posted data
/// @notice Reads the batches of a block from calldata in one pass: evaluates the word polynomial,
/// rolls the queue over the L1 records and collects the leaves of the exit tree
/// (docs/protocol.md, sections 6 and 8).
library Data {
    /// @dev Modulus of the BN254 scalar field.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    uint256 private constant COUNTS = 8;
    uint256 private constant L1 = 75;
    uint256 private constant L2 = 15;
    uint256 private constant EXIT = 47;
    uint256 private constant OWNER = 52;

    /// @dev Value of a block's word polynomial before its first batch. It is not 0, so that every
    /// batch counts, leading empty ones too.
    uint256 private constant Y_START = 1;

    /// @notice Data end inside a batch, or go on after the last one.
    /// @param expected Length at which the batches end, or the one that is read would.
    /// @param actual Length of the data.
    error DataLength(uint256 expected, uint256 actual);
    /// @notice A 32-byte word is not below the field modulus.
    /// @param offset Where it begins.
    error WordOutOfRange(uint256 offset);
    /// @notice An exit would wait longer than the contract allows any policy.
    /// @param latest Latest release time that is taken.
    /// @param releaseTime Release time of the exit.
    error ReleaseTooLate(uint256 latest, uint256 releaseTime);

    /// @notice What the data of a block come to.
    struct Summary {
        /// Value of the word polynomial.
        uint256 y;
        /// Number of L1 records.
        uint256 l1Count;
        /// Number of exits and their tree in one hash, 0 if nothing leaves.
        bytes32 exitRoot;
        /// Elements of blobs that the L2 and owner records take.
        uint256 elements;
    }

    /// @notice Reads `batches` batches.
    /// @param data Posted bytes.
    /// @param inBlobs Whether blobs hold the L2 and owner records, and the data their numbers alone.
    /// @param batches How many batches they hold.
    /// @param r Evaluation point.
    /// @param latest Latest release time that an exit may have.
    function read(bytes calldata data, bool inBlobs, uint256 batches, uint256 r, uint256 latest)
        internal
        pure
        returns (Summary memory s)
    {
        uint256 rho = _rho(r);
        uint256 y = Y_START;
        bytes32[] memory leaves = new bytes32[](data.length / EXIT + 1);
        uint256 all = 0;
        uint256 pos = 0;
        // Numbers have 16 bits, and every batch takes at least 8 bytes: nothing overflows.
        unchecked {
            for (uint256 b = 0; b < batches; ++b) {
                if (data.length < pos + COUNTS) revert DataLength(pos + COUNTS, data.length);
                uint256 counts = uint256(_word(data, pos)) >> 192;
                uint256 l1 = counts >> 48;
                uint256 l2 = (counts >> 32) & 0xffff;
                uint256 exits = (counts >> 16) & 0xffff;
                uint256 owners = counts & 0xffff;
                uint256 packed = l1 | (l2 << 16) | (exits << 32) | (owners << 48);
                if (inBlobs) {
                    // Four slots for an owner, 32 slots in 16 elements: a batch fills whole groups.
                    s.elements += (l2 + 4 * owners + 31) / 32 * 16;
                    (l2, owners) = (0, 0);
                }
                pos += COUNTS;
                uint256 next = pos + l1 * L1 + l2 * L2 + exits * EXIT + owners * OWNER;
                if (data.length < next) revert DataLength(next, data.length);

                // Section by section from the last one, each after a power of `rho`; most are empty.
                y = mulmod(y, rho, P);
                if (owners != 0) y = addmod(y, _owners(data, next - owners * OWNER, owners, r), P);
                y = mulmod(y, rho, P);
                if (exits != 0) {
                    uint256 from = next - owners * OWNER - exits * EXIT;
                    all = _leaves(data, from, exits, leaves, all, latest);
                    y = addmod(y, _exits(data, from, exits, r), P);
                }
                y = mulmod(y, rho, P);
                if (l2 != 0) y = addmod(y, _l2(data, pos + l1 * L1, l2, r), P);
                y = mulmod(y, rho, P);
                if (l1 != 0) {
                    s.l1Count += l1;
                    y = addmod(y, _l1(data, pos, l1, r), P);
                }
                y = addmod(mulmod(y, rho, P), packed, P);
                pos = next;
            }
        }
        if (pos != data.length) revert DataLength(pos, data.length);
        s.y = y;
        s.exitRoot = exitRoot(all, _root(leaves, all));
    }

    /// @dev The power of `r` that separates sections: 2^16.
    function _rho(uint256 r) private pure returns (uint256 rho) {
        rho = r;
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } {
                rho := mulmod(rho, rho, P)
                rho := mulmod(rho, rho, P)
                rho := mulmod(rho, rho, P)
                rho := mulmod(rho, rho, P)
            }
        }
    }

    /// @notice Roll of the queue after the L1 records of data that `read` has taken. Most blocks have
    /// none, and do without.
    /// @param data Posted bytes.
    /// @param inBlobs As for `read`.
    /// @param roll Roll of the queue before the block.
    function rolled(bytes calldata data, bool inBlobs, bytes32 roll) internal pure returns (bytes32) {
        for (uint256 pos = 0; pos < data.length;) {
            uint256 counts = uint256(_word(data, pos)) >> 192;
            uint256 l1 = counts >> 48;
            roll = _roll(data, pos + COUNTS, l1, roll);
            pos += COUNTS + l1 * L1 + ((counts >> 16) & 0xffff) * EXIT;
            if (!inBlobs) pos += ((counts >> 32) & 0xffff) * L2 + (counts & 0xffff) * OWNER;
        }
        return roll;
    }

    function _l1(bytes calldata data, uint256 pos, uint256 n, uint256 r) private pure returns (uint256 y) {
        for (uint256 end = pos + n * L1; pos < end; pos += L1) {
            uint256 keyhash = uint256(_word(data, pos + 23));
            if (keyhash >= P) revert WordOutOfRange(pos + 23);
            y = addmod(mulmod(y, r, P), uint256(_word(data, pos)) >> 72, P);
            y = addmod(mulmod(y, r, P), keyhash, P);
            y = addmod(mulmod(y, r, P), uint256(_word(data, pos + 55)) >> 96, P);
        }
    }

    function _l2(bytes calldata data, uint256 pos, uint256 n, uint256 r) private pure returns (uint256 y) {
        // The hot loop: one multiplication and one addition for a transfer.
        assembly ("memory-safe") {
            let p := add(data.offset, pos)
            for { let end := add(p, mul(n, 15)) } lt(p, end) { p := add(p, 15) } {
                y := addmod(mulmod(y, r, P), shr(136, calldataload(p)), P)
            }
        }
    }

    function _exits(bytes calldata data, uint256 pos, uint256 n, uint256 r) private pure returns (uint256 y) {
        for (uint256 end = pos + n * EXIT; pos < end; pos += EXIT) {
            y = addmod(mulmod(y, r, P), uint256(_word(data, pos)) >> 40, P);
            y = addmod(mulmod(y, r, P), uint256(_word(data, pos + 27)) >> 96, P);
        }
    }

    function _owners(bytes calldata data, uint256 pos, uint256 n, uint256 r) private pure returns (uint256 y) {
        for (uint256 end = pos + n * OWNER; pos < end; pos += OWNER) {
            uint256 keyhash = uint256(_word(data, pos));
            if (keyhash >= P) revert WordOutOfRange(pos);
            y = addmod(mulmod(y, r, P), keyhash, P);
            y = addmod(mulmod(y, r, P), uint256(_word(data, pos + 32)) >> 96, P);
        }
    }

    /// @dev The 32 bytes at an offset; the caller has checked that the wanted ones are in `data`.
    function _word(bytes calldata data, uint256 pos) private pure returns (bytes32 w) {
        assembly ("memory-safe") {
            w := calldataload(add(data.offset, pos))
        }
    }

    /// @dev Rolls the queue over L1 records; the index of a deposit is the operator's choice and
    /// counts as 0.
    function _roll(bytes calldata data, uint256 pos, uint256 n, bytes32 roll) private pure returns (bytes32) {
        // Each record in the same memory, behind what is allocated: many must not cost more than few.
        assembly ("memory-safe") {
            let m := mload(0x40)
            let p := add(data.offset, pos)
            for { let end := add(p, mul(n, 75)) } lt(p, end) { p := add(p, 75) } {
                mstore(m, roll)
                calldatacopy(add(m, 32), p, 75)
                if eq(byte(0, calldataload(p)), 1) { calldatacopy(add(m, 35), calldatasize(), 4) }
                roll := keccak256(m, 107)
            }
        }
        return roll;
    }

    function _leaves(
        bytes calldata data,
        uint256 pos,
        uint256 n,
        bytes32[] memory leaves,
        uint256 count,
        uint256 latest
    ) private pure returns (uint256) {
        for (uint256 end = pos + n * EXIT; pos < end; pos += EXIT) {
            uint256 releaseTime = uint40(uint256(_word(data, pos)) >> 40);
            if (releaseTime > latest) revert ReleaseTooLate(latest, releaseTime);
            leaves[count++] = leaf(data[pos:pos + EXIT]);
        }
        return count;
    }

    /// @notice Leaf of the exit tree.
    /// @param record The 47 posted bytes.
    function leaf(bytes calldata record) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            mstore(0, 0)
            calldatacopy(1, record.offset, 47)
            h := keccak256(0, 48)
        }
    }

    /// @notice Node of the exit tree.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 h) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore8(m, 1)
            mstore(add(m, 1), left)
            mstore(add(m, 33), right)
            h := keccak256(m, 65)
        }
    }

    /// @notice What is kept of a block's exits: the number fixes the shape of the tree, which nobody
    /// who opens it may choose.
    /// @param count Number of exits; at most one for 47 bytes of calldata, far below 2^32.
    /// @param treeRoot Root of the tree over them.
    function exitRoot(uint256 count, bytes32 treeRoot) internal pure returns (bytes32) {
        if (count == 0) return 0;
        return keccak256(abi.encodePacked(bytes1(0x02), uint32(count), treeRoot));
    }

    function _root(bytes32[] memory level, uint256 n) private pure returns (bytes32) {
        if (n == 0) return 0;
        while (n > 1) {
            uint256 half = n / 2;
            for (uint256 i = 0; i < half; ++i) {
                level[i] = node(level[2 * i], level[2 * i + 1]);
            }
            if (n % 2 == 1) level[half] = level[n - 1];
            n = half + n % 2;
        }
        return level[0];
    }
}
