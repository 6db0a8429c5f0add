// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @title Tokens and what is held of them
/// @notice Takes exactly what was announced, and pays so that a receiver who refuses stops nobody
/// but himself: what he refuses is owed to him.
abstract contract Vault is ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @notice Contract of each token; token 0 is ETH.
    address[] public tokens;
    /// @notice Number of a registered token.
    mapping(address erc20 => uint16) public tokenId;
    /// @notice Held by token, owed amounts among it; below 2^128, so that no L2 balance overflows.
    mapping(uint16 token => uint256) public held;
    /// @notice What could not be paid.
    mapping(address account => mapping(uint16 token => uint256)) public owed;

    /// @notice A token has a number from now on.
    /// @param token Its number.
    /// @param erc20 Its contract.
    event TokenRegistered(uint16 indexed token, address indexed erc20);
    /// @notice A payment did not arrive: the account may collect it.
    /// @param account Who was to be paid.
    /// @param token In which token.
    /// @param amount How much.
    event Owed(address indexed account, uint16 indexed token, uint256 amount);
    /// @notice What was owed is paid.
    /// @param account To whom it was owed.
    /// @param token In which token.
    /// @param amount How much.
    /// @param to Who received it.
    event Collected(address indexed account, uint16 indexed token, uint256 amount, address to);

    /// @notice No token has this number.
    /// @param token The number.
    error UnknownToken(uint16 token);
    /// @notice The token has a number already.
    /// @param erc20 Its contract.
    error AlreadyRegistered(address erc20);
    /// @notice There is no contract at the address.
    /// @param account The address.
    error NotAContract(address account);
    /// @notice Every number is taken.
    error TooManyTokens();
    /// @notice There is nothing to pay.
    error ZeroAmount();
    /// @notice A deposit sends its amount in ETH, and no ETH with another token.
    /// @param sent Wei that came with the call.
    /// @param amount Wei that had to.
    error WrongValue(uint256 sent, uint256 amount);
    /// @notice The rollup would hold 2^128 of a token or more.
    /// @param held What it holds.
    /// @param amount What was to come.
    error AmountTooLarge(uint256 held, uint256 amount);
    /// @notice A token delivered another amount than it was asked for.
    /// @param amount What it was asked for.
    /// @param arrived What arrived.
    error WrongArrival(uint256 amount, uint256 arrived);
    /// @notice The books hold less of a token than is to be paid.
    /// @param token The token.
    /// @param held What they hold.
    /// @param amount What was to be paid.
    error HeldTooLittle(uint16 token, uint256 held, uint256 amount);
    /// @notice Only the account itself sends what it is owed elsewhere.
    /// @param sender Who tried.
    error NotTheOwner(address sender);
    /// @notice The receiver refused, or the token did.
    /// @param to The receiver.
    error TransferFailed(address to);

    constructor() {
        tokens.push(address(0));
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

    /// @notice Pays what is owed: to the account itself for anybody, elsewhere for itself alone.
    function collect(address account, uint16 token, address to) external nonReentrant {
        if (to != account && msg.sender != account) revert NotTheOwner(msg.sender);
        uint256 amount = owed[account][token];
        if (amount == 0) revert ZeroAmount();
        owed[account][token] = 0;
        _setHeld(token, held[token] - amount);
        emit Collected(account, token, amount, to);
        if (!_send(to, token, amount)) revert TransferFailed(to);
    }

    /// @dev Takes `amount` from the sender. A token that keeps a fee, or lies, is refused.
    function _collectFrom(uint16 token, uint256 amount) internal {
        if (amount == 0) revert ZeroAmount();
        if (token >= tokens.length) revert UnknownToken(token);
        uint256 value = token == 0 ? amount : 0;
        if (msg.value != value) revert WrongValue(msg.value, value);
        if (amount > type(uint128).max - held[token]) revert AmountTooLarge(held[token], amount);
        _setHeld(token, held[token] + amount);
        if (token == 0) return;
        IERC20 erc20 = IERC20(tokens[token]);
        uint256 before = erc20.balanceOf(address(this));
        erc20.safeTransferFrom(msg.sender, address(this), amount);
        uint256 arrived;
        unchecked {
            // May wrap: a hostile token shows any balance, and then it is not `amount`.
            arrived = erc20.balanceOf(address(this)) - before;
        }
        if (arrived != amount) revert WrongArrival(amount, arrived);
    }

    /// @dev Pays, or owes what cannot be paid.
    function _pay(address to, uint16 token, uint256 amount) internal {
        uint256 all = held[token];
        if (all < amount) revert HeldTooLittle(token, all, amount);
        _setHeld(token, all - amount);
        if (_send(to, token, amount)) return;
        _setHeld(token, held[token] + amount);
        owed[to][token] += amount;
        emit Owed(to, token, amount);
    }

    /// @dev The one place where `held` changes.
    function _setHeld(uint16 token, uint256 amount) internal virtual {
        held[token] = amount;
    }

    function _send(address to, uint16 token, uint256 amount) private returns (bool ok) {
        if (token != 0) return IERC20(tokens[token]).trySafeTransfer(to, amount);
        // Without return data: a receiver must not make the sender pay for copying them.
        assembly ("memory-safe") {
            ok := call(gas(), to, amount, 0, 0, 0, 0)
        }
    }
}
