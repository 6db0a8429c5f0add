// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "./Governor.sol";

/// @title Operators
/// @notice They are trusted with nothing but order and speed, and the deadlines of the rollup hold
/// for all of them together, so that changing them needs no delay.
abstract contract Operators is Governor {
    /// @notice Who may commit at any time.
    mapping(address account => bool) public operators;

    /// @notice An account may commit, or no longer.
    /// @param operator The account.
    /// @param allowed Whether it may.
    event OperatorSet(address indexed operator, bool allowed);

    /// @notice Lets an account commit, or no longer.
    function setOperator(address operator, bool allowed) external onlyGovernor {
        _setOperator(operator, allowed);
    }

    function _setOperator(address operator, bool allowed) internal {
        operators[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }
}
