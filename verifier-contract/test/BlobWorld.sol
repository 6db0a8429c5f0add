// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "../contracts/Data.sol";
import {Statements} from "../contracts/Statements.sol";
import {Fixture} from "./Support.sol";

interface BlobVm {
    function blobhashes(bytes32[] calldata) external;
    function mockCall(address, bytes calldata, bytes calldata) external;
    function mockCallRevert(address, bytes calldata, bytes calldata) external;
    function clearMockedCalls() external;
    function expectEmit(address) external;
}

/// Blobs whose polynomial is the constant 1: the commitment is the generator, the value is 1 at every
/// point, and the proof of it is the point at infinity. So EVMs check real openings here, and no test
/// needs the published setup.
abstract contract BlobWorld is Fixture {
    BlobVm internal constant blobs = BlobVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address internal constant PRECOMPILE = address(0x0a);
    uint256 internal constant BLS_MODULUS = 52435875175126190479447740508185965837690552500527637822603658699938581184513;
    bytes internal constant GENERATOR =
        hex"97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
    bytes internal constant INFINITY =
        hex"c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

    function hashOf(bytes memory commitment) internal pure returns (bytes32) {
        uint256 low = uint256(sha256(commitment)) & (type(uint256).max >> 8);
        return bytes32(low | (1 << 248));
    }

    /// The blob of transactions from now on.
    function carry(bytes32 versionedHash) internal {
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = versionedHash;
        blobs.blobhashes(hashes);
    }

    function openingOf(uint256 value) internal pure returns (bytes memory) {
        return abi.encodePacked(value, GENERATOR, INFINITY);
    }

    /// Numbers of records of one batch as they count in a blob.
    function elementsOf(uint256 l2, uint256 owners) internal pure returns (uint256) {
        uint256 slots = l2 + 4 * owners;
        return (slots % 32 == 0 ? slots / 32 : slots / 32 + 1) * 16;
    }

    function pointOf(Statements.Header memory h, bytes32 versionedHash, uint256 elements)
        internal
        view
        returns (uint256)
    {
        bytes memory claim = abi.encodePacked(
            "bastion.z.v1", rollup.domain(), h.cOut, versionedHash, uint256(h.batches), elements
        );
        return uint256(keccak256(claim)) % (1 << 128);
    }

    /// The public inputs of a block with a blob, computed otherwise than the contract does it.
    function blobInputs(
        Statements.Header memory h,
        bytes memory data,
        bytes32 versionedHash,
        uint256 elements,
        uint256 value
    ) internal view returns (uint256[16] memory inputs) {
        uint256 r = challenge(h, bytes.concat(data, versionedHash));
        inputs = [h.oldRoot, h.newRoot, 0, h.cOut, 1, 0, h.policyRoot, rollup.domain(), uint256(h.time), r, 0, 1, 0, 0, 0, 0];
        inputs[5] = this.polynomialInBlob(data, h.batches, r);
        inputs[10] = pointOf(h, versionedHash, elements);
        inputs[12] = value % (1 << 127);
        inputs[13] = value / (1 << 127);
    }

    function polynomialInBlob(bytes calldata data, uint256 batches, uint256 r) external pure returns (uint256) {
        return Data.read(data, true, batches, r, type(uint40).max).y;
    }

    function proveBlob(uint256[16] memory inputs, bytes memory data, uint256 batches) internal {
        uint256[12] memory accumulator;
        rollup.prove(rollup.proven() + 1, CIRCUIT, accumulator, inputs, this.readExits(data, true, batches), "");
    }

    /// With the gas of one transaction: the precompile takes all that it is given when it refuses.
    function why(bytes memory call) internal returns (bytes4) {
        (bool ok, bytes memory reason) = address(rollup).call{gas: 1 << 24}(call);
        return ok ? bytes4(0) : bytes4(reason);
    }
}
