// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Data} from "./Data.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @title Queue of deposits and forced exits
/// @notice Everything that users ask for on L1 stands in one queue, which blocks must process in
/// order. Entry `i` is bound by the roll after it: keccak256(previous roll, record).
abstract contract Queue is ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @notice First index of users' accounts.
    uint32 public constant FIRST_USER = 1 << 17;

    /// @notice Contract of each token; token 0 is ETH.
    address[] public tokens;
    /// @notice Number of a registered token.
    mapping(address => uint16) public tokenId;
    /// @notice Held for L2, by token; stays below 2^128 so that no L2 balance can overflow.
    mapping(uint16 => uint256) public held;
    /// @notice Roll after each entry; `rolls[0]` is before the first.
    bytes32[] public rolls;
    /// @notice When each entry was made; index as in `rolls`.
    uint64[] public queuedAt;

    event TokenRegistered(uint16 indexed token, address indexed erc20);
    event Deposited(
        uint256 indexed entry, address indexed from, uint16 token, uint128 amount, bytes32 keyhash, address exit
    );
    event ForcedExitRequested(uint256 indexed entry, address indexed exit, uint16 token, uint32 index);

    error UnknownToken(uint16 token);
    error AlreadyRegistered(address erc20);
    error NotAContract(address account);
    error TooManyTokens();
    error ZeroAmount();
    error WrongValue(uint256 sent, uint256 amount);
    error AmountTooLarge(uint256 total);
    error KeyhashOutOfRange(uint256 keyhash);
    error ZeroExit();
    error SystemAccount(uint32 index);

    constructor() {
        tokens.push(address(0));
        rolls.push(0);
        queuedAt.push(0);
    }

    /// @notice Entries ever made.
    function queueLength() public view returns (uint256) {
        return rolls.length - 1;
    }

    /// @notice Gives an ERC-20 a number; open to anybody.
    function registerToken(address erc20) external returns (uint16 token) {
        if (erc20.code.length == 0) revert NotAContract(erc20);
        if (tokenId[erc20] != 0) revert AlreadyRegistered(erc20);
        if (tokens.length > type(uint16).max) revert TooManyTokens();
        token = uint16(tokens.length);
        tokens.push(erc20);
        tokenId[erc20] = token;
        emit TokenRegistered(token, erc20);
    }

    /// @notice Queues a deposit. What counts is what arrives: a token that keeps a fee credits less.
    /// @param token Number of the token, 0 for ETH.
    /// @param amount What to take; for ETH equal to the value sent.
    /// @param keyhash Hash of the owner's L2 key, below the field modulus.
    /// @param exit L1 address that can always get the funds out.
    function deposit(uint16 token, uint256 amount, uint256 keyhash, address exit) external payable nonReentrant {
        if (keyhash >= Data.P) revert KeyhashOutOfRange(keyhash);
        if (exit == address(0)) revert ZeroExit();
        uint256 arrived = _take(token, amount);
        if (arrived == 0) revert ZeroAmount();
        uint256 total = held[token] + arrived;
        if (total > type(uint128).max) revert AmountTooLarge(total);
        held[token] = total;
        _enqueue(abi.encodePacked(uint8(1), token, uint32(0), uint128(arrived), keyhash, exit));
        emit Deposited(queueLength(), msg.sender, token, uint128(arrived), bytes32(keyhash), exit);
    }

    /// @notice Asks for the whole balance of an account whose exit address is the sender. A request
    /// that does not match the account is processed as a no-op.
    function requestForcedExit(uint32 index, uint16 token) external {
        if (index < FIRST_USER) revert SystemAccount(index);
        if (token >= tokens.length) revert UnknownToken(token);
        _enqueue(abi.encodePacked(uint8(2), token, index, uint128(0), uint256(0), msg.sender));
        emit ForcedExitRequested(queueLength(), msg.sender, token, index);
    }

    function _take(uint16 token, uint256 amount) private returns (uint256) {
        if (token == 0) {
            if (msg.value != amount) revert WrongValue(msg.value, amount);
            return amount;
        }
        if (token >= tokens.length) revert UnknownToken(token);
        if (msg.value != 0) revert WrongValue(msg.value, 0);
        IERC20 erc20 = IERC20(tokens[token]);
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransferFrom(msg.sender, address(this), amount);
        return erc20.balanceOf(address(this)) - before;
    }

    function _enqueue(bytes memory record) private {
        rolls.push(keccak256(abi.encodePacked(rolls[rolls.length - 1], record)));
        queuedAt.push(uint64(block.timestamp));
    }
}
