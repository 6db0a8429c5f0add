// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "./Data.sol";
import {IVerifier} from "./IVerifier.sol";
import {Queue} from "./Queue.sol";

/// @title Statements
/// @notice What a block proof says, in sixteen numbers, and which proofs are accepted.
abstract contract Statements is Queue {
    // Places in the sixteen public inputs (docs/protocol.md, section 7).
    uint256 internal constant OLD_ROOT = 0;
    uint256 internal constant NEW_ROOT = 1;
    uint256 internal constant C_OUT = 3;
    uint256 internal constant Y_OUT = 5;
    uint256 internal constant TIME = 8;
    uint256 internal constant R = 9;
    uint256 internal constant MODE = 11;
    /// @dev The word polynomial starts at 1: a block's number of batches is part of its value.
    uint256 private constant Y_IN = 4;
    /// @dev The precompile of EIP-4844, the order of the field that it computes in, and how many
    /// elements a blob has.
    uint256 private constant POINT_EVALUATION = 0x0a;
    uint256 private constant BLS_MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant BLOB_ELEMENTS = 4096;

    /// @notice Most blobs of a block: as many as L1 lets a transaction carry (EIP-7594,
    /// `MAX_BLOBS_PER_TX`).
    uint256 public constant MAX_BLOBS = 6;

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
    /// @notice The batches of a block take more elements than all blobs of a transaction have.
    /// @param most Elements of these blobs.
    /// @param actual How many they take.
    error BlobsTooFull(uint256 most, uint256 actual);
    /// @notice A block has as many blobs as its batches take, and one if they take none.
    /// @param expected How many they take.
    /// @param actual How many there are.
    error WrongBlobs(uint256 expected, uint256 actual);
    /// @notice There must be one opening of 128 bytes for each blob.
    /// @param expected Their length.
    /// @param actual Length of what was given.
    error OpeningsLength(uint256 expected, uint256 actual);
    /// @notice A blob's polynomial does not have the value that is claimed.
    /// @param versionedHash Versioned hash of the blob.
    /// @param z Where it is evaluated.
    error BlobRefused(bytes32 versionedHash, uint256 z);

    constructor() {
        (_chain, _domain) = (block.chainid, _domainOf(block.chainid));
    }

    /// @notice Chain and contract, as signatures and proofs bind them. After a split each chain has
    /// its own, and what was signed or proven for the other one is void here.
    function domain() public view returns (uint256) {
        return block.chainid == _chain ? _domain : _domainOf(block.chainid);
    }

    /// @dev The public inputs of a block, but for those that its data give.
    function _statement(Header memory h) internal view returns (uint256[16] memory inputs) {
        (inputs[0], inputs[NEW_ROOT], inputs[C_OUT], inputs[Y_IN]) = (h.oldRoot, h.newRoot, h.cOut, 1);
        (inputs[6], inputs[7], inputs[TIME]) = (h.policyRoot, domain(), h.time);
    }

    /// @dev Adds to a statement what the data of the block give: `r`, `y` and, if its mode says that
    /// there are blobs, point and value.
    /// @param versionedHashes Of the blobs, if there are any.
    /// @param openings For each blob the value of its polynomial (32 bytes), commitment and proof (48
    /// bytes each).
    /// @param latest Latest release time that an exit may have.
    function _complete(
        uint256[16] memory inputs,
        uint256 batches,
        bytes calldata data,
        bytes32[] memory versionedHashes,
        bytes calldata openings,
        uint256 latest
    ) internal view returns (Data.Summary memory s) {
        inputs[R] = _challenge(inputs, data, versionedHashes);
        s = Data.read(data, inputs[MODE] != 0, batches, inputs[R], latest);
        inputs[Y_OUT] = s.y;
        if (inputs[MODE] != 0) _open(inputs, batches, s.elements, versionedHashes, openings);
    }

    /// @dev Evaluation point of a statement, which all other inputs and the data fix. Blobs are fixed
    /// by their versioned hashes: the point at which they are evaluated has too few bits for that.
    function _challenge(uint256[16] memory inputs, bytes calldata data, bytes32[] memory versionedHashes)
        internal
        pure
        returns (uint256)
    {
        uint256 r = 0;
        assembly ("memory-safe") {
            let m := mload(0x40)
            calldatacopy(m, data.offset, data.length)
            let dataHash := keccak256(m, data.length)
            mstore(m, "bastion.r.v1")
            // Domain, the two roots, policy, time, order chain.
            mstore(add(m, 12), mload(add(inputs, 224)))
            mcopy(add(m, 44), inputs, 64)
            mstore(add(m, 108), mload(add(inputs, 192)))
            mstore(add(m, 140), mload(add(inputs, 256)))
            mstore(add(m, 172), mload(add(inputs, 96)))
            mstore(add(m, 204), dataHash)
            // Blobs, if the mode says that there are any.
            let size := mul(mload(add(inputs, 352)), mul(32, mload(versionedHashes)))
            mcopy(add(m, 236), add(versionedHashes, 32), size)
            r := keccak256(m, add(236, size))
        }
        return r % Data.P;
    }

    /// @dev Takes point and value of the block's polynomial, if L1 confirms the value of each blob there.
    /// The blobs hold its coefficients, 4096 each. The point comes after both what the circuit evaluates
    /// (`c_out`) and what the blobs hold are fixed.
    function _open(
        uint256[16] memory inputs,
        uint256 batches,
        uint256 elements,
        bytes32[] memory versionedHashes,
        bytes calldata openings
    ) private view {
        if (elements > MAX_BLOBS * BLOB_ELEMENTS) revert BlobsTooFull(MAX_BLOBS * BLOB_ELEMENTS, elements);
        uint256 n = versionedHashes.length;
        // Few elements, and as many blobs as they take: nothing overflows.
        unchecked {
            uint256 expected = elements == 0 ? 1 : (elements + BLOB_ELEMENTS - 1) / BLOB_ELEMENTS;
            if (n != expected) revert WrongBlobs(expected, n);
            if (openings.length != 128 * n) revert OpeningsLength(128 * n, openings.length);
        }
        (uint256 dom, uint256 cOut, uint256 z, uint256 value) = (inputs[7], inputs[C_OUT], 0, 0);
        (bytes32 hash, bool ok) = (0, true);
        assembly ("memory-safe") {
            let m := mload(0x40)
            let size := mul(32, n)
            mstore(m, "bastion.z.v1")
            mstore(add(m, 12), dom)
            mstore(add(m, 44), cOut)
            mcopy(add(m, 76), add(versionedHashes, 32), size)
            mstore(add(m, add(76, size)), batches)
            mstore(add(m, add(108, size)), elements)
            z := and(keccak256(m, add(140, size)), 0xffffffffffffffffffffffffffffffff)

            // What the value of the blobs behind one counts for: z^4096. One blob has none behind it.
            let step := 0
            if gt(n, 1) {
                step := z
                for { let i := 0 } lt(i, 12) { i := add(i, 1) } { step := mulmod(step, step, BLS_MODULUS) }
            }
            // By Horner's rule, from the last blob.
            for {} n {} {
                n := sub(n, 1)
                hash := mload(add(add(versionedHashes, 32), mul(32, n)))
                let at := add(openings.offset, mul(128, n))
                mstore(m, hash)
                mstore(add(m, 32), z)
                calldatacopy(add(m, 64), at, 128)
                // It takes canonical values alone, and says in which field it has computed.
                ok := staticcall(gas(), POINT_EVALUATION, m, 192, m, 64)
                ok := and(ok, eq(returndatasize(), 64))
                ok := and(ok, and(eq(mload(m), BLOB_ELEMENTS), eq(mload(add(m, 32)), BLS_MODULUS)))
                if iszero(ok) { break }
                value := addmod(mulmod(value, step, BLS_MODULUS), calldataload(at), BLS_MODULUS)
            }
        }
        if (!ok) revert BlobRefused(hash, z);
        (inputs[10], inputs[12], inputs[13]) = (z, value & type(uint128).max >> 1, value >> 127);
    }

    function _requireElement(uint256 word) internal pure {
        if (word >= Data.P) revert RootOutOfRange(word);
    }

    /// @dev Returns, with the number of the circuit, if the verifier that is registered for it accepts
    /// the proof.
    function _requireProof(
        uint256 number,
        bytes32 circuitId,
        uint256[12] calldata accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) internal view returns (uint256) {
        (IVerifier verifier, uint16 circuit) = governance.circuit(circuitId);
        if (address(verifier) == address(0)) revert UnknownCircuit(circuitId);
        _verify(number, address(verifier), accumulator, inputs, proof);
        return circuit;
    }

    /// @dev Calls the verifier. Every word of a statement is an element, so that none says the same as
    /// another.
    function _verify(
        uint256 number,
        address verifier,
        uint256[12] calldata accumulator,
        uint256[16] memory inputs,
        bytes calldata proof
    ) private view {
        bytes4 selector = IVerifier.verify.selector;
        (uint256 modulus, uint256 word, bool ok) = (Data.P, 0, false);
        assembly ("memory-safe") {
            // Two offsets, 28 instances behind their number, the proof behind its length.
            let m := mload(0x40)
            mstore(m, selector)
            mstore(add(m, 4), 64)
            mstore(add(m, 36), 992)
            mstore(add(m, 68), 28)
            calldatacopy(add(m, 100), accumulator, 384)
            mcopy(add(m, 484), inputs, 512)
            mstore(add(m, 996), proof.length)
            calldatacopy(add(m, 1028), proof.offset, proof.length)
            mstore(add(add(m, 1028), proof.length), 0)
            for { let p := add(m, 100) } lt(p, add(m, 996)) { p := add(p, 32) } {
                if iszero(lt(mload(p), modulus)) {
                    word := mload(p)
                    break
                }
            }
            if iszero(word) {
                let length := add(1028, and(add(proof.length, 31), not(31)))
                if iszero(staticcall(gas(), verifier, m, length, 0, 32)) {
                    returndatacopy(m, 0, returndatasize())
                    revert(m, returndatasize())
                }
                // An account without code answers nothing.
                ok := and(gt(returndatasize(), 31), eq(mload(0), 1))
            }
        }
        if (word != 0) revert RootOutOfRange(word);
        if (!ok) revert ProofRefused(number);
    }

    function _domainOf(uint256 chainId) private view returns (uint256) {
        return uint256(keccak256(abi.encodePacked("bastion.domain.v1", chainId, address(this)))) % Data.P;
    }
}
