// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blocks} from "../contracts/Blocks.sol";
import {Chain} from "../contracts/Chain.sol";
import {Data} from "../contracts/Data.sol";
import {Statements} from "../contracts/Statements.sol";
import {BlobWorld} from "./BlobWorld.sol";

/// Blocks whose L2 and owner records are in a blob.
contract BlobTest is BlobWorld {
    bytes32 own;

    event Committed(
        uint256 indexed number, Statements.Header header, bytes32 exitRoot, uint256 processed, bytes32[] versionedHashes
    );

    function setUp() public {
        deploy(GENESIS, POLICY);
        own = hashOf(GENERATOR);
    }

    /// Hashes that are set in `setUp` do not reach the tests.
    modifier withBlob() {
        carry(own);
        _;
    }

    function callOf(bytes memory data, bytes memory opening) internal view returns (bytes memory) {
        return abi.encodeCall(Blocks.commitInBlobs, (header(GENESIS, 12), data, opening));
    }

    // ---- what is taken

    function test_a_block_with_its_records_in_a_blob() public withBlob {
        rollup.deposit{value: 50}(0, 50, 77, address(9));
        bytes memory record = exitRecord(address(8), 0, uint40(now_()), 5);
        bytes memory data = abi.encodePacked(
            counts(1, 1, 1, 1), depositRecord(1 << 17, 0, 50, 77, address(9)), record
        );
        Statements.Header memory h = header(GENESIS, 12);
        blobs.expectEmit(address(rollup));
        emit Committed(1, h, exitRoot(1, leafOf(record)), 1, list(own));
        rollup.commitInBlobs(h, data, openingOf(1));
        uint256[16] memory inputs = blobInputs(h, data, own, 16, 1);
        (bytes32 kept,,,,,) = rollup.blocks(1);
        bytes32 exits = exitRoot(1, leafOf(record));
        require(kept == recordOf(inputs, exits), "inputs");
        require(inputs[11] == 1 && inputs[10] != 0 && inputs[12] == 1, "said to the circuit");

        // One that says otherwise about any of them is not taken.
        for (uint256 i = 0; i < 16; ++i) {
            inputs[i] ^= 1;
            uint256[12] memory limbs;
            bytes memory call = abi.encodeCall(Blocks.prove, (1, CIRCUIT, limbs, inputs, exits, ""));
            require(why(call) == Chain.WrongInputs.selector, "other inputs");
            inputs[i] ^= 1;
        }
        proveBlob(inputs, data, h.batches);
        rollup.finalize(1);
        require(rollup.stateRoot() == 12, "final");
    }

    function test_what_is_in_the_blob_does_not_count_in_the_polynomial() public view {
        // Counts alone, at their places.
        bytes memory data = counts(0, 3, 0, 2);
        uint256 rho = 5;
        for (uint256 i = 0; i < 16; ++i) {
            rho = mulmod(rho, rho, P);
        }
        uint256 power = 1;
        for (uint256 i = 0; i < 5; ++i) {
            power = mulmod(power, rho, P);
        }
        require(this.polynomialInBlob(data, 1, 5) == addmod(power, (3 << 16) + (2 << 48), P), "y");
    }

    function test_blobs_and_calldata_take_turns() public withBlob {
        finalizeWith(counts(0, 0, 0, 0), 12);
        bytes memory data = counts(0, 1, 0, 0);
        Statements.Header memory h = header(12, 13);
        rollup.commitInBlobs(h, data, openingOf(1));
        proveBlob(blobInputs(h, data, own, 16, 1), data, 1);
        rollup.finalize(2);
        finalizeWith(counts(0, 0, 0, 0), 14);
        // Commits in blobs are taken back like others.
        rollup.commitInBlobs(header(14, 15), data, openingOf(1));
        rollup.revertCommits();
        require(rollup.committed() == 3 && rollup.stateRoot() == 14, "taken back");
    }

    function test_other_calls_take_no_notice_of_a_blob() public withBlob {
        bytes memory data = counts(0, 0, 0, 0);
        Statements.Header memory h = header(GENESIS, 12);
        blobs.expectEmit(address(rollup));
        emit Committed(1, h, 0, 0, new bytes32[](0));
        rollup.commit(h, data);
        (bytes32 kept,,,,,) = rollup.blocks(1);
        require(kept == recordOf(inputsOf(h, data), 0), "calldata");
        proveNext(h, data);
        uint256[12] memory limbs;
        rollup.settle(header(12, 13), data, CIRCUIT, limbs, "");
        require(rollup.stateRoot() == 13, "settled");
    }

    // ---- how full it is

    function test_a_full_blob_is_taken_and_no_fuller_one() public withBlob {
        // 8,192 slots are 4,096 elements.
        require(why(callOf(counts(0, 8_192, 0, 0), openingOf(1))) == 0, "full");
        rollup.revertCommits();
        Statements.Header memory h = header(GENESIS, 12);
        vm.expectRevert(abi.encodeWithSelector(Statements.WrongBlobs.selector, 2, 1));
        rollup.commitInBlobs(h, counts(0, 8_193, 0, 0), openingOf(1));
        require(why(callOf(counts(0, 8_188, 0, 1), openingOf(1))) == 0, "an owner has four slots");
        rollup.revertCommits();
        require(why(callOf(counts(0, 8_189, 0, 1), openingOf(1))) == Statements.WrongBlobs.selector, "owners count");
    }

    function test_the_elements_of_all_batches_count() public withBlob {
        // A batch fills whole groups of 32 slots; one without records fills none.
        bytes memory data;
        Statements.Header memory h = header(GENESIS, 12);
        uint8[8] memory l2 = [0, 1, 31, 32, 33, 0, 28, 29];
        uint8[8] memory owners = [0, 0, 0, 0, 0, 9, 1, 1];
        uint256 elements = 0;
        for (uint256 i = 0; i < 8; ++i) {
            data = abi.encodePacked(data, counts(0, l2[i], 0, owners[i]));
            elements += elementsOf(l2[i], owners[i]);
        }
        require(elements == 16 * (0 + 1 + 1 + 1 + 2 + 2 + 1 + 2), "counted by hand");
        h.batches = 8;
        rollup.commitInBlobs(h, data, openingOf(1));
        proveBlob(blobInputs(h, data, own, elements, 1), data, h.batches);

        h = header(12, 13);
        h.batches = 2;
        data = abi.encodePacked(counts(0, 8_161, 0, 0), counts(0, 1, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Statements.WrongBlobs.selector, 2, 1));
        rollup.commitInBlobs(h, data, openingOf(1));
    }

    // ---- what is refused

    function test_only_operators_commit_in_blobs() public withBlob {
        Statements.Header memory h = header(GENESIS, 12);
        vm.prank(address(5));
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, address(5)));
        rollup.commitInBlobs(h, counts(0, 1, 0, 0), openingOf(1));
    }

    function test_there_must_be_a_blob() public withBlob {
        blobs.blobhashes(new bytes32[](0));
        require(why(callOf(counts(0, 1, 0, 0), openingOf(1))) == Blocks.NoBlob.selector, "none");
    }

    function test_another_blob_is_refused() public withBlob {
        carry(hashOf(INFINITY));
        bytes memory data = counts(0, 1, 0, 0);
        Statements.Header memory h = header(GENESIS, 12);
        uint256 z = pointOf(h, hashOf(INFINITY), 16);
        vm.expectRevert(abi.encodeWithSelector(Statements.BlobRefused.selector, hashOf(INFINITY), z));
        rollup.commitInBlobs(h, data, openingOf(1));
        // The blob of zeros has its own opening.
        rollup.commitInBlobs(h, data, abi.encodePacked(uint256(0), INFINITY, INFINITY));
    }

    function test_another_value_is_refused() public withBlob {
        bytes4 refused = Statements.BlobRefused.selector;
        bytes memory data = counts(0, 1, 0, 0);
        require(why(callOf(data, openingOf(2))) == refused, "another value");
        require(why(callOf(data, openingOf(0))) == refused, "zero");
        require(why(callOf(data, openingOf(1 + BLS_MODULUS))) == refused, "the same value, not canonical");
        require(why(callOf(data, openingOf(1 + (1 << 255)))) == refused, "a bit more");
        require(why(callOf(data, abi.encodePacked(uint256(1), GENERATOR, GENERATOR))) == refused, "another proof");
        require(why(callOf(data, abi.encodePacked(uint256(1), INFINITY, INFINITY))) == refused, "another commitment");
        require(why(callOf(data, openingOf(1))) == 0, "the honest one");
    }

    function test_an_opening_has_128_bytes() public withBlob {
        bytes4 refused = Statements.OpeningsLength.selector;
        bytes memory data = counts(0, 1, 0, 0);
        require(why(callOf(data, "")) == refused, "none");
        bytes memory short = openingOf(1);
        assembly ("memory-safe") {
            mstore(short, 127)
        }
        require(why(callOf(data, short)) == refused, "a byte less");
        require(why(callOf(data, abi.encodePacked(openingOf(1), uint8(0)))) == refused, "a byte more");
    }

    function test_data_hold_what_is_not_in_the_blob_and_no_more() public withBlob {
        bytes4 wrong = Data.DataLength.selector;
        require(why(callOf(abi.encodePacked(counts(0, 1, 0, 0), bytes15(0)), openingOf(1))) == wrong, "an L2 record");
        require(why(callOf(abi.encodePacked(counts(0, 0, 0, 1), bytes32(0), bytes20(0)), openingOf(1))) == wrong, "an owner");
        require(why(callOf(abi.encodePacked(counts(0, 1, 0, 0), uint8(0)), openingOf(1))) == wrong, "a byte more");
        require(why(callOf(counts(1, 1, 0, 0), openingOf(1))) == wrong, "no L1 record");
        require(why(callOf(counts(0, 1, 1, 0), openingOf(1))) == wrong, "no exit");
        require(why(callOf(hex"00000001000000", openingOf(1))) == wrong, "a byte less");
        bytes memory record = depositRecord(1 << 17, 0, 50, 77, address(9));
        bytes4 queue = Blocks.QueueMismatch.selector;
        require(why(callOf(abi.encodePacked(counts(1, 1, 0, 0), record), openingOf(1))) == queue, "nobody has deposited");
    }

    // ---- what the precompile answers

    /// What it is asked: exactly this.
    function test_the_precompile_is_asked_about_the_claim() public withBlob {
        Statements.Header memory h = header(GENESIS, 12);
        bytes memory question =
            abi.encodePacked(own, pointOf(h, own, 16), uint256(7), GENERATOR, GENERATOR);
        blobs.mockCallRevert(PRECOMPILE, "", "");
        blobs.mockCall(PRECOMPILE, question, abi.encode(4096, BLS_MODULUS));
        bytes memory data = counts(0, 1, 0, 0);
        bytes memory opening = abi.encodePacked(uint256(7), GENERATOR, GENERATOR);
        require(why(abi.encodeCall(Blocks.commitInBlobs, (h, data, opening))) == 0, "the question");
    }

    function test_a_value_has_two_limbs() public withBlob {
        Statements.Header memory h = header(GENESIS, 12);
        bytes memory data = counts(0, 1, 0, 0);
        uint256 value = BLS_MODULUS - 1;
        blobs.mockCall(PRECOMPILE, "", abi.encode(4096, BLS_MODULUS));
        rollup.commitInBlobs(h, data, openingOf(value));
        uint256[16] memory inputs = blobInputs(h, data, own, 16, value);
        require(inputs[12] < 1 << 127 && inputs[13] < 1 << 128, "limbs");
        require(inputs[12] + inputs[13] * (1 << 127) == value, "value");
        proveBlob(inputs, data, h.batches);
    }

    function test_only_its_own_answer_is_taken() public withBlob {
        bytes memory call = callOf(counts(0, 1, 0, 0), openingOf(1));
        bytes4 refused = Statements.BlobRefused.selector;
        blobs.mockCallRevert(PRECOMPILE, "", abi.encode(4096, BLS_MODULUS));
        require(why(call) == refused, "it fails");
        blobs.clearMockedCalls();
        bytes[6] memory answers = [
            abi.encode(4097, BLS_MODULUS),
            abi.encode(4096, BLS_MODULUS + 1),
            abi.encode(BLS_MODULUS, 4096),
            abi.encode(4096),
            abi.encode(4096, BLS_MODULUS, 0),
            bytes("")
        ];
        for (uint256 i = 0; i < 6; ++i) {
            blobs.mockCall(PRECOMPILE, "", answers[i]);
            require(why(call) == refused, "another answer");
            blobs.clearMockedCalls();
        }
        require(why(call) == 0, "its own");
    }
}
