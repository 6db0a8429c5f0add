// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Blocks} from "../contracts/Blocks.sol";
import {Statements} from "../contracts/Statements.sol";
import {BlobWorld} from "./BlobWorld.sol";
import {GasVm} from "./Gas.t.sol";

/// The largest block that the contract takes, of whatever its data are, is committed, settled and
/// doubted in one transaction each: below 2^24 gas (EIP-7825), with the calldata at the higher of the
/// usual price and EIP-7623's floor, and room for a verifier and its proof.
contract LargestTest is BlobWorld {
    uint256 private constant CAP = 1 << 24;
    /// Twice what the verifier of a block takes, and its proof by the floor.
    uint256 private constant VERIFIER = 1_500_000;
    GasVm private constant gas = GasVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function setUp() public {
        deploy(GENESIS, POLICY);
        verifier.set(true);
    }

    function send(string memory name, bytes memory input) internal {
        (bool ok,) = address(rollup).call(input);
        GasVm.Gas memory used = gas.lastCallGas();
        require(ok, name);
        // Every byte as if it were not 0.
        uint256 total = 21_000 + 16 * input.length + used.gasTotalUsed;
        uint256 floor = 21_000 + 40 * input.length;
        require((total > floor ? total : floor) + VERIFIER < CAP, name);
    }

    /// Data of so many batches as one block may have, of these records, as long as they may be.
    function fill(bytes memory record, uint256 section, uint256 batches) internal view returns (bytes memory data) {
        uint256 longest = rollup.MAX_DATA();
        uint256 each = (longest / batches - 8) / record.length;
        data = new bytes(batches * (8 + each * record.length));
        uint256 at = 0;
        bytes memory head = abi.encodePacked(uint64(each << (48 - 16 * section)));
        for (uint256 b = 0; b < batches; ++b) {
            at = put(data, at, head);
            for (uint256 i = 0; i < each; ++i) {
                at = put(data, at, record);
            }
        }
        require(data.length == at && longest - at < batches * record.length, "as long as they may be");
    }

    /// Copies to `at`; what it writes behind is written over later, or no data any more.
    function put(bytes memory data, uint256 at, bytes memory piece) private pure returns (uint256) {
        for (uint256 i = 0; i < piece.length; ++i) {
            data[at + i] = piece[i];
        }
        return at + piece.length;
    }

    function measure(bytes memory data, uint256 batches) internal {
        Statements.Header memory h = header(GENESIS, 12);
        h.batches = uint32(batches);
        uint256[12] memory limbs;
        uint256[16] memory inputs = inputsOf(h, data);
        send("commit", abi.encodeCall(Blocks.commit, (h, data)));
        rollup.prove(1, CIRCUIT, limbs, inputs, exitsOf(h, data), "");
        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (7, 33, CIRCUIT);
        send("alarm", abi.encodeCall(Alarm.alarm, (1, inputs, exitsOf(h, data), uint32(batches), data, c)));
        removeVerifier(CIRCUIT);
        rollup.resume();
        require(rollup.committed() == 0, "taken back");
    }

    function settleLargest(bytes memory data, uint256 batches) internal {
        Statements.Header memory h = header(GENESIS, 12);
        h.batches = uint32(batches);
        uint256[12] memory limbs;
        send("settle", abi.encodeCall(Blocks.settle, (h, data, CIRCUIT, limbs, "")));
    }

    function both(bytes memory record, uint256 section, uint256 batches) internal {
        bytes memory data = fill(record, section, batches);
        settleLargest(data, batches);
        deploy(GENESIS, POLICY);
        measure(data, batches);
    }

    /// Six full blobs, and as much calldata as there may be beside them.
    function test_of_most_blobs() public {
        bytes memory data = bytes.concat(
            counts(0, 49_152, 0, 0),
            fill(exitRecord(address(uint160(uint256(keccak256("to")))), 257, uint40(now_()), 1), 2, 255)
        );
        uint256[] memory values = new uint256[](6);
        for (uint256 i = 0; i < 6; ++i) {
            values[i] = i + 1;
        }
        (bytes32[] memory hashes, bytes memory openings) = constants(values);
        blobs.blobhashes(hashes);
        Statements.Header memory h = header(GENESIS, 12);
        h.batches = 256;
        uint256[12] memory limbs;
        send("settle", abi.encodeCall(Blocks.settleInBlobs, (h, data, openings, CIRCUIT, limbs, "")));
        uint256[16] memory inputs = blobInputs(h, data, hashes, 24_576, values);
        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (7, 33, CIRCUIT);
        (c.versionedHashes, c.openings) = (hashes, openings);
        bytes32 exits = this.readExits(data, true, 256);
        send("alarm", abi.encodeCall(Alarm.alarm, (1, inputs, exits, 256, data, c)));
        require(rollup.doubted() == 1, "rung");
    }

    function test_of_transfers() public {
        both(abi.encodePacked(bytes15(keccak256("op"))), 1, 1);
    }

    function test_of_exits() public {
        both(exitRecord(address(uint160(uint256(keccak256("to")))), 257, uint40(now_()), type(uint128).max), 2, 1);
    }

    function test_of_owners() public {
        both(abi.encodePacked(bytes32(P - 1), bytes20(keccak256("exit"))), 3, 1);
    }

    function test_of_most_batches() public {
        both(exitRecord(address(uint160(uint256(keccak256("to")))), 257, uint40(now_()), 1), 2, rollup.MAX_BATCHES());
    }

    function test_of_what_users_ask_for() public {
        bytes memory record = forcedRecord(1 << 17, 0, address(this));
        bytes memory data = fill(record, 0, 1);
        for (uint256 i = 0; i < data.length / record.length; ++i) {
            rollup.requestForcedExit(1 << 17, 0);
        }
        uint256 entries = rollup.queueLength();
        settleLargest(data, 1);
        uint64 processed = processedAfter(1);
        require(processed == entries, "all");
        deploy(GENESIS, POLICY);
        for (uint256 i = 0; i < entries; ++i) {
            rollup.requestForcedExit(1 << 17, 0);
        }
        measure(data, 1);
    }
}
