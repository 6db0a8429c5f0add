// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What is kept of blocks
/// @notice Two blocks share a word for times and numbers, since a new word of storage is most of what a
/// block costs beside its proof. What does not fit its place is refused, never cut.
library Blockbook {
    /// @dev Bits of each part, from the lowest; together they are half a word. Times fit until the year
    /// 2242, and a queue of 2^37 entries takes L1 a century.
    uint256 private constant HALF = 128;
    uint256 private constant COMMITTED = 33;
    uint256 private constant LAG = 17;
    uint256 private constant PROCESSED = 37;
    uint256 private constant FINAL = 33;
    uint256 private constant CIRCUIT = 8;
    /// @notice Largest number of a circuit.
    uint256 internal constant MAX_CIRCUIT = (1 << CIRCUIT) - 1;

    /// @notice A block.
    struct Block {
        /// When it was committed.
        uint256 committedAt;
        /// Its time on L2; at most `Times.MAX_CLOCK_LAG` before the commit.
        uint256 time;
        /// Queue entries processed after it.
        uint256 processed;
        /// When it became final, 0 before.
        uint256 finalizedAt;
        /// Number of the circuit whose verifier accepted its proof, 0 before.
        uint256 circuit;
    }

    /// @notice Blocks by number, two in a word.
    struct Book {
        mapping(uint256 pair => uint256) words;
    }

    /// @notice A number is too large for its place.
    /// @param value The number.
    error DoesNotFit(uint256 value);

    /// @notice Reads a block.
    function read(Book storage book, uint256 number) internal view returns (Block memory b) {
        unchecked {
            uint256 word = book.words[number >> 1] >> ((number & 1) * HALF);
            b.committedAt = word & ((1 << COMMITTED) - 1);
            b.time = b.committedAt - ((word >> COMMITTED) & ((1 << LAG) - 1));
            b.processed = (word >> (COMMITTED + LAG)) & ((1 << PROCESSED) - 1);
            b.finalizedAt = (word >> (COMMITTED + LAG + PROCESSED)) & ((1 << FINAL) - 1);
            b.circuit = (word >> (COMMITTED + LAG + PROCESSED + FINAL)) & MAX_CIRCUIT;
        }
    }

    /// @notice Writes a block, in the place of what had its number.
    function write(Book storage book, uint256 number, Block memory b) internal {
        uint256 half = _part(b.committedAt, COMMITTED);
        half |= _part(b.committedAt - b.time, LAG) << COMMITTED;
        half |= _part(b.processed, PROCESSED) << (COMMITTED + LAG);
        half |= _part(b.finalizedAt, FINAL) << (COMMITTED + LAG + PROCESSED);
        half |= _part(b.circuit, CIRCUIT) << (COMMITTED + LAG + PROCESSED + FINAL);
        uint256 shift = (number & 1) * HALF;
        uint256 other = book.words[number >> 1] & ~(uint256(type(uint128).max) << shift);
        book.words[number >> 1] = other | (half << shift);
    }

    function _part(uint256 value, uint256 bits) private pure returns (uint256) {
        if (value >> bits != 0) revert DoesNotFit(value);
        return value;
    }
}
