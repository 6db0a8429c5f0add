// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blocks} from "../contracts/Blocks.sol";
import {Chain} from "../contracts/Chain.sol";
import {Queue} from "../contracts/Queue.sol";
import {Governance} from "../contracts/Governance.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Statements} from "../contracts/Statements.sol";
import {Fixture} from "./Support.sol";

contract BlocksTest is Fixture {
    address constant STRANGER = address(5);

    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function test_commit_checks_its_header() public {
        bytes memory none = counts(0, 0, 0, 0);
        Statements.Header memory h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongOldRoot.selector, 11, 12));
        rollup.commit(h, none);
        h = header(11, P);
        vm.expectRevert(abi.encodeWithSelector(Statements.RootOutOfRange.selector, P));
        rollup.commit(h, none);
        h = header(11, 13);
        h.policyRoot = 23;
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongPolicy.selector, 22, 23));
        rollup.commit(h, none);
        h = header(11, 13);
        h.time = uint64(now_() + 1);
        vm.expectRevert(
            abi.encodeWithSelector(Blocks.TimeOutOfRange.selector, now_() - 1 days, uint64(now_() + 1), now_())
        );
        rollup.commit(h, none);
        h = header(11, 13);
        h.batches = 0;
        vm.expectRevert(abi.encodeWithSelector(Blocks.BatchesOutOfRange.selector, 256, 0));
        rollup.commit(h, none);
        h.batches = 257;
        vm.expectRevert(abi.encodeWithSelector(Blocks.BatchesOutOfRange.selector, 256, 257));
        rollup.commit(h, none);
        h = header(11, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.commit(h, none);
    }

    function test_the_queue_is_processed_in_order_and_as_it_is() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        Statements.Header memory h = header(11, 13);
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
        Statements.Header memory h = header(11, 13);
        rollup.commit(h, none);
        uint256[16] memory inputs = inputsOf(h, none);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotNext.selector, 1, 1));
        rollup.finalize(1);
        uint256[16] memory wrong = inputs;
        wrong[1] += 1;
        vm.expectRevert(abi.encodeWithSelector(Chain.WrongInputs.selector, 1));
        rollup.prove(1, CIRCUIT, limbs, wrong, 0, "");
        wrong[1] -= 1;
        limbs[3] = P;
        vm.expectRevert(abi.encodeWithSelector(Statements.RootOutOfRange.selector, P));
        rollup.prove(1, CIRCUIT, limbs, inputs, 0, "");
        limbs[3] = 0;
        verifier.set(false);
        vm.expectRevert(abi.encodeWithSelector(Statements.ProofRefused.selector, 1));
        rollup.prove(1, CIRCUIT, limbs, inputs, 0, "");
        verifier.set(true);
        rollup.prove(1, CIRCUIT, limbs, inputs, 0, "");
        require(rollup.stateRoot() == 11, "not yet");
        rollup.finalize(1);
        require(rollup.stateRoot() == 13, "root");
    }

    function test_unproven_commits_are_taken_back() public {
        vm.expectRevert(Blocks.NothingToRevert.selector);
        rollup.revertCommits();
        rollup.commit(header(11, 13), counts(0, 0, 0, 0));
        rollup.commit(header(13, 14), counts(0, 0, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Chain.TooEarly.selector, now_() + 1 days));
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
        this.makeRollup(11, Governance(address(77)));
        vm.expectRevert(abi.encodeWithSelector(Statements.RootOutOfRange.selector, P));
        this.makeRollup(P, governance);
    }

    function settleNone(uint256 oldRoot, uint256 newRoot) internal {
        uint256[12] memory limbs;
        rollup.settle(header(oldRoot, newRoot), counts(0, 0, 0, 0), CIRCUIT, limbs, "");
    }

    function test_three_calls_or_one() public {
        settleNone(11, 12);
        require(rollup.stateRoot() == 12 && rollup.finalized() == 1, "one call");
        // Proven blocks become final on the way; commits without a proof are in the way.
        Statements.Header memory h = header(12, 13);
        rollup.commit(h, counts(0, 0, 0, 0));
        Statements.Header memory after_ = header(13, 14);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotNext.selector, 2, 3));
        rollup.settle(after_, counts(0, 0, 0, 0), CIRCUIT, limbs, "");
        proveNext(h, counts(0, 0, 0, 0));
        settleNone(13, 14);
        require(rollup.stateRoot() == 14 && rollup.finalized() == 3, "all");
    }

    function test_a_proof_names_a_known_circuit() public {
        Statements.Header memory h = header(11, 13);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Statements.UnknownCircuit.selector, bytes32("other")));
        rollup.settle(h, counts(0, 0, 0, 0), "other", limbs, "");
    }

    function test_anybody_brings_blocks_when_operators_stay_away() public {
        rollup.commit(header(11, 99), counts(0, 0, 0, 0));
        Statements.Header memory h = header(11, 12);
        h.time += 3 days;
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
        require(before - gasleft() < 75_000 && rollup.committed() == 0, "dear");
        Statements.Header memory h = header(22, 23);
        vm.expectRevert(abi.encodeWithSelector(Blocks.WrongOldRoot.selector, 11, 22));
        rollup.commit(h, counts(0, 0, 0, 0));
    }

    function test_several_operators() public {
        governance.setOperator(STRANGER, true);
        Statements.Header memory h = header(11, 12);
        vm.prank(STRANGER);
        rollup.commit(h, counts(0, 0, 0, 0));
        governance.setOperator(STRANGER, false);
        h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.NotOperator.selector, STRANGER));
        vm.prank(STRANGER);
        rollup.commit(h, counts(0, 0, 0, 0));
    }

    function test_a_pause_stops_commits_and_nothing_after_them() public {
        Statements.Header memory h = header(11, 12);
        rollup.commit(h, counts(0, 0, 0, 0));
        pause();
        Statements.Header memory next = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Queue.IsPaused.selector, now_() + 2 days));
        rollup.commit(next, counts(0, 0, 0, 0));
        proveNext(h, counts(0, 0, 0, 0));
        rollup.finalize(1);
        skip(2 days);
        settleNone(12, 13);
    }

    // ---- time

    function headerAt(uint256 oldRoot, uint256 newRoot, uint256 time)
        internal
        view
        returns (Statements.Header memory h)
    {
        h = header(oldRoot, newRoot);
        h.time = uint64(time);
    }

    function expectTime(uint256 earliest, uint256 time) internal {
        vm.expectRevert(
            abi.encodeWithSelector(Blocks.TimeOutOfRange.selector, earliest, uint64(time), now_())
        );
    }

    function test_the_clock_of_blocks_keeps_up_with_the_chains() public {
        uint256 deployed = now_();
        (, uint64 genesis,,, uint64 final_,) = rollup.blocks(0);
        require(genesis == deployed - 1 days && final_ == deployed, "genesis");
        skip(30 days);
        bytes memory none = counts(0, 0, 0, 0);
        uint256 oldest = now_() - 1 days;
        Statements.Header memory h = headerAt(11, 12, oldest - 1);
        expectTime(oldest, h.time);
        rollup.commit(h, none);
        rollup.commit(headerAt(11, 12, oldest), none);
        // Not before the last block either.
        skip(1 hours);
        h = headerAt(12, 13, now_() - 10);
        rollup.commit(h, none);
        h = headerAt(13, 14, h.time - 1);
        expectTime(h.time + 1, h.time);
        rollup.commit(h, none);
        skip(2 days);
        h = headerAt(13, 14, now_() - 2 days);
        expectTime(now_() - 1 days, h.time);
        rollup.commit(h, none);
    }

    /// An operator, or a stranger after an outage, cannot let the clock stand still: what the limiter
    /// lets wait is waited for on L1.
    function test_a_clock_that_stands_still_releases_nothing() public {
        uint64 start = uint64(now_());
        skip(3 days + 1);
        bytes memory exit = exitRecord(address(0xbad), 0, uint40(start + 3 days), 900);
        bytes memory data = abi.encodePacked(counts(0, 0, 1, 0), exit);
        uint256[12] memory limbs;
        for (uint256 i = 0; i < 2; ++i) {
            address who = i == 0 ? address(this) : STRANGER;
            Statements.Header memory h = headerAt(11, 99, start);
            expectTime(now_() - 1 days, start);
            vm.prank(who);
            rollup.settle(h, data, CIRCUIT, limbs, "");
        }
    }

    // ---- data

    /// Leading batches without an operation count, as all others do.
    function testFuzz_every_batch_is_in_the_word_polynomial(uint8 leading, bytes15 op, uint256 r) public view {
        bytes memory one = abi.encodePacked(counts(0, 1, 0, 0), op);
        bytes memory more = one;
        leading = 1 + leading % 20;
        for (uint256 i = 0; i < leading; ++i) {
            more = abi.encodePacked(counts(0, 0, 0, 0), more);
        }
        r = 2 + r % (P - 3);
        require(this.polynomial(one, 1, r) != this.polynomial(more, 1 + uint256(leading), r), "batches for nothing");
    }

    function test_data_have_a_longest_length() public {
        bytes memory data = new bytes(rollup.MAX_DATA() + 8);
        Statements.Header memory h = header(11, 12);
        vm.expectRevert(abi.encodeWithSelector(Blocks.DataTooLong.selector, rollup.MAX_DATA(), data.length));
        rollup.commit(h, data);
    }

    // ---- chain

    function test_after_a_split_each_chain_has_its_own_domain() public {
        uint256 here = rollup.domain();
        uint256[16] memory inputs = inputsOf(header(11, 13), counts(0, 0, 0, 0));
        require(inputs[7] == here, "domain");
        vm.chainId(77);
        uint256 there = rollup.domain();
        uint256 expected =
            uint256(keccak256(abi.encodePacked("bastion.domain.v1", uint256(77), address(rollup)))) % P;
        require(there == expected && there != here, "another one");
        // A proof of the other chain is none here.
        rollup.commit(header(11, 13), counts(0, 0, 0, 0));
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Chain.WrongInputs.selector, 1));
        rollup.prove(1, CIRCUIT, limbs, inputs, 0, "");
        vm.chainId(31337);
        require(rollup.domain() == here, "back");
    }
}
