// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Blocks} from "../contracts/Blocks.sol";
import {Chain} from "../contracts/Chain.sol";
import {Data} from "../contracts/Data.sol";
import {Exits} from "../contracts/Exits.sol";
import {Exodus} from "../contracts/Exodus.sol";
import {L2State} from "../contracts/L2State.sol";
import {Queue} from "../contracts/Queue.sol";
import {Statements} from "../contracts/Statements.sol";
import {L2Tree} from "./L2Tree.sol";
import {Fixture, MockVerifier} from "./Support.sol";

/// A verifier that accepts everything is what a broken proof system is: here it proves what is
/// needed for and against a block.
contract AlarmTest is Fixture, L2Tree {
    address constant STRANGER = address(5);
    address constant PAYEE = address(0xbeef);
    bytes32 constant OTHER = "other";

    Statements.Header[4] headers;
    bytes[4] datas;
    bytes record;
    L2State.Account account;
    uint256[SLOTS] leaves;

    /// Three final blocks: a deposit of 1,000, an exit of 10 released at once, a deposit of 5. Block 1
    /// leads to a state with one account.
    function setUp() public {
        deploy(GENESIS, POLICY);
        MockVerifier other = new MockVerifier();
        governance.announceVerifier(OTHER, other);
        skip(45 days);
        governance.addVerifier(OTHER, other);
        account = L2State.Account(71, address(0xa11ce), 0, 3, 900, 0);
        leaves[0] = this.leafOf(account);
        rollup.deposit{value: 1000}(0, 1000, 77, address(9));
        settleDeposits();
        record = exitRecord(PAYEE, 0, uint40(now_()), 10);
        datas[1] = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 1000, 77, address(9)));
        datas[2] = abi.encodePacked(counts(0, 0, 1, 0), record);
        datas[3] = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 5, 77, PAYEE));
        uint256 afterFirst = rootOf(leaves);
        uint256[4] memory roots = [GENESIS, afterFirst, 102, 103];
        for (uint256 i = 1; i < 4; ++i) {
            if (i == 3) rollup.deposit{value: 5}(0, 5, 77, PAYEE);
            headers[i] = header(roots[i - 1], roots[i]);
            bring(i);
        }
    }

    function bring(uint256 i) internal {
        rollup.commit(headers[i], datas[i]);
        proveNext(headers[i], datas[i]);
        rollup.finalize(i);
    }

    function against(uint256 newRoot, uint256 cOut, bytes32 circuitId)
        internal
        pure
        returns (Alarm.Contradiction memory c)
    {
        (c.newRoot, c.cOut, c.circuitId) = (newRoot, cOut, circuitId);
    }

    function callOf(uint256 i, Alarm.Contradiction memory c) internal view returns (bytes memory) {
        return abi.encodeCall(Alarm.alarm, (i, inputsOf(headers[i], datas[i]), exitsOf(headers[i], datas[i]), headers[i].batches, datas[i], c));
    }

    function ringAs(uint256 i, Alarm.Contradiction memory c) internal returns (bytes4) {
        bytes memory call = callOf(i, c);
        vm.prank(STRANGER);
        (bool ok, bytes memory reason) = address(rollup).call(call);
        return ok ? bytes4(0) : bytes4(reason);
    }

    function ring(uint256 i) internal {
        require(ringAs(i, against(7, 33, CIRCUIT)) == 0, "rung");
    }

    function why(bytes memory call) internal returns (bytes4) {
        (bool ok, bytes memory reason) = address(rollup).call(call);
        return ok ? bytes4(0) : bytes4(reason);
    }

    function claimOf(uint256 number) internal view returns (bytes memory) {
        return abi.encodeCall(Exits.claim, (number, inputsHash[number], 0, 1, record, new bytes32[](0)));
    }

    // ---- what stops

    function test_other_contracts_are_shown_no_block_in_doubt() public {
        ring(2);
        for (uint256 i = 1; i < 4; ++i) {
            (bytes32 kept, uint64 at) = rollup.blockInputs(i);
            require((kept != 0) == (i < 2) && (at != 0) == (i < 2), "only what is before it");
        }
    }

    function test_two_proofs_stop_the_block_and_what_follows() public {
        ring(2);
        require(rollup.doubted() == 2 && rollup.alarmedAt() == now_(), "in doubt");
        bytes4 runs = Queue.AlarmRuns.selector;
        uint256[12] memory limbs;
        uint256[16] memory inputs;
        Statements.Header memory h = header(103, 104);
        bytes memory none = counts(0, 0, 0, 0);
        require(why(abi.encodeCall(Blocks.commit, (h, none))) == runs, "commit");
        require(why(abi.encodeCall(Blocks.settle, (h, none, CIRCUIT, limbs, ""))) == runs, "settle");
        require(why(abi.encodeCall(Blocks.prove, (4, CIRCUIT, limbs, inputs, 0, ""))) == runs, "prove");
        require(why(abi.encodeCall(Blocks.finalize, (4))) == runs, "finalize");
        require(why(abi.encodeCall(Blocks.revertCommits, ())) == runs, "revert");
        require(why(abi.encodeCall(Queue.deposit, (0, 1, 1, PAYEE))) == runs, "deposit");
        require(why(claimOf(2)) == runs && PAYEE.balance == 0, "claim");
        // Who wants to leave says so all the same.
        rollup.requestForcedExit(FIRST, 0);
        skip(3 days);
        require(why(claimOf(2)) == runs, "the bound holds for blocks that stand");
    }

    function test_blocks_before_it_are_paid() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        datas[0] = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 5, 77, address(9)));
        headers[0] = header(103, 104);
        rollup.commit(headers[0], datas[0]);
        proveNext(headers[0], datas[0]);
        bytes memory call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[0], datas[0]), exitsOf(headers[0], datas[0]), 1, datas[0], against(7, 33, OTHER))
        );
        require(why(call) == 0 && rollup.doubted() == 4, "proven, not final");
        require(why(claimOf(2)) == 0 && PAYEE.balance == 10, "paid");
    }

    function test_blocks_before_it_become_final() public {
        for (uint256 i = 0; i < 2; ++i) {
            headers[i] = header(103 + i, 104 + i);
            datas[i] = counts(0, 0, 0, 0);
            rollup.commit(headers[i], datas[i]);
            proveNext(headers[i], datas[i]);
        }
        bytes memory call = abi.encodeCall(
            Alarm.alarm, (5, inputsOf(headers[1], datas[1]), exitsOf(headers[1], datas[1]), 1, datas[1], against(7, 33, CIRCUIT))
        );
        require(why(call) == 0, "rung");
        require(rollup.finalized() == 4, "the second proof made the first one final");
        require(why(abi.encodeCall(Blocks.finalize, (5))) == Queue.AlarmRuns.selector, "and it does not");
    }

    function test_an_alarm_is_rung_in_a_pause() public {
        pause();
        ring(3);
    }

    // ---- what is no evidence

    function test_an_honest_block_cannot_be_put_in_doubt() public {
        // Its own proof once more.
        require(ringAs(2, against(102, 33, CIRCUIT)) == Alarm.NoContradiction.selector, "the same");
        verifier.set(false);
        require(ringAs(2, against(7, 33, CIRCUIT)) == Statements.ProofRefused.selector, "no proof");
        verifier.set(true);
        require(ringAs(2, against(7, 33, "none")) == Statements.UnknownCircuit.selector, "no verifier");
        removeVerifier(OTHER);
        require(ringAs(2, against(7, 33, OTHER)) == Statements.UnknownCircuit.selector, "removed");
        require(ringAs(2, against(P, 33, CIRCUIT)) == Statements.RootOutOfRange.selector, "a word twice");
        require(ringAs(2, against(102, 33 + P, CIRCUIT)) == Statements.RootOutOfRange.selector, "a word twice");
        // Another order chain is another statement too.
        require(ringAs(2, against(102, 34, CIRCUIT)) == 0, "evidence");
    }

    function test_evidence_is_about_the_block_as_it_is() public {
        Alarm.Contradiction memory c = against(7, 33, CIRCUIT);
        require(ringAs(0, c) == Alarm.NotProven.selector, "genesis");
        uint256[16] memory inputs = inputsOf(headers[2], datas[2]);
        bytes32 exits = exitsOf(headers[2], datas[2]);
        require(why(abi.encodeCall(Alarm.alarm, (4, inputs, exits, 1, datas[2], c))) == Alarm.NotProven.selector, "no block");
        bytes memory call = abi.encodeCall(Alarm.alarm, (3, inputs, exits, 1, datas[2], c));
        require(why(call) == Chain.WrongInputs.selector, "another block");
        call = abi.encodeCall(Alarm.alarm, (2, inputs, exits, 1, datas[3], c));
        require(why(call) == Alarm.WrongData.selector, "other data");
        call = abi.encodeCall(Alarm.alarm, (2, inputs, exits, 2, datas[2], c));
        require(why(call) == Data.DataLength.selector, "other batches");
        inputs[1] += 1;
        call = abi.encodeCall(Alarm.alarm, (2, inputs, exits, 1, datas[2], c));
        require(why(call) == Chain.WrongInputs.selector, "other inputs");
        inputs[1] -= 1;
        call = abi.encodeCall(Alarm.alarm, (2, inputs, bytes32(0), 1, datas[2], c));
        require(why(call) == Chain.WrongInputs.selector, "other exits");
    }

    /// The contract makes the contradicting statement itself: everything but root, chain and what
    /// they decide is the block's.
    function test_the_verifier_is_asked_about_the_same_data() public {
        Statements.Header memory h = headers[2];
        (h.newRoot, h.cOut) = (7, 44);
        uint256[16] memory expected = inputsOf(h, datas[2]);
        Exact exact = new Exact(expected);
        governance.announceVerifier("exact", exact);
        // The block is then final for too long; a new one has the same statement.
        skip(45 days);
        governance.addVerifier("exact", exact);
        headers[2] = header(103, 102);
        bringProven(4, 2);
        h = headers[2];
        (h.newRoot, h.cOut) = (7, 44);
        exact.set(inputsOf(h, datas[2]));
        bytes memory call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[2], datas[2]), exitsOf(headers[2], datas[2]), 1, datas[2], against(7, 45, "exact"))
        );
        require(why(call) == Statements.ProofRefused.selector, "another statement");
        call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[2], datas[2]), exitsOf(headers[2], datas[2]), 1, datas[2], against(7, 44, "exact"))
        );
        require(why(call) == 0 && rollup.doubted() == 4, "this one");
    }

    function bringProven(uint256 number, uint256 i) internal {
        rollup.commit(headers[i], datas[i]);
        proveNext(headers[i], datas[i]);
        require(rollup.proven() == number, "number");
    }

    function test_what_was_held_back_long_enough_stands() public {
        skip(3 days - 1);
        bytes memory call = callOf(2, against(7, 33, CIRCUIT));
        skip(1);
        require(why(call) == Alarm.TooLate.selector, "too late");
        headers[0] = header(103, 104);
        datas[0] = counts(0, 0, 0, 0);
        rollup.commit(headers[0], datas[0]);
        proveNext(headers[0], datas[0]);
        skip(30 days);
        call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[0], datas[0]), exitsOf(headers[0], datas[0]), 1, datas[0], against(7, 33, CIRCUIT))
        );
        require(why(call) == 0, "what is not final can always be doubted");
    }

    // ---- what the council does

    function test_the_chain_goes_on_before_the_block_with_other_verifiers() public {
        vm.expectRevert(Alarm.NoAlarm.selector);
        rollup.resume();
        ring(2);
        vm.expectRevert(abi.encodeWithSelector(Alarm.StillRegistered.selector, CIRCUIT, CIRCUIT));
        rollup.resume();
        removeVerifier(OTHER);
        vm.expectRevert(abi.encodeWithSelector(Alarm.StillRegistered.selector, CIRCUIT, CIRCUIT));
        rollup.resume();
        removeVerifier(CIRCUIT);
        vm.prank(STRANGER);
        rollup.resume();
        require(rollup.committed() == 1 && rollup.proven() == 1 && rollup.finalized() == 1, "back");
        require(rollup.stateRoot() == headers[1].newRoot && rollup.doubted() == 0, "root");
        // What the dropped blocks had processed waits again.
        Statements.Header memory h = header(headers[1].newRoot, 104);
        rollup.commit(h, datas[3]);
        uint64 processed = processedAfter(2);
        require(processed == 2, "the second deposit");
        require(why(claimOf(2)) == Exits.NotFinalized.selector, "dropped");
        uint256[12] memory limbs;
        uint256[16] memory inputs = inputsOf(h, datas[3]);
        vm.expectRevert(abi.encodeWithSelector(Statements.UnknownCircuit.selector, CIRCUIT));
        rollup.prove(2, CIRCUIT, limbs, inputs, 0, "");
        // Evidence about what was dropped is none about what has its number now.
        require(ringAs(2, against(7, 33, CIRCUIT)) == Alarm.NotProven.selector, "dropped");
    }

    function test_one_of_two_circuits_has_to_go() public {
        require(ringAs(2, against(7, 33, OTHER)) == 0, "rung");
        removeVerifier(OTHER);
        rollup.resume();
        require(rollup.finalized() == 1, "back");
        headers[2].time = uint64(now_());
        bring(2);
        require(rollup.finalized() == 2, "on, with the other one");
        // If the wrong one went, what is false can be shown again.
        ring(2);
        vm.expectRevert(abi.encodeWithSelector(Alarm.StillRegistered.selector, CIRCUIT, CIRCUIT));
        rollup.resume();
    }

    function test_a_verifier_that_went_before_has_gone() public {
        removeVerifier(CIRCUIT);
        require(ringAs(2, against(7, 33, OTHER)) == 0, "an honest proof of the same data");
        rollup.resume();
        require(rollup.finalized() == 1, "back");
    }

    function test_every_pair_is_answered_for() public {
        require(ringAs(3, against(7, 33, OTHER)) == 0, "two circuits");
        require(ringAs(3, against(7, 33, CIRCUIT)) == Queue.AlarmRuns.selector, "no later one, nor the same");
        uint256 first = now_();
        skip(1 days);
        ring(2);
        require(rollup.doubted() == 2 && rollup.alarmedAt() == first, "no more time");
        removeVerifier(OTHER);
        vm.expectRevert(abi.encodeWithSelector(Alarm.StillRegistered.selector, CIRCUIT, CIRCUIT));
        rollup.resume();
        removeVerifier(CIRCUIT);
        rollup.resume();
        require(rollup.finalized() == 1, "before the earlier one");
    }

    function test_the_same_block_again_does_not_pay_twice() public {
        require(why(claimOf(2)) == 0 && PAYEE.balance == 10, "paid");
        require(ringAs(2, against(7, 33, OTHER)) == 0, "rung");
        removeVerifier(OTHER);
        rollup.resume();
        bring(2);
        require(why(claimOf(2)) == Exits.AlreadyClaimed.selector && PAYEE.balance == 10, "once");
    }

    function test_what_was_announced_for_a_removed_circuit_is_void() public {
        MockVerifier next = new MockVerifier();
        governance.announceVerifier(CIRCUIT, next);
        skip(45 days);
        removeVerifier(CIRCUIT);
        (bool ok,) = address(governance).call(abi.encodeCall(governance.addVerifier, (CIRCUIT, next)));
        require(!ok, "back at once");
        governance.announceVerifier(CIRCUIT, next);
        skip(45 days);
        governance.addVerifier(CIRCUIT, next);
    }

    // ---- what happens if it does nothing

    function test_an_alarm_without_answer_ends_in_exodus_from_before() public {
        ring(2);
        skip(3 days - 1);
        vm.expectRevert(Exodus.NothingOverdue.selector);
        rollup.beginExodus();
        skip(1);
        require(rollup.exodusDue(), "due");
        vm.prank(STRANGER);
        rollup.beginExodus();
        require(rollup.exodus() && rollup.finalized() == 1 && rollup.doubted() == 0, "from before");
        rollup.depart(FIRST, account, pathOf(leaves, 0));
        require(address(0xa11ce).balance == 900, "left");
        // Processed by a dropped block, so it waits.
        rollup.refund(2, 0, 5, 77, PAYEE);
        require(PAYEE.balance == 5, "back");
    }

    function test_an_answered_alarm_is_no_reason_for_exodus() public {
        ring(2);
        removeVerifier(CIRCUIT);
        skip(30 days);
        vm.expectRevert(Exodus.NothingOverdue.selector);
        rollup.beginExodus();
        rollup.resume();
        // The second deposit waits again, for 30 days already: operators get three to process it.
        require(!rollup.exodusDue(), "three days");
        skip(3 days);
        require(!rollup.exodusDue(), "three days");
        skip(1);
        rollup.beginExodus();
        require(rollup.finalized() == 1, "begun");
    }

    function test_a_pause_takes_none_of_the_time_after_an_alarm() public {
        ring(2);
        removeVerifier(CIRCUIT);
        skip(30 days);
        rollup.resume();
        pause();
        skip(5 days);
        require(!rollup.exodusDue(), "two of them were lost");
        skip(1);
        require(rollup.exodusDue(), "three were left");
    }

    function test_no_other_reason_for_exodus_counts_meanwhile() public {
        rollup.requestForcedExit(FIRST, 0);
        skip(2 days);
        headers[0] = header(103, 104);
        datas[0] = counts(0, 0, 0, 0);
        rollup.commit(headers[0], datas[0]);
        proveNext(headers[0], datas[0]);
        skip(5 days);
        bytes memory call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[0], datas[0]), exitsOf(headers[0], datas[0]), 1, datas[0], against(7, 33, CIRCUIT))
        );
        require(why(call) == 0, "rung");
        skip(1);
        require(!rollup.exodusDue(), "the alarm first");
        skip(3 days);
        require(rollup.exodusDue(), "then exodus");
    }

    // ---- in exodus

    /// Departures go past the buckets, and so wait until nothing under the root can be doubted.
    function test_in_exodus_an_alarm_takes_the_root_back() public {
        rollup.requestForcedExit(FIRST, 0);
        skip(7 days + 1);
        // A false block just before exodus begins; it cannot help but process the overdue entry, and
        // leaves the one behind it.
        rollup.requestForcedExit(FIRST, 0);
        vm.warp(now_() + 7 days);
        headers[0] = header(103, 55);
        datas[0] = abi.encodePacked(counts(1, 0, 0, 0), forcedRecord(FIRST, 0, address(this)));
        rollup.commit(headers[0], datas[0]);
        proveNext(headers[0], datas[0]);
        skip(1);
        rollup.beginExodus();
        uint256 begun = now_();
        require(rollup.finalized() == 4, "proven blocks count");
        bytes memory departure = abi.encodeCall(Exodus.depart, (FIRST, account, pathOf(leaves, 0)));
        require(why(departure) == Chain.TooEarly.selector, "not yet");
        skip(3 days - 1);
        require(why(departure) == Chain.TooEarly.selector, "not yet");
        bytes memory call = abi.encodeCall(
            Alarm.alarm, (4, inputsOf(headers[0], datas[0]), exitsOf(headers[0], datas[0]), 1, datas[0], against(7, 33, CIRCUIT))
        );
        require(why(call) == 0, "rung");
        require(rollup.exodus() && rollup.doubted() == 0 && rollup.finalized() == 3, "one back");
        require(rollup.stateRoot() == 103 && now_() < begun + 3 days, "root");
        // The block before has been final for long: who has an account there leaves now.
        require(why(departure) == Exodus.WrongRoot.selector, "open");
        require(why(abi.encodeCall(Alarm.resume, ())) == Queue.InExodus.selector, "there is no way back");
    }
}

/// Accepts one statement.
contract Exact is MockVerifier {
    bytes32 private truth;

    constructor(uint256[16] memory inputs) {
        set(inputs);
    }

    function set(uint256[16] memory inputs) public {
        truth = keccak256(abi.encode(inputs));
    }

    function verify(uint256[] calldata instances, bytes calldata) external view override returns (bool) {
        uint256[16] memory inputs;
        for (uint256 i = 0; i < 16; ++i) {
            inputs[i] = instances[12 + i];
        }
        return keccak256(abi.encode(inputs)) == truth;
    }
}
