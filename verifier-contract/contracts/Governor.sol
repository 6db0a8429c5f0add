// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Times} from "./Times.sol";

/// @title The governor and its delays
/// @notice Whatever could harm users is announced for longer than leaving takes, and expires if it
/// is not taken up: nothing can be announced early and kept for a surprise.
abstract contract Governor {
    /// @notice Who may announce changes.
    address public governor;
    /// @notice Who may become governor by accepting.
    address public nextGovernor;
    /// @notice When an announced change may be made; 0 if it is not announced.
    mapping(bytes32 change => uint256) public readyAt;

    event GovernorNamed(address indexed next);
    event GovernorChanged(address indexed governor);
    event ChangeCancelled(bytes32 indexed change);

    error NotGovernor(address sender);
    error NotAnnounced(bytes32 change);
    error AlreadyAnnounced(bytes32 change);
    error ChangeExpired(uint256 since);
    error TooEarly(uint256 earliest);
    error ZeroAddress();

    modifier onlyGovernor() {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        _;
    }

    function _initGovernor(address governor_) internal {
        if (governor_ == address(0)) revert ZeroAddress();
        governor = governor_;
        emit GovernorChanged(governor_);
    }

    /// @notice Names the next governor, who must accept.
    function nameGovernor(address next) external onlyGovernor {
        nextGovernor = next;
        emit GovernorNamed(next);
    }

    /// @notice Takes over as governor.
    function acceptGovernor() external {
        if (msg.sender != nextGovernor) revert NotGovernor(msg.sender);
        governor = msg.sender;
        nextGovernor = address(0);
        emit GovernorChanged(msg.sender);
    }

    /// @notice Takes an announcement back.
    function cancelChange(bytes32 change) external onlyGovernor {
        if (readyAt[change] == 0) revert NotAnnounced(change);
        readyAt[change] = 0;
        emit ChangeCancelled(change);
    }

    function _announce(bytes32 change) internal onlyGovernor returns (uint256 ready) {
        uint256 pending = readyAt[change];
        if (pending != 0 && block.timestamp <= pending + Times.UPGRADE_GRACE) revert AlreadyAnnounced(change);
        ready = block.timestamp + Times.UPGRADE_DELAY;
        readyAt[change] = ready;
    }

    function _take(bytes32 change) internal {
        uint256 ready = readyAt[change];
        if (ready == 0) revert NotAnnounced(change);
        if (block.timestamp < ready) revert TooEarly(ready);
        if (block.timestamp > ready + Times.UPGRADE_GRACE) revert ChangeExpired(ready + Times.UPGRADE_GRACE);
        readyAt[change] = 0;
    }
}
