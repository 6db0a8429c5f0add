// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Queue} from "../contracts/Queue.sol";
import {Vault} from "../contracts/Vault.sol";
import {Fixture} from "./Support.sol";

contract QueueTest is Fixture {
    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function roll(uint256 entry) internal view returns (bytes32 r) {
        (r,) = rollup.entries(entry);
    }

    function test_deposits_and_requests_roll() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        vm.prank(address(9));
        rollup.requestForcedExit(1 << 17, 0);
        bytes32 first = keccak256(abi.encodePacked(bytes32(0), depositRecord(0, 0, 5, 77, address(9))));
        require(roll(1) == first, "deposit");
        require(roll(2) == keccak256(abi.encodePacked(first, forcedRecord(1 << 17, 0, address(9)))), "request");
    }

    function test_bad_deposits_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Vault.WrongValue.selector, 4, 5));
        rollup.deposit{value: 4}(0, 5, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Queue.KeyhashOutOfRange.selector, P));
        rollup.deposit{value: 5}(0, 5, P, address(9));
        vm.expectRevert(Vault.ZeroAmount.selector);
        rollup.deposit(0, 0, 1, address(9));
        vm.expectRevert(Queue.ZeroExit.selector);
        rollup.deposit{value: 5}(0, 5, 1, address(0));
        vm.expectRevert(abi.encodeWithSelector(Vault.UnknownToken.selector, 3));
        rollup.deposit(3, 5, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Queue.SystemAccount.selector, (1 << 17) - 1));
        rollup.requestForcedExit((1 << 17) - 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Vault.UnknownToken.selector, 3));
        rollup.requestForcedExit(1 << 17, 3);
    }

    function test_a_pause_stops_deposits_and_not_forced_exits() public {
        pause();
        vm.expectRevert(abi.encodeWithSelector(Queue.IsPaused.selector, now_() + 2 days));
        rollup.deposit{value: 5}(0, 5, 1, address(9));
        rollup.requestForcedExit(1 << 17, 0);
        skip(2 days);
        rollup.deposit{value: 5}(0, 5, 1, address(9));
        require(rollup.queueLength() == 2, "both");
    }

    function testFuzz_malformed_calldata_changes_nothing(bytes calldata input) public {
        // Whatever is no deposit of value 1 leaves the queue as it was or makes one entry.
        (bool ok,) = address(rollup).call{value: 1}(input);
        require(!ok && rollup.queueLength() == 0 && rollup.held(0) == 0, "changed");
    }

    function testFuzz_a_deposit_is_what_was_sent(uint128 amount, uint256 keyhash, address exit) public {
        vm.assume(amount > 0 && exit != address(0));
        vm.deal(address(this), amount);
        rollup.deposit{value: amount}(0, amount, keyhash % P, exit);
        require(rollup.held(0) == amount && address(rollup).balance == amount, "held");
        bytes memory record = depositRecord(0, 0, amount, keyhash % P, exit);
        require(roll(1) == keccak256(abi.encodePacked(bytes32(0), record)), "roll");
    }
}
