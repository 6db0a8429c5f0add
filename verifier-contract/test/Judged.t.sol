// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IBlocks} from "../contracts/IBlocks.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Slashing} from "../contracts/Slashing.sol";
import {Statements} from "../contracts/Statements.sol";
import {Times} from "../contracts/Times.sol";
import {SignVm} from "./SlashingWorld.sol";
import {Fixture} from "./Support.sol";

/// Receipts against the rollup itself: which of its events make them void, and in time.
contract JudgedTest is Fixture {
    SignVm private constant signing = SignVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant KEY = 0x5ec7;
    uint256 private constant LEAF = 4711;
    bytes32 private constant SALT = "salt";

    Slashing private slashing;
    address private sequencer;

    function setUp() public {
        deploy(GENESIS, POLICY);
        slashing = new Slashing(IBlocks(address(rollup)));
        sequencer = signing.addr(KEY);
        slashing.bond{value: 4 ether}(sequencer);
    }

    /// A batch of one operation, as posted and as the chain has it.
    function data() internal pure returns (bytes memory) {
        return abi.encodePacked(counts(0, 1, 0, 0), bytes15(uint120(LEAF)));
    }

    function batches() internal pure returns (Inclusion.Batch[] memory all) {
        all = new Inclusion.Batch[](1);
        all[0] = Inclusion.Batch(LEAF, (1 << 64) + (1 << 16));
    }

    function headerOf(uint256 newRoot) internal view returns (Statements.Header memory h) {
        h = header(rollup.committedRoot(), newRoot);
        bytes memory table = Poseidon2.constants();
        h.cOut = Poseidon2.compress(table, Poseidon2.compress(table, 0, LEAF), (1 << 64) + (1 << 16));
    }

    /// Makes the next block, final.
    function finalBlock(uint256 newRoot) internal returns (uint256 number, uint256[16] memory inputs) {
        Statements.Header memory h = headerOf(newRoot);
        number = rollup.committed() + 1;
        rollup.commit(h, data());
        proveNext(h, data());
        rollup.finalize(number);
        inputs = inputsOf(h, data());
    }

    function sign(uint256 number, uint256 time, uint256 leaf) internal view returns (Receipts.Signed memory s) {
        s.receipt = Receipts.Receipt(0, uint64(number), 0, 0, keccak256("operation"), leaf, uint64(time));
        s.receipt.epoch = uint32(rollup.revertCount());
        (s.v, s.r, s.s) = signing.sign(KEY, this.digest(s.receipt));
    }

    function digest(Receipts.Receipt calldata receipt) external view returns (bytes32) {
        return Receipts.digest(receipt, address(rollup));
    }

    function announce(Receipts.Signed memory s) internal {
        slashing.announceReport(slashing.commitment(address(this), address(this), this.digest(s.receipt), SALT));
        skip(Times.REPORT_DELAY);
    }

    function broken(Receipts.Signed memory s, uint256[16] memory inputs) internal returns (bool ok, bytes4 why) {
        announce(s);
        bytes memory answer;
        (ok, answer) = address(slashing).call(
            abi.encodeCall(
                ReceiptFaults.reportBroken,
                (address(this), sequencer, s, inputs, exitsOf(headerOf(1), data()), batches(), LEAF, new uint256[](0), SALT)
            )
        );
        why = ok ? bytes4(0) : bytes4(answer);
    }

    function overtaken(Receipts.Signed memory s, uint256 number, uint256[16] memory inputs)
        internal
        returns (bool ok, bytes4 why)
    {
        announce(s);
        bytes memory answer;
        (ok, answer) = address(slashing).call(
            abi.encodeCall(
                ReceiptFaults.reportOvertaken,
                (address(this), sequencer, s, number, inputs, exitsOf(headerOf(1), data()), SALT)
            )
        );
        why = ok ? bytes4(0) : bytes4(answer);
    }

    function test_an_operation_of_a_block_is_included() public {
        (uint256 number, uint256[16] memory inputs) = finalBlock(12);
        bytes32 exits = exitsOf(headerOf(1), data());
        slashing.requireIncluded(number, inputs, exits, batches(), 0, 0, LEAF, new uint256[](0));
    }

    function test_another_operation_costs_the_bond_and_the_same_does_not() public {
        Receipts.Signed memory kept = sign(1, now_(), LEAF);
        Receipts.Signed memory other = sign(1, now_(), LEAF + 1);
        (, uint256[16] memory inputs) = finalBlock(12);
        (bool ok, bytes4 why) = broken(kept, inputs);
        require(!ok && why == ReceiptFaults.Kept.selector, "kept");
        (ok,) = broken(other, inputs);
        require(ok, "broken");
    }

    function test_a_block_that_is_only_proven_shows_nothing() public {
        Receipts.Signed memory other = sign(1, now_(), LEAF + 1);
        Statements.Header memory h = headerOf(12);
        rollup.commit(h, data());
        proveNext(h, data());
        (bool ok, bytes4 why) = broken(other, inputsOf(h, data()));
        require(!ok && why == Inclusion.BlockNotFinal.selector, "final");
    }

    function test_commits_that_were_taken_back_make_receipts_void() public {
        Receipts.Signed memory lost = sign(1, now_(), LEAF + 1);
        rollup.commit(headerOf(12), data());
        rollup.revertCommits();
        Receipts.Signed memory later = sign(1, now_(), LEAF + 1);
        (, uint256[16] memory inputs) = finalBlock(13);
        (bool ok, bytes4 why) = broken(lost, inputs);
        require(!ok && why == ReceiptFaults.Void.selector, "void");
        (ok,) = broken(later, inputs);
        require(ok, "a receipt of the next epoch");
    }

    /// What an operator does whose folder was restored: a block that nobody proves, and back.
    function test_a_block_of_nothing_begins_an_epoch() public {
        finalBlock(12);
        Receipts.Signed memory lost = sign(2, now_(), LEAF + 1);
        rollup.commit(header(rollup.committedRoot(), rollup.committedRoot()), counts(0, 0, 0, 0));
        rollup.revertCommits();
        (uint256 number, uint256[16] memory inputs) = finalBlock(13);
        require(number == 2, "number");
        (bool ok, bytes4 why) = broken(lost, inputs);
        require(!ok && why == ReceiptFaults.Void.selector, "void");
    }

    /// Operators do not answer for blocks that others bring, even if none is taken back for them.
    function test_a_strangers_block_makes_receipts_void() public {
        skip(3 days + 1);
        require(rollup.operatorsAway(), "away");
        Receipts.Signed memory other = sign(1, now_(), LEAF + 1);
        Receipts.Signed memory next = sign(2, now_() - 1, LEAF + 1);
        Statements.Header memory h = headerOf(12);
        uint256[12] memory limbs;
        signing.prank(address(0x57a4));
        rollup.settle(h, data(), CIRCUIT, limbs, "");
        uint256[16] memory inputs = inputsOf(h, data());
        (bool ok, bytes4 why) = broken(other, inputs);
        require(!ok && why == ReceiptFaults.Void.selector, "void");
        (ok, why) = overtaken(next, 1, inputs);
        require(!ok && why == ReceiptFaults.Void.selector, "void too");
    }

    function test_an_operators_own_settlement_makes_none_void() public {
        Receipts.Signed memory other = sign(1, now_(), LEAF + 1);
        Statements.Header memory h = headerOf(12);
        uint256[12] memory limbs;
        rollup.settle(h, data(), CIRCUIT, limbs, "");
        (bool ok,) = broken(other, inputsOf(h, data()));
        require(ok, "broken");
    }

    function test_an_excuse_comes_too_late_when_the_block_is_final() public {
        Receipts.Signed memory next = sign(3, now_() - 1, LEAF);
        (uint256 number, uint256[16] memory inputs) = finalBlock(12);
        skip(1);
        for (uint256 i = 0; i < 20; ++i) {
            rollup.commit(headerOf(13), data());
            rollup.revertCommits();
        }
        (bool ok,) = overtaken(next, number, inputs);
        require(ok, "overtaken");
    }

    function test_an_excuse_comes_in_time_before_that() public {
        Receipts.Signed memory next = sign(3, now_() - 1, LEAF);
        rollup.commit(headerOf(13), data());
        rollup.revertCommits();
        (uint256 number, uint256[16] memory inputs) = finalBlock(12);
        (bool ok, bytes4 why) = overtaken(next, number, inputs);
        require(!ok && why == ReceiptFaults.Void.selector, "void");
    }
}
