// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Chain} from "./Chain.sol";
import {Exits} from "./Exits.sol";
import {Exodus} from "./Exodus.sol";
import {Governance} from "./Governance.sol";
import {Queue} from "./Queue.sol";

/// @title Bastion rollup
/// @notice Holds the funds and the finalized L2 state root. There is no proxy and nobody who could
/// set a root; who may do what, and after how long, is in docs/security.md.
contract Rollup is Exits, Exodus {
    /// @param genesisRoot_ State root before the first block.
    /// @param governance_ Who decides about operators, pause, policy and verifiers.
    constructor(uint256 genesisRoot_, Governance governance_) Queue(governance_) Chain(genesisRoot_) {}
}
