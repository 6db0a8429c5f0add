// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "./Data.sol";
import {IVerifier} from "./IVerifier.sol";
import {Queue} from "./Queue.sol";

/// @title Statements
/// @notice What a block proof says, in sixteen numbers, and which proofs are accepted.
abstract contract Statements is Queue {
    // Places in the sixteen public inputs (docs/protocol.md, section 7).
    uint256 internal constant NEW_ROOT = 1;
    uint256 internal constant C_OUT = 3;
    uint256 internal constant Y_OUT = 5;
    uint256 internal constant R = 9;
    /// @dev The word polynomial starts at 1: a block's number of batches is part of its value.
    uint256 private constant Y_IN = 1;

    /// @notice What a block claims.
    struct Header {
        uint256 oldRoot;
        uint256 newRoot;
        uint256 policyRoot;
        uint64 time;
        uint256 cOut;
        uint32 batches;
    }

    uint256 private immutable _chain;
    uint256 private immutable _domain;

    /// @notice No verifier is registered for the circuit.
    /// @param circuitId The circuit.
    error UnknownCircuit(bytes32 circuitId);
    /// @notice The verifier does not accept the proof.
    /// @param number Number of the block.
    error ProofRefused(uint256 number);
    /// @notice A root, or another element of a statement, is not below the field modulus.
    /// @param root The word.
    error RootOutOfRange(uint256 root);

    constructor() {
        (_chain, _domain) = (block.chainid, _domainOf(block.chainid));
    }

    /// @notice Chain and contract, as signatures and proofs bind them. After a split each chain has
    /// its own, and what was signed or proven for the other one is void here.
    function domain() public view returns (uint256) {
        return block.chainid == _chain ? _domain : _domainOf(block.chainid);
    }

    /// @dev The public inputs of a block, but for those that its data give.
    function _statement(Header memory h) internal view returns (uint256[16] memory) {
        return [h.oldRoot, h.newRoot, 0, h.cOut, Y_IN, 0, h.policyRoot, domain(), uint256(h.time), 0, 0, 0, 0, 0, 0, 0];
    }

    /// @dev Evaluation point of a statement, which all other inputs and the data fix.
    function _challenge(uint256[16] memory inputs, bytes32 dataHash) internal pure returns (uint256) {
        return uint256(
            keccak256(
                abi.encodePacked(
                    "bastion.r.v1",
                    inputs[7],
                    inputs[0],
                    inputs[NEW_ROOT],
                    inputs[6],
                    inputs[8],
                    inputs[C_OUT],
                    dataHash
                )
            )
        ) % Data.P;
    }

    function _requireElement(uint256 word) internal pure {
        if (word >= Data.P) revert RootOutOfRange(word);
    }

    /// @dev Returns if the verifier that is registered for the circuit accepts the proof.
    function _requireProof(
        uint256 number,
        bytes32 circuitId,
        uint256[12] memory accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) internal view {
        IVerifier verifier = governance.verifiers(circuitId);
        if (address(verifier) == address(0)) revert UnknownCircuit(circuitId);
        uint256[] memory instances = new uint256[](28);
        for (uint256 i = 0; i < 28; ++i) {
            instances[i] = i < 12 ? accumulator[i] : inputs[i - 12];
            _requireElement(instances[i]);
        }
        if (!verifier.verify(instances, proof)) revert ProofRefused(number);
    }

    function _domainOf(uint256 chainId) private view returns (uint256) {
        return uint256(keccak256(abi.encodePacked("bastion.domain.v1", chainId, address(this)))) % Data.P;
    }
}
