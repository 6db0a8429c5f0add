// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Times} from "./Times.sol";
import {Vault} from "./Vault.sol";

/// @title A leaky bucket a token
/// @notice The second line behind the proof system, by L1's clock and without anybody's parameter:
/// what is claimed early fills the token's bucket, and a claim that does not fit waits, never beyond
/// `MAX_RELEASE_DELAY` after its block became final. A bucket takes an eighth of the basis, and
/// drains an eighth of it in `MAX_RELEASE_DELAY`: in any stretch of that length, no more than a
/// quarter of a token leaves early. The basis is the least that was held for at least that long, so
/// that no deposit makes room for what leaves soon after it.
abstract contract Bucket is Vault {
    uint256 private constant SHARES = 8;
    uint256 private constant PERIOD = Times.MAX_RELEASE_DELAY;

    struct Level {
        /// Units times `SHARES * PERIOD`: what drains in a second is then the basis, exactly.
        uint152 filled;
        uint40 since;
        /// Period in which `held` changed last.
        uint64 period;
    }

    /// @dev Least that was held in the period before the one in which `held` changed last, and in it.
    struct Least {
        uint128 earlier;
        uint128 then;
    }

    mapping(uint16 token => Level) private _levels;
    mapping(uint16 token => Least) private _least;

    /// @notice The token's bucket has no room for the claim yet.
    /// @param token The token.
    /// @param room What may be claimed now.
    /// @param earliest When the claim is payable if no other one comes before it.
    error BucketFull(uint16 token, uint256 room, uint256 earliest);

    /// @notice What may be claimed of a token now, before `MAX_RELEASE_DELAY` has passed.
    function room(uint16 token) public view returns (uint256) {
        uint256 basis = _basis(token);
        uint256 filled = _filled(token, basis);
        return filled < basis * PERIOD ? (basis * PERIOD - filled) / (SHARES * PERIOD) : 0;
    }

    /// @dev Notes that `amount` leaves early.
    /// @param latest When it may leave anyhow.
    function _fill(uint16 token, uint256 amount, uint256 latest) internal {
        uint256 basis = _basis(token);
        uint256 size = basis * PERIOD;
        uint256 filled = _filled(token, basis) + amount * SHARES * PERIOD;
        if (filled > size) {
            uint256 earliest = latest;
            // More than a whole bucket never fits.
            if (amount * SHARES <= basis && amount > 0) {
                uint256 drained = block.timestamp + (filled - size + basis - 1) / basis;
                if (drained < earliest) earliest = drained;
            }
            revert BucketFull(token, room(token), earliest);
        }
        Level storage level = _levels[token];
        // At most 2^128 units, times the period: below 2^152.
        (level.filled, level.since) = (uint152(filled), uint40(block.timestamp));
    }

    /// @dev Keeps the least of this period and of the one before.
    function _setHeld(uint16 token, uint256 amount) internal override {
        uint64 period = uint64(block.timestamp / PERIOD);
        uint256 before = held[token];
        Least storage least = _least[token];
        Level storage level = _levels[token];
        if (level.period != period) {
            // Since the last change, all of the time, as much was held as before this one.
            least.earlier = level.period + 1 == period ? least.then : uint128(before);
            (least.then, level.period) = (uint128(before), period);
        }
        if (amount < least.then) least.then = uint128(amount);
        super._setHeld(token, amount);
    }

    /// @dev The least that was held since the beginning of the period before this one.
    function _basis(uint16 token) private view returns (uint256) {
        uint256 period = block.timestamp / PERIOD;
        uint256 changed = _levels[token].period;
        Least storage least = _least[token];
        if (changed == period) return least.earlier < least.then ? least.earlier : least.then;
        return changed + 1 == period ? least.then : held[token];
    }

    function _filled(uint16 token, uint256 basis) private view returns (uint256) {
        Level storage level = _levels[token];
        uint256 drained = basis * (block.timestamp - level.since);
        return level.filled > drained ? level.filled - drained : 0;
    }
}
