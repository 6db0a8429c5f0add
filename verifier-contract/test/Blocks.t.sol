// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Blocks} from "../contracts/Blocks.sol";
import {Queue} from "../contracts/Queue.sol";
import {Governance} from "../contracts/Governance.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Fixture} from "./Support.sol";

contract BlocksTest is Fixture {
    address constant STRANGER = address(5);

    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function test_commit_checks_its_header() public {
        bytes memory none = counts(0, 0, 0, 0);
        Blocks.Header memory h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongOldRoot.selector, 11, 12));
        rollup.commit(h, none);
        h = header(11, P);
        vm.expectRevert(abi.encodeWithSelector(Blocks.RootOutOfRange.selector, P));
        rollup.commit(h, none);
        h = header(11, 13);
        h.policyRoot = 23;
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongPolicy.selector, 22, 23));
        rollup.commit(h, none);
        h = header(11, 13);
        h.time = uint64(now_() + 1);
        vm.expectRevert(
            abi.encodeWithSelector(Blocks.TimeOutOfRange.selector, 0, uint64(now_() + 1), now_())
        );
        rollup.commit(h, none);
        h = header(11, 13);
        h.batches = 0;
        vm.expectRevert(Blocks.NoBatches.selector);
        rollup.commit(h, none);
        h = header(11, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.commit(h, none);
    }

    function test_the_queue_is_processed_in_order_and_as_it_is() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        Blocks.Header memory h = header(11, 13);
        bytes memory other = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 0, 6, 77, address(9)));
        vm.expectRevert(abi.encodeWithSelector(Blocks.QueueMismatch.selector, 1));
        rollup.commit(h, other);
        bytes memory twice = abi.encodePacked(
            counts(2, 0, 0, 0), depositRecord(1 << 17, 0, 5, 77, address(9)), depositRecord(1 << 17, 0, 5, 77, address(9))
        );
        vm.expectRevert(abi.encodeWithSelector(Blocks.QueueMismatch.selector, 2));
        rollup.commit(h, twice);
        rollup.commit(
            h, abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 0, 5, 77, address(9)))
        );
    }

    function test_only_a_proof_moves_the_root() public {
        bytes memory none = counts(0, 0, 0, 0);
        Blocks.Header memory h = header(11, 13);
        rollup.commit(h, none);
        uint256[10] memory inputs = inputsOf(h, none);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotNext.selector, 1, 1));
        rollup.finalize(1);
        uint256[10] memory wrong = inputs;
        wrong[1] += 1;
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongInputs.selector, 1));
        rollup.prove(1, CIRCUIT, limbs, wrong, "");
        wrong[1] -= 1;
        limbs[3] = P;
        vm.expectRevert(abi.encodeWithSelector(Blocks.RootOutOfRange.selector, P));
        rollup.prove(1, CIRCUIT, limbs, inputs, "");
        limbs[3] = 0;
        verifier.set(false);
        vm.expectRevert(abi.encodeWithSelector(Blocks.ProofRefused.selector, 1));
        rollup.prove(1, CIRCUIT, limbs, inputs, "");
        verifier.set(true);
        rollup.prove(1, CIRCUIT, limbs, inputs, "");
        require(rollup.stateRoot() == 11, "not yet");
        rollup.finalize(1);
        require(rollup.stateRoot() == 13, "root");
    }

    function test_unproven_commits_are_taken_back() public {
        vm.expectRevert(Blocks.NothingToRevert.selector);
        rollup.revertCommits();
        rollup.commit(header(11, 13), counts(0, 0, 0, 0));
        rollup.commit(header(13, 14), counts(0, 0, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Blocks.TooEarly.selector, now_() + 1 days));
        vm.prank(STRANGER);
        rollup.revertCommits();
        vm.warp(now_() + 1 days);
        vm.prank(STRANGER);
        rollup.revertCommits();
        require(rollup.committed() == 0, "reverted");
        rollup.commit(header(11, 15), counts(0, 0, 0, 0));
    }

    function test_a_rollup_has_a_governance_and_a_genesis_in_the_field() public {
        vm.expectRevert(abi.encodeWithSelector(Queue.NoGovernance.selector, address(77)));
        new Rollup(11, Governance(address(77)));
        vm.expectRevert(abi.encodeWithSelector(Blocks.RootOutOfRange.selector, P));
        new Rollup(P, governance);
    }

    function settleNone(uint256 oldRoot, uint256 newRoot) internal {
        uint256[12] memory limbs;
        rollup.settle(header(oldRoot, newRoot), counts(0, 0, 0, 0), CIRCUIT, limbs, "");
    }

    function test_three_calls_or_one() public {
        settleNone(11, 12);
        require(rollup.stateRoot() == 12 && rollup.finalized() == 1, "one call");
        // Proven blocks become final on the way; commits without a proof are in the way.
        Blocks.Header memory h = header(12, 13);
        rollup.commit(h, counts(0, 0, 0, 0));
        Blocks.Header memory after_ = header(13, 14);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotNext.selector, 2, 3));
        rollup.settle(after_, counts(0, 0, 0, 0), CIRCUIT, limbs, "");
        proveNext(h, counts(0, 0, 0, 0));
        settleNone(13, 14);
        require(rollup.stateRoot() == 14 && rollup.finalized() == 3, "all");
    }

    function test_a_proof_names_a_known_circuit() public {
        Blocks.Header memory h = header(11, 13);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.UnknownCircuit.selector, bytes32("other")));
        rollup.settle(h, counts(0, 0, 0, 0), "other", limbs, "");
    }

    function test_anybody_brings_blocks_when_operators_stay_away() public {
        rollup.commit(header(11, 99), counts(0, 0, 0, 0));
        Blocks.Header memory h = header(11, 12);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.settle(h, counts(0, 0, 0, 0), CIRCUIT, limbs, "");
        skip(3 days + 1);
        require(rollup.operatorsAway(), "away");
        // A commit alone stays the operators': it would stand in the way of others.
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.commit(h, counts(0, 0, 0, 0));
        vm.prank(STRANGER);
        rollup.settle(h, counts(0, 0, 0, 0), CIRCUIT, limbs, "");
        require(rollup.stateRoot() == 12 && rollup.committed() == 1, "settled, the commit dropped");
        require(!rollup.operatorsAway(), "back");
    }

    function test_a_waiting_entry_opens_blocks_to_anybody() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        uint256 last = 11;
        for (uint256 i = 0; i < 3; ++i) {
            require(!rollup.operatorsAway(), "not yet");
            settleNone(last, last + 1);
            last += 1;
            skip(1 days + 1);
        }
        require(rollup.operatorsAway(), "they skip the queue");
    }

    function test_many_commits_do_not_make_taking_them_back_dear() public {
        for (uint256 i = 0; i < 60; ++i) {
            rollup.commit(header(11 + i, 12 + i), counts(0, 0, 0, 0));
        }
        uint256 before = gasleft();
        rollup.revertCommits();
        require(before - gasleft() < 30_000 && rollup.committed() == 0, "dear");
        Blocks.Header memory h = header(22, 23);
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongOldRoot.selector, 11, 22));
        rollup.commit(h, counts(0, 0, 0, 0));
    }

    function test_several_operators() public {
        governance.setOperator(STRANGER, true);
        Blocks.Header memory h = header(11, 12);
        vm.prank(STRANGER);
        rollup.commit(h, counts(0, 0, 0, 0));
        governance.setOperator(STRANGER, false);
        h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.commit(h, counts(0, 0, 0, 0));
    }

    function test_a_pause_stops_commits_and_nothing_after_them() public {
        Blocks.Header memory h = header(11, 12);
        rollup.commit(h, counts(0, 0, 0, 0));
        pause();
        Blocks.Header memory next = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Queue.IsPaused.selector, now_() + 2 days));
        rollup.commit(next, counts(0, 0, 0, 0));
        proveNext(h, counts(0, 0, 0, 0));
        rollup.finalize(1);
        skip(2 days);
        settleNone(12, 13);
    }
}
