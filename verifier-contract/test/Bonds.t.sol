// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bonds} from "../contracts/Bonds.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Slashing} from "../contracts/Slashing.sol";
import {Times} from "../contracts/Times.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// Reports again while it is paid.
contract Greedy {
    Slashing private slashing;
    bytes private call;
    bool public again;
    bool public asked;

    function arm(Slashing s, bytes calldata c) external {
        (slashing, call) = (s, c);
    }

    function go() external {
        (bool ok,) = address(slashing).call(call);
        require(ok, "report");
    }

    receive() external payable {
        asked = true;
        (again,) = address(slashing).call(call);
    }
}

/// Takes no ether.
contract Proud {
    function go(address to, bytes calldata c) external returns (bool ok) {
        (ok,) = to.call(c);
    }
}

/// Two signatures for one place; announcements; bonds.
contract BondsTest is SlashingWorld {
    Receipts.Receipt private one;
    Receipts.Receipt private other;

    function setUp() public {
        world();
        (one, other) = (receiptOf(7, 1, 2, 11), receiptOf(7, 1, 2, 12));
    }

    function report(Receipts.Receipt memory a, Receipts.Receipt memory b) internal {
        reportSigned(signed(a), signed(b));
    }

    function reportSigned(Receipts.Signed memory a, Receipts.Signed memory b) internal {
        vm.prank(REPORTER);
        slashing.reportTwo(OWNER, sequencer, a, b, SALT);
    }

    // Two receipts.

    function test_two_leaves_for_one_place_are_a_fault() public {
        announceTwo(one, other);
        report(one, other);
        requireSlashed();
    }

    function test_two_operations_for_one_place_are_a_fault() public {
        other = one;
        other.operation = keccak256("another");
        announceTwo(one, other);
        report(one, other);
        requireSlashed();
    }

    function test_two_times_for_one_place_are_a_fault() public {
        other = one;
        other.time += 1;
        announceTwo(one, other);
        report(one, other);
        requireSlashed();
    }

    function test_a_revert_does_not_excuse_two() public {
        blocks.takeBack(0);
        announceTwo(one, other);
        report(one, other);
        requireSlashed();
    }

    function test_one_receipt_twice_is_none() public {
        announceTwo(one, one);
        vm.expectPartialRevert(ReceiptFaults.SameReceipt.selector);
        report(one, one);
    }

    function test_receipts_for_different_places_are_none() public {
        for (uint256 i = 0; i < 4; ++i) {
            other = receiptOf(7, 1, 2, 12);
            if (i == 0) other.epoch += 1;
            if (i == 1) other.number += 1;
            if (i == 2) other.batch += 1;
            if (i == 3) other.position += 1;
            announceTwo(one, other);
            vm.expectPartialRevert(ReceiptFaults.OtherPlace.selector);
            report(one, other);
        }
    }

    function test_both_must_be_signed_by_the_key() public {
        announceTwo(one, other);
        Receipts.Signed memory foreign = sign(OTHER_KEY, other);
        Receipts.Signed memory own = signed(one);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.OtherSigner.selector, vm.addr(OTHER_KEY)));
        reportSigned(own, foreign);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.OtherSigner.selector, vm.addr(OTHER_KEY)));
        reportSigned(foreign, own);
    }

    // Announcements.

    function test_a_report_must_be_announced() public {
        vm.expectPartialRevert(Bonds.NotAnnounced.selector);
        report(one, other);
    }

    function test_a_report_waits_after_its_announcement() public {
        announceTwo(one, other);
        vm.warp(now_() - 1);
        vm.expectRevert(abi.encodeWithSelector(Bonds.TooSoon.selector, now_() + 1));
        report(one, other);
        vm.warp(now_() + 1);
        report(one, other);
        requireSlashed();
    }

    /// Whoever copies a report, or announces it when he sees it, gets nothing.
    function test_a_copy_is_refused() public {
        announceTwo(one, other);
        address copier = address(0xc091e4);
        (Receipts.Signed memory a, Receipts.Signed memory b) = (signed(one), signed(other));
        vm.prank(copier);
        vm.expectPartialRevert(Bonds.NotAnnounced.selector);
        slashing.reportTwo(OWNER, sequencer, a, b, SALT);
        bytes32 evidence = keccak256(abi.encode(digestOf(one), digestOf(other)));
        slashing.announceReport(slashing.commitment(copier, OWNER, evidence, SALT));
        vm.prank(copier);
        vm.expectPartialRevert(Bonds.TooSoon.selector);
        slashing.reportTwo(OWNER, sequencer, a, b, SALT);
        report(one, other);
        requireSlashed();
    }

    function test_an_announcement_is_for_one_evidence() public {
        announceTwo(one, receiptOf(7, 1, 2, 13));
        vm.expectPartialRevert(Bonds.NotAnnounced.selector);
        report(one, other);
    }

    function test_an_announcement_again_does_not_begin_anew() public {
        bytes32 evidence = keccak256(abi.encode(digestOf(one), digestOf(other)));
        bytes32 hash = slashing.commitment(REPORTER, OWNER, evidence, SALT);
        slashing.announceReport(hash);
        vm.warp(now_() + Times.REPORT_DELAY);
        // By whoever wants to keep the reporter waiting.
        slashing.announceReport(hash);
        report(one, other);
        requireSlashed();
    }

    // Bonds.

    function test_a_bond_is_lost_once() public {
        announceTwo(one, other);
        report(one, other);
        vm.expectPartialRevert(Bonds.NoBond.selector);
        report(one, other);
        requireSlashed();
    }

    function test_a_new_bond_answers_for_old_receipts() public {
        announceTwo(one, other);
        report(one, other);
        vm.deal(OWNER, 8);
        vm.prank(OWNER);
        slashing.bond{value: 8}(sequencer);
        report(one, other);
        require(REPORTER.balance == BOND / 4 + 2, "reward");
    }

    function test_only_the_named_bond_is_lost() public {
        address second = address(0x22);
        vm.deal(second, 5);
        vm.prank(second);
        slashing.bond{value: 5}(sequencer);
        announceTwo(one, other);
        report(one, other);
        require(bondOf(second, sequencer) == 5, "the other bond");
    }

    function test_nobody_stands_in_the_way_of_an_owner() public {
        vm.deal(address(this), 1);
        slashing.bond{value: 1}(sequencer);
        vm.expectPartialRevert(Bonds.IsLeaving.selector);
        this.leaveTwice();
        require(bondOf(OWNER, sequencer) == BOND, "bond");
    }

    function leaveTwice() external {
        slashing.announceWithdrawal(sequencer);
        slashing.announceWithdrawal(sequencer);
    }

    function test_a_bond_grows() public {
        vm.deal(OWNER, 3);
        vm.prank(OWNER);
        slashing.bond{value: 3}(sequencer);
        require(bondOf(OWNER, sequencer) == BOND + 3, "bond");
    }

    function test_a_bond_of_nothing_is_refused() public {
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.bond(sequencer);
    }

    function test_a_bond_leaves_after_its_delay() public {
        vm.prank(OWNER);
        vm.expectPartialRevert(Bonds.NotLeaving.selector);
        slashing.withdraw(sequencer, OWNER);
        vm.prank(OWNER);
        slashing.announceWithdrawal(sequencer);
        vm.warp(now_() + Times.BOND_DELAY - 1);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Bonds.TooSoon.selector, now_() + 1));
        slashing.withdraw(sequencer, OWNER);
        vm.warp(now_() + 1);
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.withdraw(sequencer, address(this));
        vm.prank(OWNER);
        slashing.withdraw(sequencer, address(0x33));
        require(address(0x33).balance == BOND && bondOf(OWNER, sequencer) == 0, "withdrawn");
        vm.prank(OWNER);
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.withdraw(sequencer, OWNER);
    }

    function test_a_bond_that_is_leaving_is_lost_all_the_same() public {
        vm.prank(OWNER);
        slashing.announceWithdrawal(sequencer);
        announceTwo(one, other);
        vm.warp(now_() + 2 * Times.BOND_DELAY);
        report(one, other);
        requireSlashed();
    }

    function test_nothing_is_added_to_a_bond_that_is_leaving() public {
        vm.deal(OWNER, 3);
        vm.prank(OWNER);
        slashing.announceWithdrawal(sequencer);
        vm.prank(OWNER);
        vm.expectPartialRevert(Bonds.IsLeaving.selector);
        slashing.bond{value: 3}(sequencer);
    }

    function test_a_withdrawal_is_taken_back() public {
        vm.prank(OWNER);
        slashing.announceWithdrawal(sequencer);
        vm.prank(OWNER);
        slashing.cancelWithdrawal(sequencer);
        vm.warp(now_() + 2 * Times.BOND_DELAY);
        vm.prank(OWNER);
        vm.expectPartialRevert(Bonds.NotLeaving.selector);
        slashing.withdraw(sequencer, OWNER);
    }

    function test_only_whoever_has_a_bond_announces() public {
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.announceWithdrawal(sequencer);
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.cancelWithdrawal(sequencer);
    }

    function test_a_withdrawal_that_is_refused_leaves_the_bond() public {
        vm.prank(OWNER);
        slashing.announceWithdrawal(sequencer);
        vm.warp(now_() + Times.BOND_DELAY);
        address proud = address(new Proud());
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Bonds.PaymentRefused.selector, proud));
        slashing.withdraw(sequencer, proud);
        require(bondOf(OWNER, sequencer) == BOND, "bond");
    }

    // Who reports.

    function test_an_operator_that_reports_itself_loses_three_quarters() public {
        bytes32 evidence = keccak256(abi.encode(digestOf(one), digestOf(other)));
        slashing.announceReport(slashing.commitment(OWNER, OWNER, evidence, SALT));
        vm.warp(now_() + Times.REPORT_DELAY);
        (Receipts.Signed memory a, Receipts.Signed memory b) = (signed(one), signed(other));
        vm.prank(OWNER);
        slashing.reportTwo(OWNER, sequencer, a, b, SALT);
        require(OWNER.balance == BOND / 4, "what is left");
    }

    function armed() internal returns (Greedy greedy, bytes memory call) {
        greedy = new Greedy();
        bytes32 evidence = keccak256(abi.encode(digestOf(one), digestOf(other)));
        slashing.announceReport(slashing.commitment(address(greedy), OWNER, evidence, SALT));
        vm.warp(now_() + Times.REPORT_DELAY);
        call = abi.encodeCall(ReceiptFaults.reportTwo, (OWNER, sequencer, signed(one), signed(other), SALT));
        greedy.arm(slashing, call);
    }

    function test_a_reporter_is_not_paid_again_while_it_is_paid() public {
        // Ether of others, which a second payment would take.
        vm.deal(address(this), 9 ether);
        slashing.bond{value: 9 ether}(sequencer);
        (Greedy greedy,) = armed();
        greedy.go();
        require(greedy.asked() && !greedy.again(), "again");
        require(address(greedy).balance == BOND / 4, "reward");
        require(address(slashing).balance == 9 ether, "others");
    }

    function test_a_reporter_that_takes_no_ether_harms_itself_alone() public {
        Proud proud = new Proud();
        bytes32 evidence = keccak256(abi.encode(digestOf(one), digestOf(other)));
        slashing.announceReport(slashing.commitment(address(proud), OWNER, evidence, SALT));
        announceTwo(one, other);
        bytes memory call = abi.encodeCall(ReceiptFaults.reportTwo, (OWNER, sequencer, signed(one), signed(other), SALT));
        require(!proud.go(address(slashing), call), "paid");
        require(bondOf(OWNER, sequencer) == BOND, "bond");
        report(one, other);
        requireSlashed();
    }
}
