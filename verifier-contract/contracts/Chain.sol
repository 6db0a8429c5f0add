// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "./Blockbook.sol";
import {IBlocks} from "./IBlocks.sol";
import {Statements} from "./Statements.sol";
import {Times} from "./Times.sol";

/// @title The chain of blocks
/// @notice What is kept of each block, and of the roots no more than can still be needed: that of the
/// last final block, of a proven one after it, of the last committed one, and the root before a block
/// in doubt. What a block says is kept as a hash, whose content whoever calls brings.
abstract contract Chain is Statements, IBlocks {
    using Blockbook for Blockbook.Book;

    /// @notice Root before the first block.
    uint256 public immutable genesisRoot;
    /// @dev keccak256(inputs hash, exit root) of blocks from 1 on. Those above `committed` were taken back.
    mapping(uint256 number => bytes32) internal _records;
    /// @dev What else is kept of them; block 0 is genesis.
    Blockbook.Book private _book;
    /// @dev Root of the last final block.
    uint256 internal _finalRoot;
    /// @dev Root of the last proven block, if it is not final.
    uint256 internal _provenRoot;
    /// @dev Root of the last committed block, if it is not proven.
    uint256 internal _committedRoot;
    /// @notice That blocks were taken back.
    struct Taken {
        /// The last block that stayed.
        uint64 to;
        /// When.
        uint64 when;
    }

    /// @notice Each time that blocks were taken back.
    Taken[] public override reverts;

    /// @notice The state root is that of a block.
    /// @param number Its number.
    /// @param newRoot The root.
    event Finalized(uint256 indexed number, uint256 newRoot);
    /// @notice Blocks are taken back: unproven ones, or those that an alarm put in doubt. Also when somebody other
    /// than an operator brings a block, even if it takes none back: what operators promised about blocks after `to`
    /// does not bind them any more.
    /// @param from The last one.
    /// @param to The last one that stays.
    event Reverted(uint256 indexed from, uint256 indexed to);

    /// @notice The public inputs or the root of the exits are not those of the block.
    /// @param number Its number.
    error WrongInputs(uint256 number);
    /// @notice The time for this has not come.
    /// @param earliest When it comes.
    error TooEarly(uint256 earliest);

    constructor(uint256 genesisRoot_) {
        _requireElement(genesisRoot_);
        (genesisRoot, _finalRoot) = (genesisRoot_, genesisRoot_);
        uint40 time = uint40(block.timestamp);
        // The first block may have been made before, like any other.
        uint40 lag = uint40(Times.MAX_CLOCK_LAG);
        uint40 earliest = time > lag ? time - lag : 0;
        _write(0, Blockbook.Block(time, earliest, 0, time, 0));
        (_state.finalizedAt, _state.time) = (time, earliest);
    }

    /// @notice Number of the last committed block. Taking commits back lowers it, whatever their
    /// number: an operator must not be able to make that too dear for others.
    function committed() external view returns (uint64) {
        return _state.committed;
    }

    /// @notice Number of the last proven block.
    function proven() external view returns (uint64) {
        return _state.proven;
    }

    /// @notice Number of the last finalized block.
    function finalized() external view returns (uint64) {
        return _state.finalized;
    }

    /// @notice When a block became final last, or an alarm ended.
    function finalizedAt() external view returns (uint64) {
        return _state.finalizedAt;
    }

    /// @notice The finalized state root.
    function stateRoot() external view returns (uint256) {
        return _finalRoot;
    }

    /// @notice Root of the last committed block, from which the next one starts.
    function committedRoot() external view returns (uint256) {
        return _lastRoot(_state);
    }

    /// @notice What is kept of a block; block 0 is genesis. Those above `committed` were taken back.
    /// @param number Its number.
    /// @return record keccak256 of inputs hash and root of the exits, as `blockInputs` has it.
    /// @return time Its time on L2.
    /// @return committedAt When it was committed.
    /// @return processed Queue entries processed after it.
    /// @return finalAt When it became final, 0 before.
    /// @return circuit Number that governance gave the circuit of its proof, 0 before.
    function blocks(uint256 number)
        external
        view
        returns (bytes32 record, uint64 time, uint64 committedAt, uint64 processed, uint64 finalAt, uint16 circuit)
    {
        Blockbook.Block memory b = _block(number);
        return (
            _records[number],
            uint64(b.time),
            uint64(b.committedAt),
            uint64(b.processed),
            uint64(b.finalizedAt),
            uint16(b.circuit)
        );
    }

    /// @notice What a final block says, for ever, to other contracts. They take the sixteen public
    /// inputs and the root of the block's exits (`exitRoot` of `Committed`, 0 if nothing leaves), and
    /// compare `keccak256(abi.encode(keccak256(abi.encode(inputs)), exitRoot))`, where `inputs` is a
    /// `uint256[16]`. A block that has been final for less than `MAX_RELEASE_DELAY` may still be taken back;
    /// one that an alarm puts in doubt is not shown.
    /// @param number Number of the block.
    /// @return record The hash; 0 if the block is not final, or in doubt.
    /// @return finalAt When it became final; 0 if it is not, or in doubt.
    function blockInputs(uint256 number) external view override returns (bytes32 record, uint64 finalAt) {
        if (number == 0 || number > _state.finalized) return (0, 0);
        if (_state.phase == Phase.Alarm && number >= doubted) return (0, 0);
        return (_records[number], uint64(_block(number).finalizedAt));
    }

    /// @notice How often blocks were taken back.
    function revertCount() external view override returns (uint256) {
        return reverts.length;
    }

    function _block(uint256 number) internal view returns (Blockbook.Block memory) {
        return _book.read(number);
    }

    function _write(uint256 number, Blockbook.Block memory b) internal {
        _book.write(number, b);
    }

    function _lastRoot(State memory s) internal view returns (uint256) {
        if (s.committed > s.proven) return _committedRoot;
        return s.proven > s.finalized ? _provenRoot : _finalRoot;
    }

    /// @dev The record of a block. The inputs bind the data, and these the exits.
    function _recordOf(uint256[16] memory inputs, bytes32 exitRoot) internal pure returns (bytes32 record) {
        assembly ("memory-safe") {
            mstore(0, keccak256(inputs, 512))
            mstore(32, exitRoot)
            record := keccak256(0, 64)
        }
    }

    function _requireInputs(uint256 number, uint256[16] memory inputs, bytes32 exitRoot) internal view {
        if (_recordOf(inputs, exitRoot) != _records[number]) revert WrongInputs(number);
    }

    function _requireTime(uint256 earliest) internal view {
        if (block.timestamp < earliest) revert TooEarly(earliest);
    }

    /// @dev Makes the one block final that may be proven and is not final.
    function _finalizePending(State memory s) internal {
        if (s.proven == s.finalized) return;
        Blockbook.Block memory b = _block(s.proven);
        b.finalizedAt = block.timestamp;
        _write(s.proven, b);
        _finalized(s, _provenRoot);
    }

    /// @dev Notes that the next block is final: the last proven one.
    function _finalized(State memory s, uint256 newRoot) internal {
        (s.finalized, s.finalizedAt) = (s.proven, uint40(block.timestamp));
        _finalRoot = newRoot;
        emit Finalized(s.proven, newRoot);
    }

    /// @dev Takes back every block above `to`, whatever was reached for it. If `to` is before the last
    /// final one, whoever calls knows its root.
    function _takeBack(State memory s, uint256 to) internal {
        emit Reverted(s.committed, to);
        reverts.push(Taken(uint64(to), uint64(block.timestamp)));
        Blockbook.Block memory b = _block(to);
        (s.committed, s.time, s.processed) = (uint40(to), uint40(b.time), uint40(b.processed));
        if (s.proven > to) s.proven = uint40(to);
        if (s.finalized > to) s.finalized = uint40(to);
    }

    /// @dev Whether the first entry after `processed` ones is older than `age`.
    function _waitsLonger(uint256 processed, uint256 age) internal view returns (bool) {
        uint256 next = processed + 1;
        return next < entries.length && block.timestamp > entries[next].queuedAt + age;
    }
}
