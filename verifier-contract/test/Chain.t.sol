// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Blocks} from "../contracts/Blocks.sol";
import {Chain} from "../contracts/Chain.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {Queue} from "../contracts/Queue.sol";
import {Statements} from "../contracts/Statements.sol";
import {BlobWorld} from "./BlobWorld.sol";

/// Answers as it is told, or not at all.
contract OddVerifier {
    error Broken(uint256 what);

    uint256 public mode;

    function set(uint256 mode_) external {
        mode = mode_;
    }

    fallback() external {
        if (mode == 0) revert Broken(7);
        if (mode == 1) return;
        uint256 answer = mode == 2 ? 2 : 1;
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }
}

/// What is kept of blocks, roots and reverts, and the calls that do several steps at once.
contract ChainTest is BlobWorld {
    address private constant STRANGER = address(5);
    bytes private constant NONE = hex"0000000000000000";

    function setUp() public {
        deploy(GENESIS, POLICY);
        skip(1 hours);
    }

    function commit(uint256 oldRoot, uint256 newRoot) internal returns (Statements.Header memory h) {
        h = header(oldRoot, newRoot);
        rollup.commit(h, NONE);
    }

    function both(uint256 number, uint256[16] memory inputs, bytes32 exits) internal pure returns (bytes memory) {
        uint256[12] memory limbs;
        return abi.encodeCall(Blocks.proveAndFinalize, (number, CIRCUIT, limbs, inputs, exits, ""));
    }

    function ring(uint256 number, Statements.Header memory h) internal {
        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (7, h.cOut, CIRCUIT);
        rollup.alarm(number, inputsOf(h, NONE), 0, 1, NONE, c);
    }

    // ---- what other contracts read

    function test_a_final_block_tells_what_it_says_for_ever() public {
        rollup.deposit{value: 1000}(0, 1000, 77, address(9));
        bytes memory data = abi.encodePacked(
            counts(1, 0, 1, 0),
            depositRecord(1 << 17, 0, 1000, 77, address(9)),
            exitRecord(address(8), 0, uint40(now_()), 5)
        );
        Statements.Header memory h = header(GENESIS, 12);
        rollup.commit(h, data);
        bytes32 expected = keccak256(abi.encode(keccak256(abi.encode(inputsOf(h, data))), exitsOf(h, data)));
        require(exitsOf(h, data) != 0, "something leaves");
        for (uint256 i = 0; i < 2; ++i) {
            (bytes32 early, uint64 since) = rollup.blockInputs(1);
            require(early == 0 && since == 0, "not final");
            if (i == 0) proveNext(h, data);
        }
        skip(10);
        rollup.finalize(1);
        uint256 finalAt = now_();
        skip(100 days);
        for (uint256 i = 0; i < 3; ++i) {
            finalizeWith(NONE, 20 + i);
        }
        (bytes32 kept, uint64 time) = rollup.blockInputs(1);
        require(kept == expected && time == finalAt, "kept");
        for (uint256 i = 0; i < 2; ++i) {
            (kept, time) = rollup.blockInputs(i == 0 ? 0 : 5);
            require(kept == 0 && time == 0, "genesis, and what is not there");
        }
    }

    function test_a_block_that_was_taken_back_tells_nothing() public {
        finalizeWith(NONE, 12);
        Statements.Header memory h = commit(12, 13);
        proveNext(h, NONE);
        rollup.finalize(2);
        ring(2, h);
        removeVerifier(CIRCUIT);
        rollup.resume();
        (bytes32 kept, uint64 time) = rollup.blockInputs(2);
        require(kept == 0 && time == 0, "taken back");
        (kept, time) = rollup.blockInputs(1);
        require(kept != 0 && time != 0, "its half of the word is untouched");
        // What comes in its place is not final by what was.
        commit(12, 14);
        (kept, time) = rollup.blockInputs(2);
        require(kept == 0 && time == 0 && finalSince(2) == 0, "another one");
    }

    function test_every_revert_is_counted_with_its_end() public {
        require(rollup.revertCount() == 0, "none");
        finalizeWith(NONE, 12);
        commit(12, 13);
        commit(13, 14);
        rollup.revertCommits();
        commit(12, 13);
        skip(3 days + 1);
        // Whoever brings a block while operators are away drops what stands in his way.
        uint256[12] memory limbs;
        Statements.Header memory h = header(12, 15);
        vm.prank(STRANGER);
        rollup.settle(h, NONE, CIRCUIT, limbs, "");
        ring(2, h);
        removeVerifier(CIRCUIT);
        rollup.resume();
        require(rollup.revertCount() == 3, "three");
        for (uint256 i = 0; i < 3; ++i) {
            (uint64 to, uint64 when) = rollup.reverts(i);
            require(to == 1 && when <= block.timestamp, "to the first block");
        }
        vm.expectRevert();
        rollup.reverts(3);
    }

    // ---- roots

    function test_the_last_root_is_that_of_the_last_block_whatever_its_stage() public {
        require(rollup.genesisRoot() == GENESIS && rollup.committedRoot() == GENESIS, "genesis");
        Statements.Header memory first = commit(GENESIS, 12);
        Statements.Header memory second = commit(12, 13);
        commit(13, 14);
        require(rollup.committedRoot() == 14 && rollup.stateRoot() == GENESIS, "committed");
        proveNext(first, NONE);
        require(rollup.committedRoot() == 14 && rollup.stateRoot() == GENESIS, "one proven");
        proveNext(second, NONE);
        require(rollup.finalized() == 1 && rollup.stateRoot() == 12, "the proof made the one before final");
        rollup.revertCommits();
        require(rollup.committedRoot() == 13, "the proven one stays");
        Statements.Header memory late = header(14, 15);
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongOldRoot.selector, 13, 14));
        rollup.commit(late, NONE);
        rollup.finalize(2);
        require(rollup.committedRoot() == 13 && rollup.stateRoot() == 13, "final");
        commit(13, 15);
    }

    function test_an_alarm_leads_back_to_the_root_before() public {
        Statements.Header[4] memory h;
        for (uint256 i = 1; i < 4; ++i) {
            h[i] = commit(rollup.committedRoot(), 20 + i);
            proveNext(h[i], NONE);
        }
        require(rollup.finalized() == 2 && rollup.proven() == 3, "one waits");
        commit(23, 24);
        ring(3, h[3]);
        ring(2, h[2]);
        removeVerifier(CIRCUIT);
        rollup.resume();
        require(rollup.stateRoot() == 21 && rollup.committedRoot() == 21 && rollup.committed() == 1, "the earlier one");
        commit(21, 25);
    }

    // ---- proving and finalizing at once

    function test_a_proof_moves_the_root_in_one_call() public {
        Statements.Header memory first = commit(GENESIS, 12);
        Statements.Header memory second = commit(12, 13);
        proveNext(first, NONE);
        skip(5);
        require(why(both(2, inputsOf(second, NONE), 0)) == 0, "open to anybody");
        require(rollup.finalized() == 2 && rollup.stateRoot() == 13, "both");
        require(finalSince(1) == now_() && finalSince(2) == now_(), "since now");
        (,,,,, uint16 circuit) = rollup.blocks(2);
        require(circuit == 1, "by its circuit");
    }

    function test_what_does_not_hold_moves_nothing() public {
        Statements.Header memory h = commit(GENESIS, 12);
        uint256[16] memory inputs = inputsOf(h, NONE);
        require(why(both(0, inputs, 0)) == Blocks.NotNext.selector, "genesis");
        require(why(both(2, inputs, 0)) == Blocks.NotNext.selector, "not its turn");
        require(why(both(1, inputs, bytes32(uint256(1)))) == Chain.WrongInputs.selector, "other exits");
        for (uint256 i = 0; i < 16; ++i) {
            inputs[i] ^= 1;
            require(why(both(1, inputs, 0)) == Chain.WrongInputs.selector, "other inputs");
            inputs[i] ^= 1;
        }
        verifier.set(false);
        require(why(both(1, inputs, 0)) == Statements.ProofRefused.selector, "no proof");
        require(rollup.proven() == 0 && rollup.stateRoot() == GENESIS, "nothing moved");
        verifier.set(true);
        require(why(both(1, inputs, 0)) == 0, "a proof");
        require(why(both(1, inputs, 0)) == Blocks.NotNext.selector, "once");
    }

    function test_no_call_makes_final_what_is_in_doubt() public {
        Statements.Header memory first = commit(GENESIS, 12);
        Statements.Header memory second = commit(12, 13);
        proveNext(first, NONE);
        ring(1, first);
        bytes4 runs = Queue.AlarmRuns.selector;
        uint256[12] memory limbs;
        require(why(both(2, inputsOf(second, NONE), 0)) == runs, "in one call");
        require(why(abi.encodeCall(Blocks.finalize, (1))) == runs, "alone");
        carry(hashOf(GENERATOR));
        bytes memory call = abi.encodeCall(
            Blocks.settleInBlobs, (header(13, 14), counts(0, 1, 0, 0), openingOf(1), CIRCUIT, limbs, "")
        );
        require(why(call) == runs, "with a block behind it");
        skip(3 days);
        rollup.beginExodus();
        require(why(both(2, inputsOf(second, NONE), 0)) == Queue.InExodus.selector, "nor in exodus");
        require(why(call) == Queue.InExodus.selector, "nor this");
        require(rollup.stateRoot() == GENESIS, "root");
    }

    // ---- all of it at once, in a blob

    function inBlob(uint256 oldRoot, uint256 newRoot) internal view returns (bytes memory) {
        uint256[12] memory limbs;
        Statements.Header memory h = header(oldRoot, newRoot);
        return abi.encodeCall(Blocks.settleInBlobs, (h, counts(0, 1, 0, 0), openingOf(1), CIRCUIT, limbs, ""));
    }

    function test_a_block_in_a_blob_in_one_call() public {
        bytes memory call = inBlob(GENESIS, 12);
        require(why(call) == Blocks.NoBlob.selector, "no blob");
        bytes32 own = hashOf(GENERATOR);
        carry(own);
        require(why(call) == 0 && rollup.stateRoot() == 12 && rollup.finalized() == 1, "settled");
        Statements.Header memory h = header(GENESIS, 12);
        (bytes32 kept, uint64 since) = rollup.blockInputs(1);
        bytes32 expected = recordOf(blobInputs(h, counts(0, 1, 0, 0), own, 16, 1), 0);
        require(kept == expected && since == now_(), "as if it had come in three");
        (, uint64 time, uint64 committedAt,,, uint16 circuit) = rollup.blocks(1);
        require(time == now_() && committedAt == now_() && circuit == 1, "kept");
        // A commit without a proof is in the way.
        commit(12, 13);
        require(why(inBlob(13, 14)) == Blocks.NotNext.selector, "first the one before");
    }

    function test_a_blob_in_one_call_is_for_operators() public {
        carry(hashOf(GENERATOR));
        skip(3 days + 1);
        require(rollup.operatorsAway(), "away");
        bytes memory call = inBlob(GENESIS, 12);
        vm.prank(STRANGER);
        (bool ok, bytes memory reason) = address(rollup).call(call);
        require(!ok && bytes4(reason) == Blocks.NotOperator.selector, "others settle in calldata");
        pause();
        require(why(call) == Queue.IsPaused.selector, "paused");
    }

    function test_a_refused_proof_leaves_nothing_of_the_block() public {
        carry(hashOf(GENERATOR));
        bytes memory call = inBlob(GENESIS, 12);
        verifier.set(false);
        require(why(call) == Statements.ProofRefused.selector, "no proof");
        require(rollup.committed() == 0 && rollup.committedRoot() == GENESIS, "nothing");
        verifier.set(true);
        require(why(call) == 0, "a proof");
    }

    // ---- verifiers

    function test_a_verifier_says_yes_or_it_is_no() public {
        OddVerifier odd = new OddVerifier();
        governance.announceVerifier("odd", IVerifier(address(odd)));
        skip(45 days);
        governance.addVerifier("odd", IVerifier(address(odd)));
        Statements.Header memory h = commit(GENESIS, 12);
        uint256[12] memory limbs;
        bytes memory call =
            abi.encodeCall(Blocks.proveAndFinalize, (1, "odd", limbs, inputsOf(h, NONE), bytes32(0), hex"01"));
        require(why(call) == OddVerifier.Broken.selector, "its own error");
        odd.set(1);
        require(why(call) == Statements.ProofRefused.selector, "no answer");
        odd.set(2);
        require(why(call) == Statements.ProofRefused.selector, "neither true nor false");
        odd.set(3);
        require(why(call) == 0, "true");
        (,,,,, uint16 circuit) = rollup.blocks(1);
        require(circuit == 2 && governance.circuitOf(2) == "odd", "the second circuit");
    }

    /// What the verifier is given is what the compiler would give it.
    function testFuzz_the_verifiers_calldata(uint256[12] calldata limbs, bytes calldata proof) public {
        uint256[12] memory below;
        for (uint256 i = 0; i < 12; ++i) {
            below[i] = limbs[i] % P;
        }
        Statements.Header memory h = commit(GENESIS, 12);
        uint256[16] memory inputs = inputsOf(h, NONE);
        uint256[] memory instances = new uint256[](28);
        for (uint256 i = 0; i < 28; ++i) {
            instances[i] = i < 12 ? below[i] : inputs[i - 12];
        }
        blobs.mockCallRevert(address(verifier), "", "not this");
        blobs.mockCall(
            address(verifier), abi.encodeCall(IVerifier.verify, (instances, proof)), abi.encode(true)
        );
        rollup.proveAndFinalize(1, CIRCUIT, below, inputs, 0, proof);
        require(rollup.finalized() == 1, "asked");
    }

    function test_every_word_of_a_statement_is_an_element() public {
        Statements.Header memory h = commit(GENESIS, 12);
        uint256[16] memory inputs = inputsOf(h, NONE);
        for (uint256 i = 0; i < 12; ++i) {
            uint256[12] memory limbs;
            limbs[i] = P + i;
            vm.expectRevert(abi.encodeWithSelector(Statements.RootOutOfRange.selector, P + i));
            rollup.proveAndFinalize(1, CIRCUIT, limbs, inputs, 0, "");
        }
    }

    // ---- numbers of circuits

    function test_a_circuit_keeps_its_number() public {
        require(governance.circuitOf(1) == CIRCUIT && governance.circuitOf(0) == 0, "the first");
        require(governance.circuitOf(2) == 0, "no second");
        removeVerifier(CIRCUIT);
        (IVerifier none, uint16 number) = governance.circuit(CIRCUIT);
        require(address(none) == address(0) && number == 1, "without a verifier");
        governance.announceVerifier(CIRCUIT, verifier);
        governance.announceVerifier("next", verifier);
        skip(45 days);
        governance.addVerifier("next", verifier);
        governance.addVerifier(CIRCUIT, verifier);
        (, number) = governance.circuit(CIRCUIT);
        require(number == 1 && governance.circuitOf(1) == CIRCUIT, "the same");
        (, number) = governance.circuit("next");
        require(number == 2 && governance.circuitOf(2) == "next", "the next");
    }
}
