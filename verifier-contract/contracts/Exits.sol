// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "./Blockbook.sol";
import {Blocks} from "./Blocks.sol";
import {Data} from "./Data.sol";
import {Times} from "./Times.sol";

/// @title Claims of exits
/// @notice Pays the exits of finalized blocks, in any state of the contract: nothing stops a claim
/// for longer than `MAX_RELEASE_DELAY` after its block became final, but an alarm about it.
abstract contract Exits is Blocks {
    uint256 private constant RECORD = 47;

    /// @dev Claimed exits by the record of their block, which binds data and exits: the same block
    /// under another number, or after it was taken back, is the same here.
    mapping(bytes32 record => mapping(uint256 word => uint256)) private _claimed;

    /// @notice An exit is paid, or owed if it could not be.
    /// @param number Number of its block.
    /// @param position Its position among the block's exits.
    /// @param to Who is paid.
    /// @param token In which token.
    /// @param amount How much.
    event Claimed(uint256 indexed number, uint256 indexed position, address indexed to, uint16 token, uint256 amount);

    /// @notice The block is not final.
    /// @param number Its number.
    error NotFinalized(uint256 number);
    /// @notice An exit record has 47 bytes.
    /// @param length Length of what was given.
    error RecordLength(uint256 length);
    /// @notice The exit was paid.
    /// @param number Number of its block.
    /// @param position Its position.
    error AlreadyClaimed(uint256 number, uint256 position);
    /// @notice Inputs, count, position, record and path do not lead to what the block's data gave.
    /// @param number Number of the block.
    /// @param position The position.
    error WrongPath(uint256 number, uint256 position);

    /// @notice Which exits of a block were claimed, 256 a word, the first in the lowest bit.
    function claimed(uint256 number, uint256 word) external view returns (uint256) {
        return _claimed[_records[number]][word];
    }

    /// @notice Pays an exit of a finalized block to its address, once, after its release; open to
    /// anybody. What the limiter lets wait is counted from the commit: `release time - block time`
    /// after it. Then the exit is paid if the token's bucket has room, and anyhow `MAX_RELEASE_DELAY`
    /// after the block became final.
    /// @param number Number of the block.
    /// @param inputsHash keccak256 of the block's public inputs.
    /// @param position Position of the record among the block's exits.
    /// @param count Number of exits of the block.
    /// @param record The 47 posted bytes.
    /// @param path Siblings from the leaf up; a level where the node has none is skipped.
    function claim(
        uint256 number,
        bytes32 inputsHash,
        uint32 position,
        uint32 count,
        bytes calldata record,
        bytes32[] calldata path
    ) external nonReentrant {
        State memory s = _state;
        if (number == 0 || number > s.finalized) revert NotFinalized(number);
        _requireNoDoubt(s.phase, number);
        if (record.length != RECORD) revert RecordLength(record.length);
        bytes32 kept = _records[number];
        if (!_leads(kept, inputsHash, position, count, record, path)) revert WrongPath(number, position);
        uint256 latest = _checkRelease(_block(number), uint40(bytes5(record[22:27])));
        mapping(uint256 => uint256) storage words = _claimed[kept];
        uint256 bit = 1 << (position & 0xff);
        if (words[position >> 8] & bit != 0) revert AlreadyClaimed(number, position);
        words[position >> 8] |= bit;

        address to = address(bytes20(record[:20]));
        uint16 token = uint16(bytes2(record[20:22]));
        uint256 amount = uint128(bytes16(record[27:43]));
        if (block.timestamp < latest) _fill(token, amount, latest);
        emit Claimed(number, position, to, token, amount);
        _pay(to, token, amount);
    }

    /// @dev Requires that an exit is released; returns when nothing delays it any more.
    function _checkRelease(Blockbook.Block memory b, uint256 releaseTime) private view returns (uint256) {
        // A proof holds that it is not before the block's time; without one it waits for nothing.
        uint256 wait = releaseTime > b.time ? releaseTime - b.time : 0;
        _requireTime(b.committedAt + wait);
        return b.finalizedAt + Times.MAX_RELEASE_DELAY;
    }

    /// @dev Whether inputs, count, position, record and path lead to what was kept of the block.
    function _leads(
        bytes32 kept,
        bytes32 inputsHash,
        uint256 position,
        uint256 count,
        bytes calldata record,
        bytes32[] calldata path
    ) private pure returns (bool) {
        if (position >= count) return false;
        bytes32 node = Data.leaf(record);
        uint256 used = 0;
        // The root binds `count`, and `count` the shape: which levels have a sibling, on which side.
        for (uint256 n = count; n > 1; n = (n + 1) / 2) {
            if (position ^ 1 < n) {
                if (used == path.length) return false;
                bytes32 sibling = path[used++];
                node = position & 1 == 0 ? Data.node(node, sibling) : Data.node(sibling, node);
            }
            position >>= 1;
        }
        return used == path.length && keccak256(abi.encode(inputsHash, Data.exitRoot(count, node))) == kept;
    }
}
