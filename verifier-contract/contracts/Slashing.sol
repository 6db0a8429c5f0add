// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {BlindFaults} from "./BlindFaults.sol";
import {IBlocks} from "./IBlocks.sol";
import {Inclusion} from "./Inclusion.sol";

/// @title Slashing
/// @notice Holds bonds for the keys that sign receipts of one rollup. Whoever shows that a key broke a promise takes
/// a part of its bond, and the rest is burned. Nobody decides here: evidence is signatures and final blocks
/// (docs/protocol.md, sections 13.4 and 16; the argument is in docs/security.md).
contract Slashing is BlindFaults {
    /// @param rollup_ Whose receipts are judged.
    constructor(IBlocks rollup_) Inclusion(rollup_) {}
}
