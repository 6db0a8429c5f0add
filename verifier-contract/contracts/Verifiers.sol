// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IVerifier} from "./IVerifier.sol";
import {Pause} from "./Pause.sol";

/// @title Verifiers by circuit
/// @notice A new verifier could accept anything, so that adding one waits until everybody who
/// mistrusts it has left. Removing one is at once, by the council: it can stop blocks, and then
/// exodus follows, but it can take nothing.
abstract contract Verifiers is Pause {
    /// @notice Verifier of a circuit; 0 if there is none.
    mapping(bytes32 circuitId => IVerifier) public verifiers;
    /// @notice Changes of the registry so far.
    uint256 public registryVersion;

    event VerifierAnnounced(bytes32 indexed circuitId, address verifier, uint256 readyAt);
    event VerifierAdded(bytes32 indexed circuitId, address verifier);
    event VerifierRemoved(bytes32 indexed circuitId);
    event RemovalVote(address indexed member, bytes32 indexed circuitId, uint256 version);

    error NoVerifierCode(address verifier);
    error UnknownCircuit(bytes32 circuitId);
    error KnownCircuit(bytes32 circuitId);

    /// @notice Announces the verifier of another circuit.
    function announceVerifier(bytes32 circuitId, IVerifier verifier) external {
        uint256 ready = _announce(_verifierChange(circuitId, verifier));
        emit VerifierAnnounced(circuitId, address(verifier), ready);
    }

    /// @notice Adds an announced verifier; open to anybody.
    function addVerifier(bytes32 circuitId, IVerifier verifier) external {
        _take(_verifierChange(circuitId, verifier));
        _addVerifier(circuitId, verifier);
    }

    /// @notice A council member's vote to remove a verifier; with enough of them it is gone.
    function voteRemoveVerifier(bytes32 circuitId) external {
        if (address(verifiers[circuitId]) == address(0)) revert UnknownCircuit(circuitId);
        emit RemovalVote(msg.sender, circuitId, registryVersion);
        if (_councilVote(keccak256(abi.encode("remove", circuitId, registryVersion)))) {
            ++registryVersion;
            delete verifiers[circuitId];
            emit VerifierRemoved(circuitId);
        }
    }

    function _addVerifier(bytes32 circuitId, IVerifier verifier) internal {
        // A call to an account without code succeeds.
        if (address(verifier).code.length == 0) revert NoVerifierCode(address(verifier));
        if (address(verifiers[circuitId]) != address(0)) revert KnownCircuit(circuitId);
        ++registryVersion;
        verifiers[circuitId] = verifier;
        emit VerifierAdded(circuitId, address(verifier));
    }

    function _verifierChange(bytes32 circuitId, IVerifier verifier) private pure returns (bytes32) {
        return keccak256(abi.encode("verifier", circuitId, verifier));
    }
}
