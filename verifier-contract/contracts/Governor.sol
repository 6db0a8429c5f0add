// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

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

    /// @notice The next governor is named, and must accept.
    /// @param next Who; 0 takes an earlier name back.
    event GovernorNamed(address indexed next);
    /// @notice There is another governor.
    /// @param governor Who.
    event GovernorChanged(address indexed governor);
    /// @notice An announcement was taken back.
    /// @param change Hash of the change.
    event ChangeCancelled(bytes32 indexed change);

    /// @notice Only the governor, or the one named next, may do this.
    /// @param sender Who tried.
    error NotGovernor(address sender);
    /// @notice The change is not announced, or was made already.
    /// @param change Its hash.
    error NotAnnounced(bytes32 change);
    /// @notice The change is announced and not void yet.
    /// @param change Its hash.
    error AlreadyAnnounced(bytes32 change);
    /// @notice The change was not made in time, and needs another announcement.
    /// @param since When it became void.
    error ChangeExpired(uint256 since);
    /// @notice The change must wait.
    /// @param earliest When it may be made.
    error TooEarly(uint256 earliest);
    /// @notice The first governor is nobody.
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
