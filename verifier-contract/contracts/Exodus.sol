// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "./Alarm.sol";
import {L2State} from "./L2State.sol";
import {Times} from "./Times.sol";

/// @title Exodus
/// @notice When the queue's deadline has passed, or an alarm is not answered, anybody freezes the
/// root, and every account leaves with its path below it: no operator, no governor, no proof system
/// needed. Nobody switches it off.
abstract contract Exodus is Alarm {
    uint32 private constant FIRST_LIMITER = 1 << 16;

    /// @notice Accounts that left, 256 a word.
    mapping(uint256 word => uint256) public departed;
    /// @notice Deposits that were given back.
    mapping(uint256 entry => bool) public refunded;

    /// @notice Exodus has begun, or an alarm in exodus took it further back.
    /// @param number Last block that counts.
    /// @param root State root after it, from which accounts leave.
    event ExodusBegan(uint256 indexed number, uint256 root);
    /// @notice An account has left.
    /// @param index Its index.
    /// @param exit Who is paid.
    /// @param token In which token.
    /// @param amount Its whole balance.
    event Departed(uint32 indexed index, address indexed exit, uint16 indexed token, uint256 amount);
    /// @notice A deposit is given back.
    /// @param entry Number of its queue entry.
    /// @param exit Who is paid.
    /// @param token In which token.
    /// @param amount How much.
    event Refunded(uint256 indexed entry, address indexed exit, uint16 indexed token, uint256 amount);

    /// @notice No entry waits for too long, and no alarm is unanswered.
    error NothingOverdue();
    /// @notice Exodus has not begun.
    error NotInExodus();
    /// @notice The account has left.
    /// @param index Its index.
    error AlreadyLeft(uint32 index);
    /// @notice Account and path lead to another root.
    /// @param expected The last root.
    /// @param actual Where they lead.
    error WrongRoot(uint256 expected, uint256 actual);
    /// @notice A final block has processed the entry.
    /// @param entry Its number.
    error Processed(uint256 entry);
    /// @notice The queue has no such entry.
    /// @param entry The number.
    error NoSuchEntry(uint256 entry);
    /// @notice The entry is another deposit, or none.
    /// @param entry Its number.
    error WrongRecord(uint256 entry);
    /// @notice The deposit was given back.
    /// @param entry Number of its entry.
    error AlreadyRefunded(uint256 entry);

    modifier inExodus() {
        if (_state.phase != Phase.Exodus) revert NotInExodus();
        _;
    }

    /// @notice Whether exodus may begin: an entry waits too long even if what is proven were final,
    /// or an alarm was not answered. After an answered one operators get `OPERATOR_DEADLINE` to
    /// process again what was taken back, and the time of pauses besides.
    function exodusDue() public view returns (bool) {
        State memory s = _state;
        if (s.phase == Phase.Exodus) return false;
        if (s.phase == Phase.Alarm) return _unanswered();
        if (!_waitsLonger(_block(s.proven).processed, QUEUE_DEADLINE)) return false;
        uint256 lost = resumedAt == 0 ? 0 : governance.pausedSince(resumedAt);
        return block.timestamp > resumedAt + Times.OPERATOR_DEADLINE + lost;
    }

    /// @notice Begins exodus; open to anybody.
    function beginExodus() external {
        State memory s = _state;
        _requireLive(s.phase);
        if (!exodusDue()) revert NothingOverdue();
        if (s.phase == Phase.Alarm) _takeBackDoubted(s);
        // A proven block is final but for a call that anybody may make, so it counts.
        _finalizePending(s);
        s.phase = Phase.Exodus;
        _state = s;
        _rootMoved(s.finalized);
    }

    /// @notice Pays the whole balance of an account under the last root to its exit address, once;
    /// open to anybody, as soon as the last block has been final for `MAX_RELEASE_DELAY`.
    /// @param index Index of the account.
    /// @param account What it holds.
    /// @param path Siblings of the account's leaf from the leaf up.
    function depart(uint32 index, L2State.Account calldata account, uint256[32] calldata path)
        external
        nonReentrant
        inExodus
    {
        // Until then an alarm may take the root further back, and no bucket holds departures.
        _requireTime(_block(_state.finalized).finalizedAt + MAX_RELEASE_DELAY);
        // A limiter's leaf has the form of an account, and a time in the place of the balance.
        if (index >= FIRST_LIMITER && index < FIRST_USER) revert SystemAccount(index);
        uint256 bit = 1 << (index & 0xff);
        if (departed[index >> 8] & bit != 0) revert AlreadyLeft(index);
        uint256 root = governance.accountRoot(account, index, path);
        uint256 expected = _finalRoot;
        if (root != expected) revert WrongRoot(expected, root);
        departed[index >> 8] |= bit;
        emit Departed(index, account.exit, account.token, account.balance);
        _pay(account.exit, account.token, account.balance);
    }

    /// @notice Gives a deposit that no final block processed to its exit address; open to anybody.
    /// @param entry Number of its queue entry.
    /// @param token Its token.
    /// @param amount Its amount.
    /// @param keyhash Its owner's key hash.
    /// @param exit Its exit address.
    function refund(uint256 entry, uint16 token, uint128 amount, uint256 keyhash, address exit)
        external
        nonReentrant
        inExodus
    {
        if (entry <= _block(_state.finalized).processed) revert Processed(entry);
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

    function _rootMoved(uint256 number) internal override {
        emit ExodusBegan(number, _finalRoot);
    }
}
