// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Times} from "./Times.sol";
import {Vault} from "./Vault.sol";

/// @title A leaky bucket a token
/// @notice The second line behind the proof system, by L1's clock and without anybody's parameter:
/// what is claimed early fills the token's bucket, and a claim that does not fit waits, never beyond
/// `MAX_RELEASE_DELAY` after its block became final. A bucket takes an eighth of what is held, and
/// drains an eighth of it in `MAX_RELEASE_DELAY`: in any stretch of that length, no more than a
/// quarter of a token leaves early.
abstract contract Bucket is Vault {
    uint256 private constant SHARES = 8;
    uint256 private constant PERIOD = Times.MAX_RELEASE_DELAY;

    /// @dev Units times `SHARES * PERIOD`: what drains in a second is then what is held, exactly.
    struct Level {
        uint192 filled;
        uint64 since;
    }

    mapping(uint16 token => Level) private _levels;

    /// @notice The token's bucket has no room for the claim yet.
    /// @param token The token.
    /// @param room What may be claimed now.
    /// @param earliest When the claim is payable if no other one comes before it.
    error BucketFull(uint16 token, uint256 room, uint256 earliest);

    /// @notice What may be claimed of a token now, before `MAX_RELEASE_DELAY` has passed.
    function room(uint16 token) public view returns (uint256) {
        uint256 size = held[token] * PERIOD;
        uint256 filled = _filled(token);
        return filled < size ? (size - filled) / (SHARES * PERIOD) : 0;
    }

    /// @dev Notes that `amount` leaves early.
    /// @param latest When it may leave anyhow.
    function _fill(uint16 token, uint256 amount, uint256 latest) internal {
        uint256 filled = _filled(token) + amount * SHARES * PERIOD;
        uint256 size = held[token] * PERIOD;
        if (filled > size) {
            uint256 earliest = latest;
            // More than a whole bucket never fits.
            if (amount * SHARES <= held[token] && amount > 0) {
                uint256 drained = block.timestamp + (filled - size + held[token] - 1) / held[token];
                if (drained < earliest) earliest = drained;
            }
            revert BucketFull(token, room(token), earliest);
        }
        // At most 2^128 units held, times the period: far below 2^192.
        _levels[token] = Level(uint192(filled), uint64(block.timestamp));
    }

    function _filled(uint16 token) private view returns (uint256) {
        Level storage level = _levels[token];
        uint256 drained = held[token] * (block.timestamp - level.since);
        return level.filled > drained ? level.filled - drained : 0;
    }
}
