// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Blocks} from "../contracts/Blocks.sol";
import {Statements} from "../contracts/Statements.sol";
import {BlobWorld} from "./BlobWorld.sol";

/// Blocks whose records take more than one blob.
contract ManyBlobsTest is BlobWorld {
    /// Slots of a full blob.
    uint16 private constant FULL = 8_192;

    event Committed(
        uint256 indexed number, Statements.Header header, bytes32 exitRoot, uint256 processed, bytes32[] versionedHashes
    );

    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    /// The constants from 1 on.
    function rising(uint256 n) internal pure returns (uint256[] memory values) {
        values = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            values[i] = i + 1;
        }
    }

    /// So many batches, each of which fills a blob, and one of `tail` slots behind them.
    function block_(uint256 full, uint16 tail) internal view returns (Statements.Header memory h, bytes memory data) {
        for (uint256 i = 0; i < full; ++i) {
            data = bytes.concat(data, counts(0, FULL, 0, 0));
        }
        data = bytes.concat(data, counts(0, tail, 0, 0));
        h = header(GENESIS, 12);
        h.batches = uint32(full + 1);
    }

    function callOf(Statements.Header memory h, bytes memory data, bytes memory openings)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(Blocks.commitInBlobs, (h, data, openings));
    }

    /// Commits a block in the blobs of these constants, which take it whole, and proves what it must say.
    function taken(uint256[] memory values, uint16 tail, uint256 elements) internal {
        (bytes32[] memory hashes, bytes memory openings) = constants(values);
        uint256 full = tail == 0 ? values.length : values.length - 1;
        (Statements.Header memory h, bytes memory data) = block_(full, tail);
        blobs.blobhashes(hashes);
        blobs.expectEmit(address(rollup));
        emit Committed(1, h, 0, 0, hashes);
        rollup.commitInBlobs(h, data, openings);
        uint256[16] memory inputs = blobInputs(h, data, hashes, elements, values);
        (bytes32 kept,,,,,) = rollup.blocks(1);
        require(kept == recordOf(inputs, 0), "inputs");
        proveBlob(inputs, data, h.batches);
        rollup.finalize(1);
        require(rollup.stateRoot() == 12, "final");
    }

    // ---- what is taken

    function test_two_blobs() public {
        taken(rising(2), 100, 4_096 + 64);
    }

    function test_six_blobs() public {
        taken(rising(6), 5_000, 5 * 4_096 + 2_512);
    }

    /// The last blob is full, and a batch without records follows it.
    function test_an_empty_tail() public {
        taken(rising(2), 0, 2 * 4_096);
    }

    /// A blob of zeros counts like others: its place is part of the value.
    function test_zeros_between_others() public {
        uint256[] memory values = rising(3);
        values[1] = 0;
        taken(values, 1, 2 * 4_096 + 16);
    }

    /// A batch may begin in one blob and end in the next.
    function test_a_batch_in_two_blobs() public {
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        bytes memory data = bytes.concat(counts(0, 5_000, 0, 0), counts(0, 5_000, 0, 0));
        Statements.Header memory h = header(GENESIS, 12);
        h.batches = 2;
        blobs.blobhashes(hashes);
        rollup.commitInBlobs(h, data, openings);
        proveBlob(blobInputs(h, data, hashes, 2 * elementsOf(5_000, 0), rising(2)), data, 2);
    }

    function test_a_block_without_records_has_one_blob() public {
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(1));
        bytes memory data = counts(0, 0, 0, 0);
        Statements.Header memory h = header(GENESIS, 12);
        blobs.blobhashes(hashes);
        rollup.commitInBlobs(h, data, openings);
        proveBlob(blobInputs(h, data, hashes, 0, rising(1)), data, 1);
        (hashes, openings) = constants(rising(2));
        blobs.blobhashes(hashes);
        h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Statements.WrongBlobs.selector, 1, 2));
        rollup.commitInBlobs(h, data, openings);
    }

    function test_two_blobs_in_one_call() public {
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        uint256[12] memory limbs;
        blobs.blobhashes(hashes);
        rollup.settleInBlobs(h, data, openings, CIRCUIT, limbs, "");
        (bytes32 kept,) = rollup.blockInputs(1);
        require(kept == recordOf(blobInputs(h, data, hashes, 4_160, rising(2)), 0), "inputs");
    }

    /// Whatever the values, and whatever the point.
    function test_values_are_joined(uint256 a, uint256 b, uint256 c, uint256 cOut) public {
        uint256[] memory values = new uint256[](3);
        (values[0], values[1], values[2]) = (a % BLS_MODULUS, b % BLS_MODULUS, c % BLS_MODULUS);
        (bytes32[] memory hashes,) = constants(rising(3));
        bytes memory openings;
        for (uint256 i = 0; i < 3; ++i) {
            openings = abi.encodePacked(openings, values[i], GENERATOR, INFINITY);
        }
        (Statements.Header memory h, bytes memory data) = block_(2, 1);
        h.cOut = cOut % P;
        blobs.blobhashes(hashes);
        blobs.mockCall(PRECOMPILE, "", abi.encode(4096, BLS_MODULUS));
        rollup.commitInBlobs(h, data, openings);
        (bytes32 kept,,,,,) = rollup.blocks(1);
        require(kept == recordOf(blobInputs(h, data, hashes, 2 * 4_096 + 16, values), 0), "inputs");
    }

    // ---- what is refused

    function swap(uint256[] memory values) internal pure returns (uint256[] memory) {
        (values[0], values[1]) = (values[1], values[0]);
        return values;
    }

    function test_the_order_of_blobs_is_part_of_the_block() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        (bytes32[] memory otherHashes, bytes memory otherOpenings) = constants(swap(rising(2)));
        bytes4 refused = Statements.BlobRefused.selector;
        blobs.blobhashes(otherHashes);
        require(why(callOf(h, data, openings)) == refused, "blobs in another order");
        blobs.blobhashes(hashes);
        require(why(callOf(h, data, otherOpenings)) == refused, "openings in another order");
        // The same blobs the other way around are another statement.
        uint256[16] memory inputs = blobInputs(h, data, hashes, 4_160, rising(2));
        blobs.blobhashes(otherHashes);
        rollup.commitInBlobs(h, data, otherOpenings);
        (bytes32 kept,,,,,) = rollup.blocks(1);
        uint256[16] memory others = blobInputs(h, data, otherHashes, 4_160, swap(rising(2)));
        require(kept == recordOf(others, 0), "their own inputs");
        require(others[9] != inputs[9] && others[10] != inputs[10], "other points");
        require(others[12] != inputs[12] || others[13] != inputs[13], "another value");
    }

    function test_a_missing_blob_is_refused() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(1));
        blobs.blobhashes(hashes);
        vm.expectRevert(abi.encodeWithSelector(Statements.WrongBlobs.selector, 2, 1));
        rollup.commitInBlobs(h, data, openings);
        (, openings) = constants(rising(2));
        require(why(callOf(h, data, openings)) == Statements.WrongBlobs.selector, "an opening is no blob");
    }

    function test_a_blob_too_many_is_refused() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 0);
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        blobs.blobhashes(hashes);
        vm.expectRevert(abi.encodeWithSelector(Statements.WrongBlobs.selector, 1, 2));
        rollup.commitInBlobs(h, data, openings);
        (, openings) = constants(rising(1));
        require(why(callOf(h, data, openings)) == Statements.WrongBlobs.selector, "without its opening");
        // One of zeros too.
        uint256[] memory values = rising(2);
        values[1] = 0;
        (hashes, openings) = constants(values);
        blobs.blobhashes(hashes);
        require(why(callOf(h, data, openings)) == Statements.WrongBlobs.selector, "zeros");
    }

    function test_each_opening_is_checked() public {
        (Statements.Header memory h, bytes memory data) = block_(5, 100);
        (bytes32[] memory hashes, bytes memory honest) = constants(rising(6));
        blobs.blobhashes(hashes);
        uint256 z = pointOf(h, hashes, 5 * 4_096 + 64);
        for (uint256 i = 0; i < 6; ++i) {
            bytes memory openings = bytes.concat(honest);
            // The last byte of the value.
            openings[128 * i + 31] ^= 0x10;
            vm.expectRevert(abi.encodeWithSelector(Statements.BlobRefused.selector, hashes[i], z));
            rollup.commitInBlobs{gas: 1 << 24}(h, data, openings);
        }
        require(why(callOf(h, data, honest)) == 0, "the honest ones");
    }

    /// Values that are too large by the modulus would give the same sum.
    function test_each_value_is_canonical() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        (bytes32[] memory hashes,) = constants(rising(2));
        blobs.blobhashes(hashes);
        bytes memory first = openingOf(1);
        bytes memory second = abi.encodePacked(uint256(2), commitmentOf(2), INFINITY);
        bytes memory raised = abi.encodePacked(2 + BLS_MODULUS, commitmentOf(2), INFINITY);
        require(why(callOf(h, data, bytes.concat(first, raised))) == Statements.BlobRefused.selector, "second");
        raised = abi.encodePacked(1 + BLS_MODULUS, GENERATOR, INFINITY);
        require(why(callOf(h, data, bytes.concat(raised, second))) == Statements.BlobRefused.selector, "first");
        require(why(callOf(h, data, bytes.concat(first, second))) == 0, "honest");
    }

    function test_openings_have_128_bytes_each() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        blobs.blobhashes(hashes);
        vm.expectRevert(abi.encodeWithSelector(Statements.OpeningsLength.selector, 256, 128));
        rollup.commitInBlobs(h, data, openingOf(1));
        require(why(callOf(h, data, bytes.concat(openings, hex"00"))) == Statements.OpeningsLength.selector, "longer");
        (, openings) = constants(rising(3));
        require(why(callOf(h, data, openings)) == Statements.OpeningsLength.selector, "three");
    }

    function test_seven_blobs_are_refused() public {
        (Statements.Header memory h, bytes memory data) = block_(6, 1);
        bytes32[] memory hashes = new bytes32[](7);
        bytes memory openings;
        for (uint256 i = 0; i < 7; ++i) {
            hashes[i] = hashOf(GENERATOR);
            openings = bytes.concat(openings, openingOf(1));
        }
        blobs.blobhashes(hashes);
        vm.expectRevert(abi.encodeWithSelector(Statements.BlobsTooFull.selector, 6 * 4_096, 6 * 4_096 + 16));
        rollup.commitInBlobs(h, data, openings);
        // Six are full, and a seventh stands behind them.
        (h, data) = block_(6, 0);
        require(why(callOf(h, data, openings)) == Statements.WrongBlobs.selector, "seven");
    }

    // ---- alarm

    function test_an_alarm_about_two_blobs() public {
        (Statements.Header memory h, bytes memory data) = block_(1, 100);
        (bytes32[] memory hashes, bytes memory openings) = constants(rising(2));
        blobs.blobhashes(hashes);
        rollup.commitInBlobs(h, data, openings);
        uint256[16] memory inputs = blobInputs(h, data, hashes, 4_160, rising(2));
        proveBlob(inputs, data, 2);
        blobs.blobhashes(new bytes32[](0));

        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (7, 33, CIRCUIT);
        (c.versionedHashes, c.openings) = constants(swap(rising(2)));
        require(why(ringing(inputs, data, c)) == Alarm.WrongData.selector, "in another order");
        (c.versionedHashes, c.openings) = constants(rising(1));
        require(why(ringing(inputs, data, c)) == Alarm.WrongData.selector, "one of them");
        // Bytes that move from the hashes to the data are other data.
        require(
            why(ringing(inputs, bytes.concat(data, hashes[0]), c)) == Alarm.WrongData.selector, "a hash behind the data"
        );
        (c.versionedHashes, c.openings) = (hashes, bytes.concat(openingOf(1), openingOf(1)));
        require(why(ringing(inputs, data, c)) == Statements.BlobRefused.selector, "another opening");
        c.openings = openings;
        require(why(ringing(inputs, data, c)) == 0 && rollup.doubted() == 1, "evidence");
    }

    function ringing(uint256[16] memory inputs, bytes memory data, Alarm.Contradiction memory c)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(Alarm.alarm, (1, inputs, bytes32(0), 2, data, c));
    }
}
