// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "./Data.sol";
import {Governance} from "./Governance.sol";
import {Times} from "./Times.sol";
import {Bucket} from "./Bucket.sol";

/// @title Queue of deposits and forced exits
/// @notice Everything that users ask for on L1 stands in one queue, which blocks must process in
/// order. Entry `i` is bound by the roll after it: keccak256(previous roll, record).
abstract contract Queue is Bucket {
    /// @notice First index of users' accounts.
    uint32 public constant FIRST_USER = 1 << 17;
    /// @notice `Times.QUEUE_DEADLINE`, for wallets and operators.
    uint256 public constant QUEUE_DEADLINE = Times.QUEUE_DEADLINE;
    /// @notice `Times.MAX_RELEASE_DELAY`, for wallets and operators.
    uint256 public constant MAX_RELEASE_DELAY = Times.MAX_RELEASE_DELAY;
    /// @notice Operators, pause, policy and verifiers.
    Governance public immutable governance;

    /// @notice What is kept of a queue entry.
    struct Entry {
        /// Binds this entry and all before it.
        bytes32 roll;
        uint64 queuedAt;
    }

    /// @notice What goes on: everything; an alarm runs; users leave by themselves, for good.
    enum Phase {
        Calm,
        Alarm,
        Exodus
    }

    /// @notice What every block reads and changes, in one word of storage.
    struct State {
        /// Number of the last committed block.
        uint40 committed;
        /// Number of the last proven block; at most one after the last final one.
        uint40 proven;
        /// Number of the last final block.
        uint40 finalized;
        /// When a block became final last, or an alarm ended.
        uint40 finalizedAt;
        /// Time of the last committed block on L2.
        uint40 time;
        /// Queue entries processed after the last committed block.
        uint40 processed;
        Phase phase;
    }

    /// @notice Queue entries from 1 on; entry 0 is before the first.
    Entry[] public entries;
    /// @dev Where the rollup stands.
    State internal _state;
    /// @notice First block that an alarm put in doubt, 0 if none is.
    uint64 public doubted;
    /// @notice When the alarm was rung.
    uint64 public alarmedAt;
    /// @notice When the last alarm ended, 0 if none did.
    uint64 public resumedAt;

    /// @notice A deposit stands in the queue.
    /// @param entry Its number.
    /// @param from Who paid it.
    /// @param token Its token.
    /// @param amount Its amount.
    /// @param keyhash Key hash of the owner on L2.
    /// @param exit L1 address that can always get it out.
    event Deposited(
        uint256 indexed entry, address indexed from, uint16 token, uint128 amount, bytes32 keyhash, address exit
    );
    /// @notice A forced exit stands in the queue.
    /// @param entry Its number.
    /// @param exit Who asked for it, and would be paid.
    /// @param token Token of the account.
    /// @param index Index of the account.
    event ForcedExitRequested(uint256 indexed entry, address indexed exit, uint16 token, uint32 index);

    /// @notice A key hash is no element of the field: such a deposit could never be proven.
    /// @param keyhash The key hash.
    error KeyhashOutOfRange(uint256 keyhash);
    /// @notice A deposit without an exit address could never be forced out.
    error ZeroExit();
    /// @notice The index belongs to the system, not to a user.
    /// @param index The index.
    error SystemAccount(uint32 index);
    /// @notice Exodus has begun: only claims, departures and refunds go on.
    error InExodus();
    /// @notice An alarm runs: what it put in doubt stands still.
    /// @param number First block in doubt.
    error AlarmRuns(uint256 number);
    /// @notice Guardians paused commits and deposits.
    /// @param until When the pause ends.
    error IsPaused(uint256 until);
    /// @notice There is no contract at the address of the governance.
    /// @param governance The address.
    error NoGovernance(address governance);

    constructor(Governance governance_) {
        if (address(governance_).code.length == 0) revert NoGovernance(address(governance_));
        governance = governance_;
        entries.push(Entry(0, 0));
    }

    /// @notice Whether users leave by themselves, for good.
    function exodus() external view returns (bool) {
        return _state.phase == Phase.Exodus;
    }

    /// @notice Entries ever made.
    function queueLength() public view returns (uint256) {
        return entries.length - 1;
    }

    /// @notice Queues a deposit of exactly `amount`; a token that delivers another one is refused.
    /// @param token Number of the token, 0 for ETH.
    /// @param amount What to take; for ETH equal to the value sent.
    /// @param keyhash Hash of the owner's L2 key, below the field modulus.
    /// @param exit L1 address that can always get the funds out.
    function deposit(uint16 token, uint256 amount, uint256 keyhash, address exit)
        external
        payable
        nonReentrant
    {
        _requireCalm(_state.phase);
        _requireNoPause(governance.pausedUntil());
        if (keyhash >= Data.P) revert KeyhashOutOfRange(keyhash);
        if (exit == address(0)) revert ZeroExit();
        _collectFrom(token, amount);
        uint256 entry = _enqueue(depositRecord(token, uint128(amount), keyhash, exit));
        emit Deposited(entry, msg.sender, token, uint128(amount), bytes32(keyhash), exit);
    }

    /// @notice Asks for the whole balance of an account whose exit address is the sender. A request
    /// that does not match the account is processed as a no-op.
    function requestForcedExit(uint32 index, uint16 token) external {
        _requireLive(_state.phase);
        if (index < FIRST_USER) revert SystemAccount(index);
        if (token >= tokens.length) revert UnknownToken(token);
        uint256 entry = _enqueue(abi.encodePacked(uint8(2), token, index, uint128(0), uint256(0), msg.sender));
        emit ForcedExitRequested(entry, msg.sender, token, index);
    }

    /// @notice The record of a deposit as the queue binds it.
    function depositRecord(uint16 token, uint128 amount, uint256 keyhash, address exit)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(1), token, uint32(0), amount, keyhash, exit);
    }

    function _requireLive(Phase phase) internal pure {
        if (phase == Phase.Exodus) revert InExodus();
    }

    function _requireCalm(Phase phase) internal view {
        _requireLive(phase);
        if (phase == Phase.Alarm) revert AlarmRuns(doubted);
    }

    /// @dev Requires that no alarm puts a block in doubt, nor one before it.
    function _requireNoDoubt(Phase phase, uint256 number) internal view {
        if (phase == Phase.Alarm && number >= doubted) revert AlarmRuns(doubted);
    }

    /// @param until When the last pause ends.
    function _requireNoPause(uint256 until) internal view {
        if (block.timestamp < until) revert IsPaused(until);
    }

    function _enqueue(bytes memory record) private returns (uint256 entry) {
        entry = entries.length;
        entries.push(Entry(keccak256(abi.encodePacked(entries[entry - 1].roll, record)), uint64(block.timestamp)));
    }
}
