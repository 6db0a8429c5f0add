// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Inclusion} from "../contracts/Inclusion.sol";
import {Bonds} from "../contracts/Bonds.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Slashing} from "../contracts/Slashing.sol";
import {Times} from "../contracts/Times.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// What a final block shows about one receipt, and what it does not.
contract SlashingTest is SlashingWorld {
    uint256[16] private inputs;
    Inclusion.Batch[] private batches;

    function setUp() public {
        world();
        (uint256[16] memory i, Inclusion.Batch[] memory b) = shown();
        inputs = i;
        for (uint256 k = 0; k < b.length; ++k) {
            batches.push(b[k]);
        }
    }

    function report(Receipts.Signed memory s, uint256 leaf, uint256[] memory path) internal {
        vm.prank(REPORTER);
        slashing.reportBroken(OWNER, sequencer, s, inputs, EXITS, batches, leaf, path, SALT);
    }

    function overtaken(Receipts.Signed memory s, uint64 number, uint256[16] memory said) internal {
        vm.prank(REPORTER);
        slashing.reportOvertaken(OWNER, sequencer, s, number, said, EXITS, SALT);
    }

    /// A receipt for the last operation of the last batch, which has another leaf.
    function broken(uint64 number) internal pure returns (Receipts.Receipt memory) {
        return receiptOf(number, 2, 2, 12345);
    }

    function last() internal pure returns (uint256 leaf, uint256[] memory path) {
        uint256[] memory leaves = leavesOf(3, 3);
        return (leaves[2], pathTo(leaves, 2));
    }

    // What is shown.

    function test_another_leaf_at_the_place_is_a_fault() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        report(signed(broken(7)), leaf, path);
        requireSlashed();
    }

    function test_a_place_behind_the_last_operation_is_a_fault() public {
        finalBlock(7);
        Receipts.Receipt memory r = receiptOf(7, 0, 5, 12345);
        announce(r);
        report(signed(r), 0, new uint256[](0));
        requireSlashed();
    }

    function test_a_place_in_an_empty_batch_is_a_fault() public {
        finalBlock(7);
        Receipts.Receipt memory r = receiptOf(7, 1, 0, 12345);
        announce(r);
        report(signed(r), 0, new uint256[](0));
        requireSlashed();
    }

    function test_a_batch_that_is_not_there_is_a_fault() public {
        finalBlock(7);
        Receipts.Receipt memory r = receiptOf(7, 3, 0, 12345);
        announce(r);
        report(signed(r), 0, new uint256[](0));
        requireSlashed();
    }

    function test_another_time_is_a_fault() public {
        finalBlock(7);
        Receipts.Receipt memory r = broken(7);
        (r.leaf,) = last();
        r.time = TIME + 1;
        announce(r);
        vm.prank(REPORTER);
        slashing.reportBroken(
            OWNER, sequencer, signed(r), inputs, EXITS, new Inclusion.Batch[](0), 0, new uint256[](0), SALT
        );
        requireSlashed();
    }

    function test_a_block_that_was_overtaken_is_a_fault() public {
        uint256[16] memory later = inputsOf(5, TIME + 1);
        blocks.finalize(6, later, EXITS);
        announce(broken(9));
        overtaken(signed(broken(9)), 6, later);
        requireSlashed();
    }

    // What is not.

    function test_a_kept_promise_is_none() public {
        finalBlock(7);
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Receipt memory r = receiptOf(7, 2, 2, leaf);
        announce(r);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        report(signed(r), leaf, path);
        // Nor by a leaf that is another word and the same element, or that is not there.
        vm.expectPartialRevert(Inclusion.WordTooLarge.selector);
        report(signed(r), leaf + P, path);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        report(signed(r), leaf + 1, path);
        require(bondOf(OWNER, sequencer) == BOND, "bond");
    }

    function test_a_block_that_is_not_final_shows_nothing() public {
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        vm.expectRevert(abi.encodeWithSelector(Inclusion.BlockNotFinal.selector, 7));
        report(signed(broken(7)), leaf, path);
    }

    function test_another_block_shows_nothing() public {
        finalBlock(6);
        blocks.finalize(7, inputsOf(1, TIME), EXITS);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        vm.expectRevert(abi.encodeWithSelector(Inclusion.NotItsInputs.selector, 7));
        report(signed(broken(7)), leaf, path);
    }

    function test_batches_of_another_block_show_nothing() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        batches.pop();
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        report(signed(broken(7)), leaf, path);
    }

    function test_an_earlier_block_of_the_same_time_overtakes_nothing() public {
        uint256[16] memory same = inputsOf(5, TIME);
        blocks.finalize(6, same, EXITS);
        announce(broken(9));
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        overtaken(signed(broken(9)), 6, same);
    }

    function test_the_block_itself_and_later_ones_overtake_nothing() public {
        uint256[16] memory later = inputsOf(5, TIME + 1);
        blocks.finalize(9, later, EXITS);
        blocks.finalize(10, later, EXITS);
        announce(broken(9));
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotEarlier.selector, 9));
        overtaken(signed(broken(9)), 9, later);
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.NotEarlier.selector, 10));
        overtaken(signed(broken(9)), 10, later);
    }

    function test_a_block_that_is_not_final_overtakes_nothing() public {
        announce(broken(9));
        vm.expectRevert(abi.encodeWithSelector(Inclusion.BlockNotFinal.selector, 6));
        overtaken(signed(broken(9)), 6, inputsOf(5, TIME + 1));
    }

    // Who signed.

    function test_another_keys_receipt_shows_nothing() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s = sign(OTHER_KEY, broken(7));
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.OtherSigner.selector, vm.addr(OTHER_KEY)));
        report(s, leaf, path);
    }

    function test_a_receipt_that_was_changed_shows_nothing() public {
        finalBlock(7);
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s = signed(receiptOf(7, 2, 2, leaf));
        s.receipt.leaf = 12345;
        announce(s.receipt);
        vm.expectPartialRevert(ReceiptFaults.OtherSigner.selector);
        report(s, leaf, path);
    }

    function test_the_upper_half_of_s_is_refused() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s = signed(broken(7));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        s.s = bytes32(order - uint256(s.s));
        s.v = 55 - s.v;
        require(uint256(s.s) > HALF, "upper");
        require(ecrecover(digestOf(s.receipt), s.v, s.r, s.s) == sequencer, "the same signer");
        vm.expectPartialRevert(Receipts.BadSignature.selector);
        report(s, leaf, path);
    }

    function test_a_signature_of_nobody_is_refused() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s = signed(broken(7));
        s.v = 29;
        vm.expectPartialRevert(Receipts.BadSignature.selector);
        report(s, leaf, path);
        // No bond answers for the address that failure gives, whoever tries to make one.
        vm.deal(address(this), 1);
        vm.expectPartialRevert(Bonds.NoBond.selector);
        slashing.bond{value: 1}(address(0));
    }

    function test_a_receipt_of_another_chain_shows_nothing() public {
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s = signed(broken(7));
        vm.chainId(5);
        vm.expectPartialRevert(ReceiptFaults.OtherSigner.selector);
        report(s, leaf, path);
    }

    function test_a_receipt_of_another_rollup_shows_nothing() public {
        finalBlock(7);
        (uint256 leaf, uint256[] memory path) = last();
        Receipts.Signed memory s;
        s.receipt = broken(7);
        (s.v, s.r, s.s) = vm.sign(KEY, digestFor(s.receipt, address(0x77)));
        announce(s.receipt);
        vm.expectPartialRevert(ReceiptFaults.OtherSigner.selector);
        report(s, leaf, path);
    }

    // Void receipts.

    function test_a_revert_of_the_block_makes_its_receipt_void() public {
        blocks.takeBack(6);
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.Void.selector, 0));
        report(signed(broken(7)), leaf, path);
    }

    function test_a_revert_behind_the_block_does_not() public {
        blocks.takeBack(7);
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        report(signed(broken(7)), leaf, path);
        requireSlashed();
    }

    function test_a_revert_before_the_receipts_epoch_does_not() public {
        blocks.takeBack(3);
        finalBlock(7);
        Receipts.Receipt memory r = broken(7);
        r.epoch = 1;
        announce(r);
        (uint256 leaf, uint256[] memory path) = last();
        report(signed(r), leaf, path);
        requireSlashed();
    }

    function test_any_later_revert_makes_it_void() public {
        blocks.takeBack(9);
        blocks.takeBack(8);
        blocks.takeBack(2);
        finalBlock(7);
        announce(broken(7));
        (uint256 leaf, uint256[] memory path) = last();
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.Void.selector, 2));
        report(signed(broken(7)), leaf, path);
    }

    function test_a_revert_when_the_block_is_final_is_no_excuse() public {
        uint256[16] memory later = inputsOf(5, TIME + 1);
        blocks.finalize(6, later, EXITS);
        announce(broken(9));
        // The operator sees the report coming.
        for (uint256 i = 0; i < 100; ++i) {
            blocks.takeBack(6);
        }
        overtaken(signed(broken(9)), 6, later);
        requireSlashed();
    }

    function test_a_revert_in_the_same_moment_makes_it_void() public {
        uint256[16] memory later = inputsOf(5, TIME + 1);
        // Somebody else brings block 6, while operators are away.
        blocks.takeBack(5);
        blocks.finalize(6, later, EXITS);
        announce(broken(9));
        vm.expectRevert(abi.encodeWithSelector(ReceiptFaults.Void.selector, 0));
        overtaken(signed(broken(9)), 6, later);
    }

    function test_a_receipt_of_an_epoch_to_come_is_not_void() public {
        blocks.takeBack(1);
        finalBlock(7);
        Receipts.Receipt memory r = broken(7);
        r.epoch = type(uint32).max;
        announce(r);
        (uint256 leaf, uint256[] memory path) = last();
        report(signed(r), leaf, path);
        requireSlashed();
    }

    /// Void if and only if a revert of its epoch or later, not after the block was final, took its block back.
    function testFuzz_void_as_it_is_written_down(uint256 seed, uint32 epoch) public {
        epoch %= 8;
        bool isVoid = false;
        bool isFinal = false;
        for (uint32 i = 0; i < 8; ++i) {
            uint64 to = uint64(4 + (seed >> (8 * i)) % 6);
            if (i == seed % 9) (isFinal,) = (true, finalBlock(7));
            vm.warp(now_() + 1);
            blocks.takeBack(to);
            isVoid = isVoid || !isFinal && i >= epoch && to < 7;
        }
        if (!isFinal) finalBlock(7);
        Receipts.Receipt memory r = broken(7);
        r.epoch = epoch;
        announce(r);
        (uint256 leaf, uint256[] memory path) = last();
        if (isVoid) vm.expectPartialRevert(ReceiptFaults.Void.selector);
        report(signed(r), leaf, path);
        require(bondOf(OWNER, sequencer) == (isVoid ? BOND : 0), "bond");
    }
}
