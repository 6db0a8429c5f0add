// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Blocks} from "../contracts/Blocks.sol";
import {Governor} from "../contracts/Governor.sol";
import {Exits} from "../contracts/Exits.sol";
import {Rollup} from "../contracts/Rollup.sol";
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

    function threeExits(address to) internal returns (bytes[3] memory records, bytes32[3] memory leaves) {
        rollup.deposit{value: 100}(0, 100, 77, address(9));
        uint40 release = uint40(now_() + 100);
        bytes memory data = abi.encodePacked(counts(1, 0, 3, 0), depositRecord(1 << 17, 0, 100, 77, address(9)));
        for (uint128 i = 0; i < 3; ++i) {
            records[i] = exitRecord(to, 0, release, 10 + i);
            leaves[i] = keccak256(abi.encodePacked(bytes1(0), records[i]));
            data = abi.encodePacked(data, records[i]);
        }
        finalizeWith(data, 13);
    }

    function test_exits_are_claimed_once_and_in_time() public {
        address to = address(0xbeef);
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(to);
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        vm.expectRevert(abi.encodeWithSelector(Blocks.TooEarly.selector, now_() + 100));
        rollup.claim(1, 0, 3, records[0], path);
        skip(100);
        rollup.claim(1, 0, 3, records[0], path);
        require(to.balance == 10, "paid");
        vm.expectRevert(abi.encodeWithSelector(Exits.AlreadyClaimed.selector, 1, 0));
        rollup.claim(1, 0, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 1, 1));
        rollup.claim(1, 1, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.WrongPath.selector, 1, 0));
        rollup.claim(1, 0, 3, records[1], path);
        vm.expectRevert(abi.encodeWithSelector(Exits.NotFinalized.selector, 2));
        rollup.claim(2, 0, 3, records[0], path);
        // The odd leaf is promoted: its path has one sibling.
        bytes32[] memory odd = new bytes32[](1);
        odd[0] = keccak256(abi.encodePacked(bytes1(0x01), leaves[0], leaves[1]));
        rollup.claim(1, 2, 3, records[2], odd);
        require(to.balance == 22 && rollup.held(0) == 78, "books");
    }

    function test_reentering_a_claim_fails() public {
        Reenterer bad = new Reenterer();
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(bad));
        skip(100);
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        bytes32[] memory odd = new bytes32[](1);
        odd[0] = keccak256(abi.encodePacked(bytes1(0x01), leaves[0], leaves[1]));
        bad.arm(rollup, abi.encodeCall(Exits.claim, (1, 2, 3, records[2], odd)));
        rollup.claim(1, 0, 3, records[0], path);
        require(!bad.again() && address(bad).balance == 10, "reentered");
    }

    function test_who_refuses_is_owed_and_stops_nobody() public {
        Refuser bad = new Refuser();
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(bad));
        skip(100);
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        rollup.claim(1, 0, 3, records[0], path);
        require(rollup.owed(address(bad), 0) == 10 && rollup.held(0) == 100, "owed");
        vm.expectRevert(abi.encodeWithSelector(Vault.NotTheOwner.selector, address(this)));
        rollup.collect(address(bad), 0, address(this));
        vm.expectRevert(abi.encodeWithSelector(Vault.TransferFailed.selector, address(bad)));
        rollup.collect(address(bad), 0, address(bad));
        bad.collect(rollup, address(0xbeef));
        require(address(0xbeef).balance == 10 && rollup.held(0) == 90, "elsewhere");
        vm.expectRevert(Vault.ZeroAmount.selector);
        bad.collect(rollup, address(0xbeef));
    }

    function test_claims_go_on_in_a_pause_and_without_verifier() public {
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(0xbeef));
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            governance.voteRemoveVerifier(CIRCUIT);
        }
        skip(100);
        pause();
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        rollup.claim(1, 0, 3, records[0], path);
        require(address(0xbeef).balance == 10, "paid");
    }
}
