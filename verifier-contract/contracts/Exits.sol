// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Blocks} from "./Blocks.sol";
import {Data} from "./Data.sol";

/// @title Claims of exits
/// @notice Pays the exits of finalized blocks, in any state of the contract: nothing stops a claim
/// but its release time.
abstract contract Exits is Blocks {
    uint256 private constant RECORD = 47;

    /// @notice Claimed exits of a block, 256 a word.
    mapping(uint256 number => mapping(uint256 word => uint256)) public claimed;

    event Claimed(uint256 indexed number, uint256 indexed position, address indexed to, uint16 token, uint256 amount);

    error NotFinalized(uint256 number);
    error RecordLength(uint256 length);
    error AlreadyClaimed(uint256 number, uint256 position);
    error WrongPath(uint256 number, uint256 position);

    /// @notice Pays an exit of a finalized block to its address, once, after its release time;
    /// open to anybody.
    /// @param number Number of the block.
    /// @param position Position of the record among the block's exits.
    /// @param count Number of exits of the block.
    /// @param record The 47 posted bytes.
    /// @param path Siblings from the leaf up; a level where the node has none is skipped.
    function claim(
        uint256 number,
        uint256 position,
        uint256 count,
        bytes calldata record,
        bytes32[] calldata path
    ) external nonReentrant {
        if (number == 0 || number > finalized) revert NotFinalized(number);
        if (record.length != RECORD) revert RecordLength(record.length);
        _checkPath(number, position, count, record, path);
        uint256 releaseTime = uint40(bytes5(record[22:27]));
        if (block.timestamp < releaseTime) revert TooEarly(releaseTime);
        uint256 bit = 1 << (position & 0xff);
        if (claimed[number][position >> 8] & bit != 0) revert AlreadyClaimed(number, position);
        claimed[number][position >> 8] |= bit;

        address to = address(bytes20(record[:20]));
        uint16 token = uint16(bytes2(record[20:22]));
        uint256 amount = uint128(bytes16(record[27:43]));
        emit Claimed(number, position, to, token, amount);
        _pay(to, token, amount);
    }

    function _checkPath(
        uint256 number,
        uint256 position,
        uint256 count,
        bytes calldata record,
        bytes32[] calldata path
    ) private view {
        if (position >= count) revert WrongPath(number, position);
        bytes32 node = Data.leaf(record);
        uint256 used = 0;
        uint256 i = position;
        // A wrong `count` gives a wrong shape, and so another root.
        for (uint256 n = count; n > 1; n = (n + 1) / 2) {
            if (i ^ 1 < n) {
                if (used == path.length) revert WrongPath(number, position);
                bytes32 sibling = path[used++];
                node = i & 1 == 0 ? Data.node(node, sibling) : Data.node(sibling, node);
            }
            i >>= 1;
        }
        if (used != path.length || node != blocks[number].exitRoot) revert WrongPath(number, position);
    }
}
