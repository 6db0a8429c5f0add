// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {BlindFaults} from "../contracts/BlindFaults.sol";
import {Bonds} from "../contracts/Bonds.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {BlindWorld} from "./BlindWorld.sol";

/// Broken blind receipts and closings.
contract BlindFaultsTest is BlindWorld {

    function setUp() public {
        world();
        vm.recordLogs();
    }

    function lost(Bonds.Fault fault) internal {
        require(namedFault() == fault, "fault");
        requireSlashed();
    }

    function kept() internal view {
        require(bondOf(OWNER, sequencer) == BOND, "bond");
    }

    function pairOf(bytes32 one, bytes32 other) internal pure returns (bytes32) {
        return keccak256(abi.encode(one, other));
    }

    // Two receipts.

    function test_two_blind_receipts_for_one_place() public {
        (Blind.Receipt memory a, Blind.Receipt memory b) = (blind(), blind());
        b.forfeit += 1;
        announceEvidence(pairOf(digestOf(a), digestOf(b)));
        vm.prank(REPORTER);
        slashing.reportTwoBlind(OWNER, sequencer, a, sealed_(a), b, sealed_(b), SALT);
        lost(Bonds.Fault.TwoForOnePlace);
    }

    function test_one_blind_receipt_twice_is_none() public {
        Blind.Receipt memory a = blind();
        announceEvidence(pairOf(digestOf(a), digestOf(a)));
        vm.prank(REPORTER);
        vm.expectPartialRevert(ReceiptFaults.SameReceipt.selector);
        slashing.reportTwoBlind(OWNER, sequencer, a, sealed_(a), a, sealed_(a), SALT);
    }

    function test_blind_receipts_for_different_places_are_none() public {
        for (uint256 i = 0; i < 4; ++i) {
            (Blind.Receipt memory a, Blind.Receipt memory b) = (blind(), blind());
            if (i == 0) b.receipt.epoch += 1;
            if (i == 1) b.receipt.number += 1;
            if (i == 2) b.receipt.batch += 1;
            if (i == 3) b.receipt.position += 1;
            vm.expectPartialRevert(ReceiptFaults.OtherPlace.selector);
            slashing.reportTwoBlind(OWNER, sequencer, a, sealed_(a), b, sealed_(b), SALT);
        }
    }

    function andOther(uint256 leaf, uint64 time) internal {
        Blind.Receipt memory a = blind();
        Receipts.Receipt memory r = receiptOf(7, BATCH, POSITION, leaf);
        r.time = time;
        announceEvidence(pairOf(digestOf(a), digestOf(r)));
        vm.prank(REPORTER);
        slashing.reportBlindAndOther(OWNER, sequencer, a, sealed_(a), signed(r), SALT);
    }

    /// What the owner gets when the order is revealed.
    function test_a_receipt_for_the_hidden_order_agrees() public {
        uint256 leaf = leafOf(openingOf());
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.andOtherOutside(leaf, TIME);
        kept();
    }

    function andOtherOutside(uint256 leaf, uint64 time) external {
        andOther(leaf, time);
    }

    function test_a_receipt_for_another_operation_does_not_agree() public {
        andOther(leafOf(openingOf()) + 1, TIME);
        lost(Bonds.Fault.TwoForOnePlace);
    }

    function test_a_receipt_for_the_forfeit_does_not_agree() public {
        andOther(FORFEIT, TIME);
        lost(Bonds.Fault.TwoForOnePlace);
    }

    function test_a_receipt_with_another_time_does_not_agree() public {
        andOther(leafOf(openingOf()), TIME + 1);
        lost(Bonds.Fault.TwoForOnePlace);
    }

    // The block.

    function broken(Blind.Receipt memory b, BlindFaults.Shown memory shown) internal {
        announceEvidence(digestOf(b));
        vm.prank(REPORTER);
        slashing.reportBlindBroken(OWNER, sequencer, b, sealed_(b), shown, SALT);
    }

    function brokenOutside(Blind.Receipt memory b, BlindFaults.Shown memory shown) external {
        broken(b, shown);
    }

    function test_another_leaf_at_the_place() public {
        broken(blind(), shownWith(1234));
        lost(Bonds.Fault.OtherLeaf);
    }

    function test_either_leaf_keeps_the_promise() public {
        uint256[2] memory leaves = [leafOf(openingOf()), FORFEIT];
        for (uint256 i = 0; i < 2; ++i) {
            BlindFaults.Shown memory shown = shownWith(leaves[i]);
            vm.expectPartialRevert(ReceiptFaults.Kept.selector);
            this.brokenOutside(blind(), shown);
        }
        kept();
    }

    function test_a_place_or_time_that_is_not_there() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        Blind.Receipt memory b = blind();
        b.receipt.position = COUNT + 2;
        broken(b, shown);
        lost(Bonds.Fault.NoPosition);
    }

    function test_a_batch_that_is_not_there() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        Blind.Receipt memory b = blind();
        b.receipt.batch = 2;
        broken(b, shown);
        lost(Bonds.Fault.NoBatch);
    }

    function test_a_wrong_path_shows_nothing() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        shown.leaf = 1234;
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        this.brokenOutside(blind(), shown);
    }

    function test_a_block_that_was_taken_back_shows_nothing() public {
        blocks.takeBack(6);
        BlindFaults.Shown memory shown = shownWith(1234);
        vm.expectPartialRevert(ReceiptFaults.Void.selector);
        this.brokenOutside(blind(), shown);
    }

    function test_an_earlier_block_with_a_later_time() public {
        uint256[16] memory inputs = inputsOf(5, TIME + 1);
        blocks.finalize(6, inputs, EXITS);
        Blind.Receipt memory b = blind();
        announceEvidence(digestOf(b));
        vm.prank(REPORTER);
        slashing.reportBlindOvertaken(OWNER, sequencer, b, sealed_(b), 6, inputs, EXITS, SALT);
        lost(Bonds.Fault.Overtaken);
    }

    function test_an_earlier_block_with_an_earlier_time_shows_nothing() public {
        uint256[16] memory inputs = inputsOf(5, TIME);
        blocks.finalize(6, inputs, EXITS);
        Blind.Receipt memory b = blind();
        announceEvidence(digestOf(b));
        vm.prank(REPORTER);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        slashing.reportBlindOvertaken(OWNER, sequencer, b, sealed_(b), 6, inputs, EXITS, SALT);
    }

    // Openings that were ignored.

    function ignored(BlindFaults.Shown memory shown) public {
        Blind.Receipt memory b = blind();
        announceEvidence(digestOf(b));
        vm.prank(REPORTER);
        slashing.reportIgnored(OWNER, sequencer, b, sealed_(b), shown, SALT);
    }

    function revealNow() internal {
        slashing.reveal(blind(), termsOf(openingOf()), openingOf(), paidOf());
    }

    function test_the_forfeit_of_an_order_that_was_revealed_is_a_fault() public {
        revealNow();
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        ignored(shown);
        lost(Bonds.Fault.Ignored);
    }

    /// The block may be final before the time is over: an operator that does not wait bears that.
    function test_an_opening_after_the_block_is_final_is_in_time() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        vm.warp(REVEAL_BY);
        revealNow();
        ignored(shown);
        lost(Bonds.Fault.Ignored);
    }

    function test_the_forfeit_of_an_order_that_nobody_revealed_is_none() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        vm.expectPartialRevert(BlindFaults.NotRevealed.selector);
        this.ignored(shown);
        kept();
    }

    function test_an_order_that_was_revealed_and_stands_is_none() public {
        revealNow();
        BlindFaults.Shown memory shown = shownWith(leafOf(openingOf()));
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.ignored(shown);
        kept();
    }

    function test_a_forfeit_elsewhere_in_the_block_is_none() public {
        revealNow();
        BlindFaults.Shown memory shown = shownWith(leafOf(openingOf()));
        shown.leaf = FORFEIT;
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        this.ignored(shown);
    }

    function test_a_revealed_order_of_a_block_that_was_taken_back_is_none() public {
        revealNow();
        blocks.takeBack(6);
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        vm.expectPartialRevert(ReceiptFaults.Void.selector);
        this.ignored(shown);
    }

    // Signatures.

    function test_each_needs_the_signature_of_the_key() public {
        revealNow();
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        (Blind.Receipt memory a, Blind.Receipt memory b) = (blind(), blind());
        b.forfeit += 1;
        (Blind.Closing memory c, Blind.Closing memory d) = (closing(), closing());
        d.root += 1;
        Blind.Signature memory foreign = by(OTHER_KEY, digestOf(a));
        Blind.Signature memory foreignToo = by(OTHER_KEY, digestOf(c));
        bytes[] memory calls = new bytes[](8);
        calls[0] = abi.encodeCall(
            BlindFaults.reportTwoBlind, (OWNER, sequencer, a, foreign, b, sealed_(b), SALT)
        );
        calls[1] = abi.encodeCall(
            BlindFaults.reportTwoBlind, (OWNER, sequencer, b, sealed_(b), a, foreign, SALT)
        );
        Receipts.Signed memory s = signed(receiptOf(7, BATCH, POSITION, 5));
        calls[2] = abi.encodeCall(BlindFaults.reportBlindAndOther, (OWNER, sequencer, a, foreign, s, SALT));
        calls[3] = abi.encodeCall(BlindFaults.reportBlindBroken, (OWNER, sequencer, a, foreign, shown, SALT));
        calls[4] = abi.encodeCall(BlindFaults.reportIgnored, (OWNER, sequencer, a, foreign, shown, SALT));
        calls[5] = abi.encodeCall(
            BlindFaults.reportTwoClosings, (OWNER, sequencer, c, foreignToo, d, sealed_(d), SALT)
        );
        BlindFaults.Entry memory entry = entryAt(0);
        calls[6] = abi.encodeCall(
            BlindFaults.reportReplaced, (OWNER, sequencer, c, foreignToo, entry, shown, SALT)
        );
        calls[7] = abi.encodeCall(
            BlindFaults.reportReopened, (OWNER, sequencer, c, foreignToo, COUNT, new uint256[](0), shown, SALT)
        );
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(REPORTER);
            (bool ok, bytes memory why) = address(slashing).call(calls[i]);
            require(!ok && bytes4(why) == ReceiptFaults.OtherSigner.selector, "signer");
        }
        // A signature by the key under a receipt says nothing about another type.
        vm.expectPartialRevert(ReceiptFaults.OtherSigner.selector);
        slashing.reportBlindBroken(OWNER, sequencer, a, by(KEY, digestOf(a.receipt)), shown, SALT);
    }

    // Closings.

    function entryAt(uint256 position) internal view returns (BlindFaults.Entry memory entry) {
        uint256[] memory entries = entriesOf();
        entry.position = position;
        entry.leaf = position == POSITION ? leafOf(openingOf()) : leavesOf(COUNT, 5)[position];
        if (position == KNOWN_ORDER) entry.leaf = leafOf(knownOrder());
        entry.forfeit = position == POSITION ? FORFEIT : 0;
        entry.siblings = pathTo(entries, position);
    }

    function replaced(BlindFaults.Entry memory entry, BlindFaults.Shown memory shown) public {
        Blind.Closing memory c = closing();
        announceEvidence(digestOf(c));
        vm.prank(REPORTER);
        slashing.reportReplaced(OWNER, sequencer, c, sealed_(c), entry, shown, SALT);
    }

    function test_two_closings_of_one_batch() public {
        (Blind.Closing memory c, Blind.Closing memory d) = (closing(), closing());
        d.count += 1;
        announceEvidence(pairOf(digestOf(c), digestOf(d)));
        vm.prank(REPORTER);
        slashing.reportTwoClosings(OWNER, sequencer, c, sealed_(c), d, sealed_(d), SALT);
        lost(Bonds.Fault.TwoClosings);
    }

    function test_closings_of_different_batches_are_none() public {
        for (uint256 i = 0; i < 3; ++i) {
            (Blind.Closing memory c, Blind.Closing memory d) = (closing(), closing());
            if (i == 0) d.epoch += 1;
            if (i == 1) d.number += 1;
            if (i == 2) d.batch += 1;
            vm.expectPartialRevert(ReceiptFaults.OtherPlace.selector);
            slashing.reportTwoClosings(OWNER, sequencer, c, sealed_(c), d, sealed_(d), SALT);
        }
        Blind.Closing memory one = closing();
        vm.expectPartialRevert(ReceiptFaults.SameReceipt.selector);
        slashing.reportTwoClosings(OWNER, sequencer, one, sealed_(one), one, sealed_(one), SALT);
    }

    function test_an_operation_in_place_of_a_known_one() public {
        uint256[] memory leaves = leavesWith(FORFEIT, quoteLeaf(BOUGHT));
        leaves[1] += 1;
        replaced(entryAt(1), shownAt(leaves, 1));
        lost(Bonds.Fault.OtherLeaf);
    }

    function test_an_operation_in_place_of_a_hidden_one() public {
        replaced(entryAt(POSITION), shownWith(1234));
        lost(Bonds.Fault.OtherLeaf);
    }

    function test_what_the_closing_promised_is_no_fault() public {
        uint256[2] memory leaves = [leafOf(openingOf()), FORFEIT];
        for (uint256 i = 0; i < 2; ++i) {
            BlindFaults.Shown memory shown = shownWith(leaves[i]);
            vm.expectPartialRevert(ReceiptFaults.Kept.selector);
            this.replaced(entryAt(POSITION), shown);
        }
        BlindFaults.Shown memory first = shownAt(leavesWith(FORFEIT, quoteLeaf(BOUGHT)), 0);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.replaced(entryAt(0), first);
        kept();
    }

    function test_a_false_entry_shows_nothing() public {
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        // Another leaf for the hidden order, another forfeit, none, another path, another place.
        for (uint256 i = 0; i < 5; ++i) {
            BlindFaults.Entry memory entry = entryAt(POSITION);
            if (i == 0) entry.leaf += 1;
            if (i == 1) entry.forfeit += 1;
            if (i == 2) entry.forfeit = 0;
            if (i == 3) entry.siblings = pathTo(entriesOf(), 0);
            if (i == 4) entry.position = 0;
            vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
            this.replaced(entry, shown);
        }
        BlindFaults.Entry memory behind = entryAt(0);
        behind.position = COUNT;
        vm.expectPartialRevert(Inclusion.NoSuchPosition.selector);
        this.replaced(behind, shown);
    }

    /// Leaves are hashes too: an entry has one reading.
    function test_an_entry_does_not_pass_for_another() public {
        Blind.Opening memory known = knownOrder();
        BlindFaults.Shown memory shown = shownWith(FORFEIT);
        // The hidden order's entry as a known leaf.
        BlindFaults.Entry memory entry = entryAt(POSITION);
        (entry.leaf, entry.forfeit) = (entriesOf()[POSITION], 0);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        this.replaced(entry, shown);
        // A known order's words as a leaf and a forfeit.
        shown = shownAt(leavesWith(FORFEIT, quoteLeaf(BOUGHT)), KNOWN_ORDER);
        entry = entryAt(KNOWN_ORDER);
        (entry.leaf, entry.forfeit) = (wordOf(known), known.limit);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        this.replaced(entry, shown);
        kept();
    }

    function test_a_batch_that_is_shorter_than_its_closing() public {
        uint256[] memory leaves = leavesOf(2, 5);
        replaced(entryAt(3), shownAt(leaves, 1));
        lost(Bonds.Fault.NoPosition);
    }

    function reopened(uint256 position, uint256[] memory words, BlindFaults.Shown memory shown) public {
        Blind.Closing memory c = closing();
        announceEvidence(digestOf(c));
        vm.prank(REPORTER);
        slashing.reportReopened(OWNER, sequencer, c, sealed_(c), position, words, shown, SALT);
    }

    function list(uint256 a) internal pure returns (uint256[] memory words) {
        words = new uint256[](1);
        words[0] = a;
    }

    function list(uint256 a, uint256 b) internal pure returns (uint256[] memory words) {
        words = new uint256[](2);
        (words[0], words[1]) = (a, b);
    }

    function test_an_order_behind_the_closing() public {
        uint256 word = wordOf(openingOf());
        uint128 limit = openingOf().limit;
        uint256[] memory leaves = leavesWith(FORFEIT, leafOf(openingOf()));
        reopened(COUNT + 1, list(word, limit), shownAt(leaves, COUNT + 1));
        lost(Bonds.Fault.Reopened);
    }

    function test_a_transfer_behind_the_closing() public {
        uint256[] memory leaves = leavesWith(FORFEIT, FORFEIT + 1);
        reopened(COUNT + 1, list(FORFEIT + 1), shownAt(leaves, COUNT + 1));
        lost(Bonds.Fault.Reopened);
    }

    function test_a_quote_behind_the_closing_is_none() public {
        BlindFaults.Shown memory shown = shownAt(leavesWith(FORFEIT, quoteLeaf(BOUGHT)), COUNT + 1);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.reopened(COUNT + 1, list(quoteWord(BOUGHT), 1 << 95), shown);
        // Its leaf does not pass for a word, and other words are not its own.
        vm.expectPartialRevert(BlindFaults.NotItsWords.selector);
        this.reopened(COUNT + 1, list(quoteLeaf(BOUGHT)), shown);
        vm.expectPartialRevert(BlindFaults.NotItsWords.selector);
        this.reopened(COUNT + 1, list(quoteWord(BOUGHT), 1 << 94), shown);
        vm.expectPartialRevert(BlindFaults.NotItsWords.selector);
        this.reopened(COUNT + 1, new uint256[](0), shown);
        kept();
    }

    /// In a batch of L1 operations alone.
    function test_a_deposit_behind_the_closing() public {
        uint256[] memory words = new uint256[](3);
        (words[0], words[1], words[2]) = (1 << 176 | 5, 6, 7);
        bytes memory table = Poseidon2.constants();
        uint256 leaf = Poseidon2.compress(table, Poseidon2.compress(table, words[0], words[1]), words[2]);
        reopened(COUNT + 1, words, shownAt(leavesWith(FORFEIT, leaf), COUNT + 1));
        lost(Bonds.Fault.Reopened);
    }

    /// Another time is a fault of its own, and shows nothing about what stands behind.
    function test_a_block_of_another_time_than_its_closing() public {
        BlindFaults.Shown memory shown = shownAt(leavesWith(FORFEIT, FORFEIT + 1), COUNT + 1);
        Blind.Closing memory c = closing();
        c.time += 1;
        announceEvidence(digestOf(c));
        vm.prank(REPORTER);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        slashing.reportReopened(OWNER, sequencer, c, sealed_(c), COUNT + 1, list(FORFEIT + 1), shown, SALT);
        vm.prank(REPORTER);
        slashing.reportReplaced(OWNER, sequencer, c, sealed_(c), entryAt(0), shown, SALT);
        lost(Bonds.Fault.OtherTime);
    }

    function test_nothing_stands_behind_the_last_operation() public {
        BlindFaults.Shown memory shown = shownAt(leavesWith(FORFEIT, FORFEIT + 1), COUNT + 1);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.reopened(COUNT + 2, list(FORFEIT + 1), shown);
        vm.expectPartialRevert(ReceiptFaults.Kept.selector);
        this.reopened(COUNT - 1, list(FORFEIT + 1), shown);
        kept();
    }
}
