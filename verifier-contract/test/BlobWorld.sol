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

    /// Commitments of the constants 2 to 6.
    bytes[5] private _multiples = [
        bytes(hex"a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e"),
        hex"89ece308f9d1f0131765212deca99697b112d61f9be9a5f1f3780a51335b3ff981747a0b2ca2179b96d2c0c9024e5224",
        hex"ac9b60d5afcbd5663a8a44b7c5a02f19e9a77ab0a35bd65809bb5c67ec582c897feb04decc694b13e08587f3ff9b5b60",
        hex"b0e7791fb972fe014159aa33a98622da3cdc98ff707965e536d8636b5fcc5ac7a91a8c46e59a00dca575af0f18fb13dc",
        hex"a6e82f6da4520f85c5d27d8f329eccfa05944fd1096b20734c894966d12a9e2a9a9744529d7212d33883113a0cadb909"
    ];

    /// Commitment of a constant up to 6.
    function commitmentOf(uint256 constant_) internal view returns (bytes memory) {
        if (constant_ == 0) return INFINITY;
        return constant_ == 1 ? GENERATOR : _multiples[constant_ - 2];
    }

    /// The hashes of blobs whose polynomials are constants, and their openings.
    function constants(uint256[] memory values)
        internal
        view
        returns (bytes32[] memory hashes, bytes memory openings)
    {
        hashes = new bytes32[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            bytes memory commitment = commitmentOf(values[i]);
            hashes[i] = hashOf(commitment);
            openings = abi.encodePacked(openings, values[i], commitment, INFINITY);
        }
    }

    function list(bytes32 one) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](1);
        hashes[0] = one;
    }

    function hashOf(bytes memory commitment) internal pure returns (bytes32) {
        uint256 low = uint256(sha256(commitment)) & (type(uint256).max >> 8);
        return bytes32(low | (1 << 248));
    }

    /// The blob of transactions from now on.
    function carry(bytes32 versionedHash) internal {
        blobs.blobhashes(list(versionedHash));
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
        return pointOf(h, list(versionedHash), elements);
    }

    function pointOf(Statements.Header memory h, bytes32[] memory hashes, uint256 elements)
        internal
        view
        returns (uint256)
    {
        bytes memory claim = abi.encodePacked(
            "bastion.z.v1", rollup.domain(), h.cOut, hashes, uint256(h.batches), elements
        );
        return uint256(keccak256(claim)) % (1 << 128);
    }

    /// The value of a polynomial whose coefficients are the values, 4096 powers apart.
    function combined(uint256[] memory values, uint256 z) internal pure returns (uint256 value) {
        uint256 power = 1;
        for (uint256 i = 0; i < values.length; ++i) {
            value = addmod(value, mulmod(values[i], power, BLS_MODULUS), BLS_MODULUS);
            for (uint256 j = 0; j < 4096; ++j) {
                power = mulmod(power, z, BLS_MODULUS);
            }
        }
    }

    /// The public inputs of a block with a blob, computed otherwise than the contract does it.
    function blobInputs(
        Statements.Header memory h,
        bytes memory data,
        bytes32 versionedHash,
        uint256 elements,
        uint256 value
    ) internal view returns (uint256[16] memory inputs) {
        uint256[] memory values = new uint256[](1);
        values[0] = value;
        return blobInputs(h, data, list(versionedHash), elements, values);
    }

    function blobInputs(
        Statements.Header memory h,
        bytes memory data,
        bytes32[] memory hashes,
        uint256 elements,
        uint256[] memory values
    ) internal view returns (uint256[16] memory inputs) {
        bytes memory statement = abi.encodePacked(
            "bastion.r.v1", rollup.domain(), h.oldRoot, h.newRoot, h.policyRoot, uint256(h.time), h.cOut, keccak256(data), hashes
        );
        uint256 r = uint256(keccak256(statement)) % P;
        inputs = [h.oldRoot, h.newRoot, 0, h.cOut, 1, 0, h.policyRoot, rollup.domain(), uint256(h.time), r, 0, 1, 0, 0, 0, 0];
        inputs[5] = this.polynomialInBlob(data, h.batches, r);
        inputs[10] = pointOf(h, hashes, elements);
        uint256 value = combined(values, inputs[10]);
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
