// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";
import {Operators} from "./Operators.sol";
import {Pause} from "./Pause.sol";
import {Policies} from "./Policies.sol";
import {Verifiers} from "./Verifiers.sol";

/// @title Bastion governance
/// @notice What people decide about a rollup: operators, pause, policy, verifiers. It holds nothing
/// and calls nobody; the rollup asks it and enforces its own deadlines. There is no proxy.
contract Governance is Operators, Pause, Policies, Verifiers {
    /// @notice What a governance starts with.
    struct Config {
        uint256 policyRoot;
        bytes32 circuitId;
        IVerifier verifier;
        address governor;
        address[] operators;
        address[] guardians;
        uint256 toPause;
        address[] council;
        uint256 toUnpause;
    }

    /// @param c What it starts with.
    constructor(Config memory c) {
        _initGovernor(c.governor);
        _setMembers(c.guardians, c.toPause, c.council, c.toUnpause);
        _setPolicy(c.policyRoot);
        _addVerifier(c.circuitId, c.verifier);
        for (uint256 i = 0; i < c.operators.length; ++i) {
            _setOperator(c.operators[i], true);
        }
    }
}
