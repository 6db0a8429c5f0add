// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Chain} from "../contracts/Chain.sol";
import {Exodus} from "../contracts/Exodus.sol";
import {L2State} from "../contracts/L2State.sol";
import {Queue} from "../contracts/Queue.sol";
import {Statements} from "../contracts/Statements.sol";
import {L2Tree} from "./L2Tree.sol";
import {Fixture} from "./Support.sol";

contract ExodusTest is Fixture, L2Tree {
    L2State.Account[2] accounts;
    uint256[SLOTS] leaves;

    function setUp() public {
        deploy(GENESIS, POLICY);
        accounts[0] = L2State.Account(71, address(0xa11ce), 0, 3, 40, 0);
        accounts[1] = L2State.Account(72, address(0xb0b), 0, 0, 60, 1 << 39);
        for (uint256 i = 0; i < 2; ++i) {
            leaves[i] = this.leafOf(accounts[i]);
        }
        // Both come from one deposit; how they moved on L2 is the proof's business.
        rollup.deposit{value: 100}(0, 100, 71, address(0xa11ce));
        finalizeWith(
            abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 0, 100, 71, address(0xa11ce))), rootOf(leaves)
        );
    }

    function wait_() internal {
        rollup.deposit{value: 7}(0, 7, 73, address(0xca401));
        skip(7 days + 1);
    }

    function depart(uint32 index, L2State.Account memory account, uint256[32] memory path) internal {
        rollup.depart(index, account, path);
    }

    function test_exodus_begins_when_an_entry_is_overdue_and_not_before() public {
        vm.expectRevert(Exodus.NothingOverdue.selector);
        rollup.beginExodus();
        rollup.deposit{value: 7}(0, 7, 73, address(0xca401));
        skip(7 days);
        vm.expectRevert(Exodus.NothingOverdue.selector);
        rollup.beginExodus();
        skip(1);
        pause();
        vm.prank(address(5));
        rollup.beginExodus();
        require(rollup.exodus(), "begun");
        vm.expectRevert(Queue.InExodus.selector);
        rollup.beginExodus();
    }

    function test_proven_blocks_count_and_committed_ones_do_not() public {
        rollup.deposit{value: 7}(0, 7, 73, address(0xca401));
        bytes memory data = abi.encodePacked(counts(1, 0, 0, 0), depositRecord((1 << 17) + 2, 0, 7, 73, address(0xca401)));
        uint256 old = rollup.committedRoot();
        skip(7 days + 1);
        rollup.commit(header(old, 14), data);
        require(rollup.exodusDue(), "a commit is no excuse");
        proveNext(header(old, 14), data);
        require(!rollup.exodusDue(), "a proof is");
        vm.expectRevert(Exodus.NothingOverdue.selector);
        rollup.beginExodus();
    }

    function test_everybody_leaves_once_and_the_vault_is_empty() public {
        wait_();
        uint256[32] memory path = pathOf(leaves, 0);
        vm.expectRevert(Exodus.NotInExodus.selector);
        depart(FIRST, accounts[0], path);
        vm.expectRevert(Exodus.NotInExodus.selector);
        rollup.refund(2, 0, 7, 73, address(0xca401));
        rollup.beginExodus();
        depart(FIRST, accounts[0], path);
        require(address(0xa11ce).balance == 40, "alice");
        vm.expectRevert(abi.encodeWithSelector(Exodus.AlreadyLeft.selector, FIRST));
        depart(FIRST, accounts[0], path);
        // Frozen for ever on L2, and gone all the same.
        depart(FIRST + 1, accounts[1], pathOf(leaves, 1));
        require(address(0xb0b).balance == 60, "bob");
        rollup.refund(2, 0, 7, 73, address(0xca401));
        require(address(0xca401).balance == 7 && address(rollup).balance == 0 && rollup.held(0) == 0, "empty");
        vm.expectRevert(abi.encodeWithSelector(Exodus.AlreadyRefunded.selector, 2));
        rollup.refund(2, 0, 7, 73, address(0xca401));
    }

    function test_only_what_waits_is_refunded_and_as_it_was_made() public {
        wait_();
        rollup.requestForcedExit(FIRST, 0);
        rollup.beginExodus();
        vm.expectRevert(abi.encodeWithSelector(Exodus.Processed.selector, 1));
        rollup.refund(1, 0, 100, 71, address(0xa11ce));
        vm.expectRevert(abi.encodeWithSelector(Exodus.NoSuchEntry.selector, 4));
        rollup.refund(4, 0, 7, 73, address(0xca401));
        vm.expectRevert(abi.encodeWithSelector(Exodus.WrongRecord.selector, 2));
        rollup.refund(2, 0, 8, 73, address(0xca401));
        vm.expectRevert(abi.encodeWithSelector(Exodus.WrongRecord.selector, 3));
        rollup.refund(3, 0, 0, 0, address(this));
    }

    function testFuzz_no_other_account_leaves(uint8 field, uint256 x, uint32 index) public {
        wait_();
        rollup.beginExodus();
        L2State.Account memory a = accounts[0];
        uint256[32] memory path = pathOf(leaves, 0);
        uint32 place = FIRST;
        field = field % 8;
        if (field == 0) a.keyhash = addmod(a.keyhash, 1 + x % (P - 1), P);
        if (field == 1) a.exit = address(uint160(a.exit) ^ uint160(1 + x % type(uint160).max));
        if (field == 2) a.token = uint16(1 + x % 65_535);
        if (field == 3) a.nonce ^= uint32(1 + x % type(uint32).max);
        if (field == 4) a.balance ^= uint128(1 + x % type(uint128).max);
        if (field == 5) a.frozenUntil = uint40(1 + x % type(uint40).max);
        if (field == 6) path[index % 32] = addmod(path[index % 32], 1 + x % (P - 1), P);
        if (field == 7) {
            vm.assume(index != FIRST && (index < 1 << 16 || index >= FIRST));
            place = index;
        }
        (bool ok, bytes memory why) = address(rollup).call(abi.encodeCall(Exodus.depart, (place, a, path)));
        require(!ok && bytes4(why) == Exodus.WrongRoot.selector, "left");
    }

    /// What was proven on the way into exodus is held back like every exit.
    function test_departures_wait_for_what_became_final_late() public {
        uint256 old = rollup.committedRoot();
        bytes memory none = counts(0, 0, 0, 0);
        Statements.Header memory h = header(old, rootOf(leaves));
        rollup.commit(h, none);
        proveNext(h, none);
        wait_();
        rollup.beginExodus();
        uint256 open = now_() + 3 days;
        uint256[32] memory path = pathOf(leaves, 0);
        skip(3 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Chain.TooEarly.selector, open));
        depart(FIRST, accounts[0], path);
        // Deposits that wait are nobody's word but the depositor's.
        rollup.refund(2, 0, 7, 73, address(0xca401));
        skip(1);
        depart(FIRST, accounts[0], path);
        require(address(0xa11ce).balance == 40, "left");
    }

    function test_words_beyond_the_field_and_limiters_are_refused() public {
        wait_();
        rollup.beginExodus();
        uint256[32] memory path = pathOf(leaves, 0);
        L2State.Account memory a = accounts[0];
        a.keyhash += P;
        vm.expectRevert(abi.encodeWithSelector(L2State.NotAnElement.selector, a.keyhash));
        depart(FIRST, a, path);
        path[31] += P;
        vm.expectRevert(abi.encodeWithSelector(L2State.NotAnElement.selector, path[31]));
        depart(FIRST, accounts[0], path);
        vm.expectRevert(abi.encodeWithSelector(Queue.SystemAccount.selector, 1 << 16));
        depart(1 << 16, accounts[0], path);
    }

    function test_the_root_never_moves_again() public {
        uint256 old = rollup.committedRoot();
        bytes memory none = counts(0, 0, 0, 0);
        rollup.commit(header(old, 14), none);
        uint256[16] memory inputs = inputsOf(header(old, 14), none);
        wait_();
        uint256[12] memory limbs;
        rollup.beginExodus();
        vm.expectRevert(Queue.InExodus.selector);
        rollup.prove(2, CIRCUIT, limbs, inputs, 0, "");
        vm.expectRevert(Queue.InExodus.selector);
        rollup.finalize(2);
        vm.expectRevert(Queue.InExodus.selector);
        rollup.revertCommits();
        vm.expectRevert(Queue.InExodus.selector);
        rollup.deposit{value: 1}(0, 1, 1, address(9));
        vm.expectRevert(Queue.InExodus.selector);
        rollup.requestForcedExit(FIRST, 0);
        (uint256 time, uint256 policy) = (now_(), governance.policyRoot());
        vm.expectRevert(Queue.InExodus.selector);
        this.commitAt(14, policy, time);
        require(rollup.stateRoot() == old, "root");
    }

    function commitAt(uint256 old, uint256 policy, uint256 time) external {
        rollup.commit(Statements.Header(old, 14, policy, uint64(time), 33, 1), counts(0, 0, 0, 0));
    }
}
