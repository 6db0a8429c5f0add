// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Data} from "./Data.sol";
import {Governance} from "./Governance.sol";
import {Times} from "./Times.sol";
import {Vault} from "./Vault.sol";

/// @title Queue of deposits and forced exits
/// @notice Everything that users ask for on L1 stands in one queue, which blocks must process in
/// order. Entry `i` is bound by the roll after it: keccak256(previous roll, record).
abstract contract Queue is Vault {
    /// @notice First index of users' accounts.
    uint32 public constant FIRST_USER = 1 << 17;
    /// @notice See `Times`; wallets and operators read them here.
    uint256 public constant QUEUE_DEADLINE = Times.QUEUE_DEADLINE;
    uint256 public constant MAX_RELEASE_DELAY = Times.MAX_RELEASE_DELAY;
    /// @notice Operators, pause, policy and verifiers.
    Governance public immutable governance;

    struct Entry {
        bytes32 roll;
        uint64 queuedAt;
    }

    /// @notice Queue entries from 1 on; entry 0 is before the first.
    Entry[] public entries;
    /// @notice Whether users leave by themselves, for good: the root never moves again.
    bool public exodus;

    event Deposited(
        uint256 indexed entry, address indexed from, uint16 token, uint128 amount, bytes32 keyhash, address exit
    );
    event ForcedExitRequested(uint256 indexed entry, address indexed exit, uint16 token, uint32 index);

    error KeyhashOutOfRange(uint256 keyhash);
    error ZeroExit();
    error SystemAccount(uint32 index);
    error InExodus();
    error IsPaused(uint256 until);
    error NoGovernance(address governance);

    modifier whenLive() {
        if (exodus) revert InExodus();
        _;
    }

    modifier whenNotPaused() {
        uint256 until = governance.pausedUntil();
        if (block.timestamp < until) revert IsPaused(until);
        _;
    }

    constructor(Governance governance_) {
        if (address(governance_).code.length == 0) revert NoGovernance(address(governance_));
        governance = governance_;
        entries.push(Entry(0, 0));
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
        whenLive
        whenNotPaused
    {
        if (keyhash >= Data.P) revert KeyhashOutOfRange(keyhash);
        if (exit == address(0)) revert ZeroExit();
        _collectFrom(token, amount);
        uint256 entry = _enqueue(depositRecord(token, uint128(amount), keyhash, exit));
        emit Deposited(entry, msg.sender, token, uint128(amount), bytes32(keyhash), exit);
    }

    /// @notice Asks for the whole balance of an account whose exit address is the sender. A request
    /// that does not match the account is processed as a no-op.
    function requestForcedExit(uint32 index, uint16 token) external whenLive {
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

    function _enqueue(bytes memory record) private returns (uint256 entry) {
        entry = entries.length;
        entries.push(Entry(keccak256(abi.encodePacked(entries[entry - 1].roll, record)), uint64(block.timestamp)));
    }
}
