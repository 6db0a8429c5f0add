// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./IVerifier.sol";
import {L2State} from "./L2State.sol";
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

    /// @notice What a rollup asks before a commit, in one call.
    /// @param sender Who commits.
    /// @param root The block's policy.
    /// @return operator Whether the sender may commit at any time.
    /// @return accepted Whether blocks may be made under the policy.
    /// @return until When the last pause ends or ended, 0 if there was none.
    function rules(address sender, uint256 root) external view returns (bool operator, bool accepted, uint256 until) {
        return (operators[sender], acceptable(root), pausedUntil);
    }

    /// @notice Root of the state tree with an account at an index. It reads no storage: nobody decides
    /// what it returns. It is here because the hash is, and a rollup has no room for it.
    /// @param account What the account holds.
    /// @param index Its index.
    /// @param path Siblings of its leaf from the leaf up.
    function accountRoot(L2State.Account calldata account, uint32 index, uint256[32] calldata path)
        external
        pure
        returns (uint256)
    {
        return L2State.root(account, index, path);
    }
}
