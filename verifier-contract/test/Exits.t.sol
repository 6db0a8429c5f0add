// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Chain} from "../contracts/Chain.sol";
import {Exits} from "../contracts/Exits.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Statements} from "../contracts/Statements.sol";
import {Vault} from "../contracts/Vault.sol";
import {Fixture} from "./Support.sol";

/// Tries to claim again while it is paid.
contract Reenterer {
    Rollup rollup;
    bytes call;
    bool public again;

    function arm(Rollup r, bytes calldata c) external {
        (rollup, call) = (r, c);
    }

    receive() external payable {
        (again,) = address(rollup).call(call);
    }
}

/// Takes no ETH, and is verbose about it.
contract Refuser {
    receive() external payable {
        assembly {
            revert(0, 100000)
        }
    }

    function collect(Rollup rollup, address to) external {
        rollup.collect(address(this), 0, to);
    }
}

contract ExitsTest is Fixture {
    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    /// A block with exits of 10, 11, 12 out of 1,000, released 100 seconds after its time.
    function threeExits(address to) internal returns (bytes[3] memory records, bytes32[3] memory leaves) {
        rollup.deposit{value: 1000}(0, 1000, 77, address(9));
        settleDeposits();
        uint40 release = uint40(now_() + 100);
        bytes memory data = abi.encodePacked(counts(1, 0, 3, 0), depositRecord(1 << 17, 0, 1000, 77, address(9)));
        for (uint128 i = 0; i < 3; ++i) {
            records[i] = exitRecord(to, 0, release, 10 + i);
            leaves[i] = leafOf(records[i]);
            data = abi.encodePacked(data, records[i]);
        }
        finalizeWith(data, 13);
    }

    function pathOfFirst(bytes32[3] memory leaves) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](2);
        (path[0], path[1]) = (leaves[1], leaves[2]);
    }

    /// The odd leaf is promoted: its path has one sibling.
    function pathOfLast(bytes32[3] memory leaves) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](1);
        path[0] = nodeOf(leaves[0], leaves[1]);
    }

    function test_exits_are_claimed_once_and_in_time() public {
        address to = address(0xbeef);
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(to);
        bytes32[] memory path = pathOfFirst(leaves);
        vm.expectRevert(abi.encodeWithSelector(Chain.TooEarly.selector, now_() + 100));
        rollup.claim(1, inputsHash[1], 0, 3, records[0], path);
        skip(100);
        rollup.claim(1, inputsHash[1], 0, 3, records[0], path);
        require(to.balance == 10 && rollup.claimed(1, 0) == 1, "paid");
        vm.expectRevert(abi.encodeWithSelector(Exits.AlreadyClaimed.selector, 1, 0));
        rollup.claim(1, inputsHash[1], 0, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 1, 1));
        rollup.claim(1, inputsHash[1], 1, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 1, 0));
        rollup.claim(1, inputsHash[1], 0, 3, records[1], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.NotFinalized.selector, 2));
        rollup.claim(2, inputsHash[2], 0, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.NotFinalized.selector, 0));
        rollup.claim(0, inputsHash[0], 0, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.RecordLength.selector, 46));
        rollup.claim(1, inputsHash[1], 0, 3, new bytes(46), path);
        rollup.claim(1, inputsHash[1], 2, 3, records[2], pathOfLast(leaves));
        require(to.balance == 22 && rollup.held(0) == 978 && rollup.claimed(1, 0) == 5, "books");
    }

    /// The last of n exits sits alone on every level until one where it has a sibling, so that its
    /// path fits other shapes: who claims must not choose the shape.
    function test_an_exit_has_one_place_in_one_shape() public {
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(0xbeef));
        skip(100);
        bytes32[] memory path = pathOfLast(leaves);
        for (uint32 shift = 0; shift < 32; ++shift) {
            uint32 position = uint32(1) << shift;
            if (position == 2) continue;
            vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 1, position));
            rollup.claim(1, inputsHash[1], position, position + 1, records[2], path);
        }
        rollup.claim(1, inputsHash[1], 2, 3, records[2], path);
        require(address(0xbeef).balance == 12, "once");
    }

    function testFuzz_no_other_form_of_a_claim_is_paid(
        uint8 exit,
        uint32 position,
        uint32 count,
        uint8 length,
        bool other
    ) public {
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(0xbeef));
        skip(100);
        exit = exit % 3;
        // Small numbers as often as any: they are those of near shapes.
        if (other) (position, count) = (position % 8, count % 8);
        bytes32[] memory honest = exit == 2 ? pathOfLast(leaves) : pathOfFirst(leaves);
        if (exit == 1) honest[0] = leaves[0];
        bytes32[] memory path = new bytes32[](length % 5);
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = i < honest.length ? honest[i] : leaves[i % 3];
        }
        bool good = position == exit && count == 3 && path.length == honest.length;
        bytes memory call = abi.encodeCall(Exits.claim, (1, inputsHash[1], position, count, records[exit], path));
        (bool ok, bytes memory why) = address(rollup).call(call);
        require(ok == good && (ok || bytes4(why) == Exits.WrongPath.selector), "another form");
        require(address(0xbeef).balance == (ok ? 10 + exit : 0), "paid");
    }

    /// A node of the tree is no record, and the tree of a block is no tree of another one.
    function test_roots_bind_count_and_kind() public {
        threeExits(address(0xbeef));
        (bytes32 kept,,,,,) = rollup.blocks(1);
        bytes memory record = exitRecord(address(0xbeef), 0, uint40(now_()), 5);
        bytes memory data = abi.encodePacked(counts(0, 0, 1, 0), record);
        finalizeWith(data, 14);
        (bytes32 single,,,,,) = rollup.blocks(2);
        bytes32 one = exitRoot(1, leafOf(record));
        require(single == keccak256(bytes.concat(inputsHash[2], one)) && kept != single, "one exit");
        finalizeWith(counts(0, 0, 0, 0), 15);
        (bytes32 none,,,,,) = rollup.blocks(3);
        require(none == keccak256(bytes.concat(inputsHash[3], bytes32(0))), "no exit");
        bytes32[] memory path = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 3, 0));
        rollup.claim(3, inputsHash[3], 0, 1, record, path);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 3, 0));
        rollup.claim(3, inputsHash[3], 0, 0, record, path);
    }

    // ---- release

    /// An exit that the limiter lets wait for `wait` after a block that is `lag` old at its commit.
    function lateBlock(uint40 lag, uint40 wait) internal returns (bytes memory record) {
        rollup.deposit{value: 1000}(0, 1000, 77, address(9));
        settleDeposits();
        finalizeWith(abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 0, 1000, 77, address(9))), 13);
        skip(lag);
        Statements.Header memory h = header(13, 14);
        h.time -= lag;
        record = exitRecord(address(0xbeef), 0, uint40(h.time) + wait, 10);
        bytes memory data = abi.encodePacked(counts(0, 1, 1, 0), new bytes(15), record);
        rollup.commit(h, data);
        proveNext(h, data);
        rollup.finalize(2);
    }

    function test_waiting_counts_from_the_commit() public {
        bytes memory record = lateBlock(20 hours, 1 days);
        bytes32[] memory path = new bytes32[](0);
        skip(1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(Chain.TooEarly.selector, now_() + 1));
        rollup.claim(2, inputsHash[2], 0, 1, record, path);
        skip(1);
        rollup.claim(2, inputsHash[2], 0, 1, record, path);
        require(address(0xbeef).balance == 10, "a day after L1 learned of it");
    }

    function testFuzz_nothing_waits_longer_than_the_longest_delay(uint40 lag, uint40 wait, uint40 later) public {
        (lag, wait) = (lag % (1 days + 1), wait % (3 days + 1));
        bytes memory record = lateBlock(lag, wait);
        uint256 committedAt = now_();
        skip(later % (3 days + 1));
        bytes32[] memory path = new bytes32[](0);
        bytes memory call = abi.encodeCall(Exits.claim, (2, inputsHash[2], 0, 1, record, path));
        (bool ok,) = address(rollup).call(call);
        require(ok == (now_() >= committedAt + wait), "by L1's clock alone");
    }

    /// Time cannot be before the block's by a proof; without one it is no licence.
    function test_a_release_before_the_blocks_time_waits_for_nothing() public {
        rollup.deposit{value: 1000}(0, 1000, 77, address(9));
        settleDeposits();
        bytes memory record = exitRecord(address(0xbeef), 0, 5, 10);
        bytes memory data =
            abi.encodePacked(counts(1, 0, 1, 0), depositRecord(1 << 17, 0, 1000, 77, address(9)), record);
        finalizeWith(data, 13);
        rollup.claim(1, inputsHash[1], 0, 1, record, new bytes32[](0));
        require(address(0xbeef).balance == 10, "paid");
    }

    // ---- receivers

    function test_reentering_a_claim_fails() public {
        Reenterer bad = new Reenterer();
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(bad));
        skip(100);
        bad.arm(rollup, abi.encodeCall(Exits.claim, (1, inputsHash[1], 2, 3, records[2], pathOfLast(leaves))));
        rollup.claim(1, inputsHash[1], 0, 3, records[0], pathOfFirst(leaves));
        require(!bad.again() && address(bad).balance == 10, "reentered");
    }

    function test_who_refuses_is_owed_and_stops_nobody() public {
        Refuser bad = new Refuser();
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(bad));
        skip(100);
        rollup.claim(1, inputsHash[1], 0, 3, records[0], pathOfFirst(leaves));
        require(rollup.owed(address(bad), 0) == 10 && rollup.held(0) == 1000, "owed");
        vm.expectRevert(abi.encodeWithSelector(Vault.NotTheOwner.selector, address(this)));
        rollup.collect(address(bad), 0, address(this));
        vm.expectRevert(abi.encodeWithSelector(Vault.TransferFailed.selector, address(bad)));
        rollup.collect(address(bad), 0, address(bad));
        bad.collect(rollup, address(0xbeef));
        require(address(0xbeef).balance == 10 && rollup.held(0) == 990, "elsewhere");
        vm.expectRevert(Vault.ZeroAmount.selector);
        bad.collect(rollup, address(0xbeef));
    }

    function test_claims_go_on_in_a_pause_and_without_verifier() public {
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(0xbeef));
        removeVerifier(CIRCUIT);
        skip(100);
        pause();
        rollup.claim(1, inputsHash[1], 0, 3, records[0], pathOfFirst(leaves));
        require(address(0xbeef).balance == 10, "paid");
    }
}
