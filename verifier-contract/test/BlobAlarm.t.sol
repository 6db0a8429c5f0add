// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Chain} from "../contracts/Chain.sol";
import {Statements} from "../contracts/Statements.sol";
import {BlobWorld} from "./BlobWorld.sol";
import {Exact} from "./Alarm.t.sol";

/// Evidence about blocks whose records are in a blob: the same blob, whoever brings it.
contract BlobAlarmTest is BlobWorld {
    bytes32 own;
    bytes data;
    Statements.Header h;
    Exact exact;

    /// A proven block with a blob, and a verifier that accepts one statement.
    function setUp() public {
        deploy(GENESIS, POLICY);
        uint256[16] memory nothing;
        exact = new Exact(nothing);
        governance.announceVerifier("exact", exact);
        skip(45 days);
        governance.addVerifier("exact", exact);
        own = hashOf(GENERATOR);
        carry(own);
        data = counts(0, 3, 0, 1);
        h = header(GENESIS, 12);
        rollup.commitInBlobs(h, data, openingOf(1));
        proveBlob(inputs(), data, 1);
        // Whoever rings the alarm sends no blob.
        blobs.blobhashes(new bytes32[](0));
    }

    function inputs() internal view returns (uint256[16] memory) {
        return blobInputs(h, data, own, 16, 1);
    }

    function against(uint256 newRoot, uint256 cOut) internal view returns (Alarm.Contradiction memory c) {
        (c.newRoot, c.cOut, c.circuitId) = (newRoot, cOut, CIRCUIT);
        (c.versionedHashes, c.openings) = (list(own), openingOf(1));
    }

    function ring(Alarm.Contradiction memory c) internal returns (bytes4) {
        return why(abi.encodeCall(Alarm.alarm, (1, inputs(), bytes32(0), 1, data, c)));
    }

    function test_another_root_stops_the_block() public {
        require(ring(against(7, 33)) == 0 && rollup.doubted() == 1, "rung");
    }

    function test_another_order_stops_the_block() public {
        require(ring(against(12, 34)) == 0 && rollup.doubted() == 1, "rung");
    }

    function test_the_same_is_no_contradiction() public {
        require(ring(against(12, 33)) == Alarm.NoContradiction.selector, "the same");
    }

    /// The contradicting statement has its own point, and the blob's value there.
    function test_the_verifier_is_asked_about_the_same_blob() public {
        Statements.Header memory other = h;
        (other.newRoot, other.cOut) = (7, 44);
        uint256[16] memory expected = blobInputs(other, data, own, 16, 1);
        require(expected[10] != inputs()[10], "another point");
        Alarm.Contradiction memory c = against(7, 44);
        c.circuitId = "exact";
        // What the block itself says, or all data in calldata, is another statement.
        exact.set(inputs());
        require(ring(c) == Statements.ProofRefused.selector, "the block's own");
        uint256[16] memory without = blobInputs(other, data, own, 16, 1);
        (without[10], without[11], without[12]) = (0, 0, 0);
        exact.set(without);
        require(ring(c) == Statements.ProofRefused.selector, "without the blob");
        exact.set(expected);
        require(ring(c) == 0, "evidence");
    }

    function test_another_blob_is_no_evidence() public {
        Alarm.Contradiction memory c = against(7, 33);
        c.versionedHashes = list(hashOf(INFINITY));
        c.openings = abi.encodePacked(uint256(0), INFINITY, INFINITY);
        require(ring(c) == Alarm.WrongData.selector, "another blob");
        c.versionedHashes = new bytes32[](0);
        require(ring(c) == Alarm.WrongData.selector, "none");
        // Twice the blob, and the blob as data.
        c.versionedHashes = new bytes32[](2);
        (c.versionedHashes[0], c.versionedHashes[1]) = (own, own);
        require(ring(c) == Alarm.WrongData.selector, "twice");
        c.versionedHashes = new bytes32[](0);
        bytes memory longer = bytes.concat(data, own);
        bytes memory call = abi.encodeCall(Alarm.alarm, (1, inputs(), bytes32(0), 1, longer, c));
        require(why(call) == Alarm.WrongData.selector, "as data");
    }

    function test_a_wrong_opening_is_no_evidence() public {
        Alarm.Contradiction memory c = against(7, 34);
        c.openings = openingOf(2);
        require(ring(c) == Statements.BlobRefused.selector, "another value");
        c.openings = "";
        require(ring(c) == Statements.OpeningsLength.selector, "none");
    }

    function test_other_data_are_no_evidence() public {
        bytes memory other = counts(0, 4, 0, 1);
        bytes memory call = abi.encodeCall(Alarm.alarm, (1, inputs(), bytes32(0), 1, other, against(7, 33)));
        require(why(call) == Alarm.WrongData.selector, "other counts");
        uint256[16] memory wrong = inputs();
        wrong[11] = 0;
        call = abi.encodeCall(Alarm.alarm, (1, wrong, bytes32(0), 1, data, against(7, 33)));
        require(why(call) == Chain.WrongInputs.selector, "another mode");
    }

    /// A blob that comes with evidence about a block without one counts for nothing.
    function test_a_block_in_calldata_needs_no_blob() public {
        h = header(12, 13);
        data = counts(0, 0, 0, 0);
        rollup.commit(h, data);
        proveNext(h, data);
        Alarm.Contradiction memory c = against(7, 33);
        c.circuitId = "exact";
        Statements.Header memory other = h;
        other.newRoot = 7;
        exact.set(inputsOf(other, data));
        bytes memory call = abi.encodeCall(Alarm.alarm, (2, inputsOf(h, data), bytes32(0), 1, data, c));
        require(why(call) == 0 && rollup.doubted() == 2, "evidence");
    }

    /// Exodus begins from what stands before it.
    function test_an_unanswered_alarm_ends_in_exodus() public {
        require(ring(against(7, 33)) == 0, "rung");
        skip(3 days);
        rollup.beginExodus();
        require(rollup.exodus() && rollup.stateRoot() == GENESIS, "before the block");
    }
}
