// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Blocks} from "./Blocks.sol";
import {L2State} from "./L2State.sol";

/// @title Exodus
/// @notice When the queue's deadline has passed, anybody freezes the root, and every account leaves
/// with its path below it: no operator, no governor, no proof system needed. Nobody switches it off.
abstract contract Exodus is Blocks {
    uint32 private constant FIRST_LIMITER = 1 << 16;

    /// @notice Accounts that left, 256 a word.
    mapping(uint256 word => uint256) public departed;
    /// @notice Deposits that were given back.
    mapping(uint256 entry => bool) public refunded;

    event ExodusBegan(uint256 indexed number, uint256 root);
    event Departed(uint32 indexed index, address indexed exit, uint16 indexed token, uint256 amount);
    event Refunded(uint256 indexed entry, address indexed exit, uint16 indexed token, uint256 amount);

    error NothingOverdue();
    error NotInExodus();
    error AlreadyLeft(uint32 index);
    error WrongRoot(uint256 expected, uint256 actual);
    error Processed(uint256 entry);
    error NoSuchEntry(uint256 entry);
    error WrongRecord(uint256 entry);
    error AlreadyRefunded(uint256 entry);

    modifier inExodus() {
        if (!exodus) revert NotInExodus();
        _;
    }

    /// @notice Whether exodus may begin: an entry waits too long even if what is proven were final.
    function exodusDue() public view returns (bool) {
        return !exodus && _waitsLonger(proven, QUEUE_DEADLINE);
    }

    /// @notice Begins exodus; open to anybody.
    function beginExodus() external whenLive {
        // Proven blocks are final but for a call that anybody may make, so they count.
        _finalizeProven();
        if (!exodusDue()) revert NothingOverdue();
        exodus = true;
        emit ExodusBegan(finalized, blocks[finalized].newRoot);
    }

    /// @notice Pays the whole balance of an account under the last root to its exit address, once;
    /// open to anybody.
    /// @param path Siblings of the account's leaf from the leaf up.
    function depart(uint32 index, L2State.Account calldata account, uint256[32] calldata path)
        external
        nonReentrant
        inExodus
    {
        // A limiter's leaf has the form of an account, and a time in the place of the balance.
        if (index >= FIRST_LIMITER && index < FIRST_USER) revert SystemAccount(index);
        uint256 bit = 1 << (index & 0xff);
        if (departed[index >> 8] & bit != 0) revert AlreadyLeft(index);
        uint256 root = L2State.root(L2State.leaf(account), index, path);
        uint256 expected = blocks[finalized].newRoot;
        if (root != expected) revert WrongRoot(expected, root);
        departed[index >> 8] |= bit;
        emit Departed(index, account.exit, account.token, account.balance);
        _pay(account.exit, account.token, account.balance);
    }

    /// @notice Gives a deposit that no final block processed to its exit address; open to anybody.
    function refund(uint256 entry, uint16 token, uint128 amount, uint256 keyhash, address exit)
        external
        nonReentrant
        inExodus
    {
        if (entry <= blocks[finalized].processed) revert Processed(entry);
        if (entry > queueLength()) revert NoSuchEntry(entry);
        bytes memory record = depositRecord(token, amount, keyhash, exit);
        if (keccak256(abi.encodePacked(entries[entry - 1].roll, record)) != entries[entry].roll) {
            revert WrongRecord(entry);
        }
        if (refunded[entry]) revert AlreadyRefunded(entry);
        refunded[entry] = true;
        emit Refunded(entry, exit, token, amount);
        _pay(exit, token, amount);
    }
}
