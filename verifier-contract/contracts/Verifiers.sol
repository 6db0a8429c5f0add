// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "./Blockbook.sol";
import {IVerifier} from "./IVerifier.sol";
import {Pause} from "./Pause.sol";

/// @title Verifiers by circuit
/// @notice A new verifier could accept anything, so that adding one waits until everybody who
/// mistrusts it has left. Removing one is at once, by the council: it can stop blocks, and then
/// exodus follows, but it can take nothing.
abstract contract Verifiers is Pause {
    /// @notice What is kept of a circuit.
    struct Circuit {
        /// Its verifier; 0 if there is none.
        IVerifier verifier;
        /// Its number, by which a rollup remembers it in few bits. It stays when the verifier goes.
        uint16 number;
    }

    mapping(bytes32 circuitId => Circuit) private _circuits;
    /// @dev Circuits by number, from 1 on.
    bytes32[] private _ids;
    /// @notice How often a circuit's verifier was removed. What was announced for the circuit before
    /// is void: what the council has stopped needs the whole notice again.
    mapping(bytes32 circuitId => uint256) public removals;

    /// @notice A verifier is announced.
    /// @param circuitId Its circuit.
    /// @param verifier Its contract.
    /// @param readyAt When it may be added.
    event VerifierAnnounced(bytes32 indexed circuitId, address verifier, uint256 readyAt);
    /// @notice Proofs of a circuit are accepted by a verifier from now on.
    /// @param circuitId The circuit.
    /// @param verifier The verifier's contract.
    event VerifierAdded(bytes32 indexed circuitId, address verifier);
    /// @notice Proofs of a circuit are not accepted any more.
    /// @param circuitId The circuit.
    event VerifierRemoved(bytes32 indexed circuitId);
    /// @notice A member of the council wants a verifier removed.
    /// @param member The member.
    /// @param circuitId Circuit of the verifier.
    /// @param removal How often the circuit's verifier was removed before: votes count for the one that
    /// it has now.
    event RemovalVote(address indexed member, bytes32 indexed circuitId, uint256 removal);

    /// @notice There is no contract at the verifier's address.
    /// @param verifier The address.
    error NoVerifierCode(address verifier);
    /// @notice The circuit has no verifier.
    /// @param circuitId The circuit.
    error UnknownCircuit(bytes32 circuitId);
    /// @notice The circuit has a verifier.
    /// @param circuitId The circuit.
    error KnownCircuit(bytes32 circuitId);
    /// @notice Every number of a circuit is taken.
    error TooManyCircuits();

    /// @notice Verifier of a circuit; 0 if there is none.
    function verifiers(bytes32 circuitId) public view returns (IVerifier) {
        return _circuits[circuitId].verifier;
    }

    /// @notice Verifier of a circuit, 0 if there is none, and its number, 0 if it never had one.
    function circuit(bytes32 circuitId) external view returns (IVerifier verifier, uint16 number) {
        Circuit storage c = _circuits[circuitId];
        return (c.verifier, c.number);
    }

    /// @notice Circuit of a number; 0 if there is none. A number never gets another circuit.
    function circuitOf(uint256 number) external view returns (bytes32) {
        return number == 0 || number > _ids.length ? bytes32(0) : _ids[number - 1];
    }

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
        if (address(verifiers(circuitId)) == address(0)) revert UnknownCircuit(circuitId);
        // A circuit's verifier changes by its removal alone: no other change of the registry, which
        // anybody may make where it was announced, takes votes away.
        uint256 removal = removals[circuitId];
        emit RemovalVote(msg.sender, circuitId, removal);
        if (_councilVote(keccak256(abi.encode("remove", circuitId, removal)))) {
            removals[circuitId] = removal + 1;
            delete _circuits[circuitId].verifier;
            emit VerifierRemoved(circuitId);
        }
    }

    function _addVerifier(bytes32 circuitId, IVerifier verifier) internal {
        // A call to an account without code succeeds.
        if (address(verifier).code.length == 0) revert NoVerifierCode(address(verifier));
        Circuit storage c = _circuits[circuitId];
        if (address(c.verifier) != address(0)) revert KnownCircuit(circuitId);
        if (c.number == 0) {
            if (_ids.length == Blockbook.MAX_CIRCUIT) revert TooManyCircuits();
            _ids.push(circuitId);
            c.number = uint16(_ids.length);
        }
        c.verifier = verifier;
        emit VerifierAdded(circuitId, address(verifier));
    }

    function _verifierChange(bytes32 circuitId, IVerifier verifier) private view returns (bytes32) {
        return keccak256(abi.encode("verifier", circuitId, verifier, removals[circuitId]));
    }
}
