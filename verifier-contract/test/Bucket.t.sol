// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bucket} from "../contracts/Bucket.sol";
import {Exits} from "../contracts/Exits.sol";
import {TestToken} from "../contracts/TestToken.sol";
import {Fixture} from "./Support.sol";

/// What is claimed early of a token is an eighth of what is held, and an eighth more in three days.
contract BucketTest is Fixture {
    address private constant PAYEE = address(0xbeef);
    uint256 private next = 13;

    function setUp() public {
        deploy(GENESIS, POLICY);
        rollup.deposit{value: 8_000}(0, 8_000, 77, address(9));
        exit(1, 0, depositRecord(1 << 17, 0, 8_000, 77, address(9)));
        skip(10 days);
    }

    /// A final block with one exit, released at once.
    function exit(uint128 amount, uint16 token, bytes memory l1) internal returns (bytes memory record) {
        record = exitRecord(PAYEE, token, uint40(now_()), amount);
        finalizeWith(abi.encodePacked(counts(l1.length > 0 ? 1 : 0, 0, 1, 0), l1, record), next++);
    }

    function exit(uint128 amount) internal returns (bytes memory) {
        return exit(amount, 0, "");
    }

    function claim(uint256 number, bytes memory record) internal {
        rollup.claim(number, inputsHash[number], 0, 1, record, new bytes32[](0));
    }

    function expectFull(uint256 room, uint256 earliest) internal {
        vm.expectRevert(abi.encodeWithSelector(Bucket.BucketFull.selector, 0, room, earliest));
    }

    function test_an_eighth_leaves_at_once_and_the_rest_drains() public {
        bytes memory whole = exit(1_000);
        bytes memory more = exit(700);
        require(rollup.room(0) == 1_000, "an eighth");
        claim(2, whole);
        require(PAYEE.balance == 1_000 && rollup.room(0) == 0, "at once");
        // The bucket holds 1,000 and takes 875 now; 7,000 are held, 875 drain in three days. For 700
        // there must be no more than 175 in it: 825 must drain.
        uint256 wait = (uint256(825) * 8 * 3 days + 6_999) / 7_000;
        expectFull(0, now_() + wait);
        claim(3, more);
        skip(wait - 1);
        expectFull(699, now_() + 1);
        claim(3, more);
        skip(1);
        claim(3, more);
        require(PAYEE.balance == 1_700, "when there is room");
    }

    function test_nothing_waits_beyond_the_longest_delay() public {
        bytes memory all = exit(8_000);
        uint256 latest = now_() + 3 days;
        expectFull(1_000, latest);
        claim(2, all);
        skip(3 days - 1);
        expectFull(1_000, latest);
        claim(2, all);
        skip(1);
        claim(2, all);
        require(PAYEE.balance == 8_000 && rollup.held(0) == 0, "all of it");
    }

    /// What leaves late was held back for as long as anything is, and takes nobody's room.
    function test_late_claims_leave_the_bucket_alone() public {
        bytes memory late = exit(4_000);
        skip(3 days);
        bytes memory early = exit(500);
        claim(2, late);
        require(rollup.room(0) == 500, "an eighth of what is left");
        claim(3, early);
        require(PAYEE.balance == 4_500, "both");
    }

    /// A griefer fills the bucket with his own money: others wait, and no longer than the bound.
    function test_a_full_bucket_delays_others_within_the_bound() public {
        bytes memory grief = exit(1_000);
        claim(2, grief);
        bytes memory victim = exit(300);
        uint256 latest = now_() + 3 days;
        (bool ok,) =
            address(rollup).call(abi.encodeCall(Exits.claim, (3, inputsHash[3], 0, 1, victim, new bytes32[](0))));
        require(!ok, "full");
        vm.warp(latest);
        claim(3, victim);
        require(PAYEE.balance == 1_300, "in time");
    }

    function test_tokens_have_their_own_buckets() public {
        TestToken token = new TestToken("T");
        uint16 id = rollup.registerToken(address(token));
        token.mint(address(this), 80);
        token.approve(address(rollup), 80);
        rollup.deposit(id, 80, 77, address(9));
        settleDeposits();
        bytes memory eth = exit(1_000, 0, depositRecord((1 << 17) + 1, id, 80, 77, address(9)));
        bytes memory erc20 = exit(10, id, "");
        claim(2, eth);
        require(rollup.room(id) == 10, "untouched");
        claim(3, erc20);
        require(token.balanceOf(PAYEE) == 10 && rollup.room(id) == 0, "paid");
    }

    /// Who brings much first, and takes what is not his, finds no more room than without it.
    function test_a_deposit_makes_no_room_before_it_has_stayed() public {
        rollup.deposit{value: 56_000}(0, 56_000, 77, address(9));
        require(rollup.room(0) == 1_000, "as before");
        bytes memory others = exit(8_000);
        expectFull(1_000, now_() + 3 days);
        claim(2, others);
        skip(3 days - 1);
        require(rollup.room(0) == 1_000, "for three days");
        skip(3 days + 1);
        require(rollup.room(0) == 8_000, "then like the rest");
    }

    /// What came after a claim drains nothing of the time before.
    function test_a_deposit_drains_nothing_backwards() public {
        claim(2, exit(1_000));
        skip(1.5 days);
        rollup.deposit{value: 7_000}(0, 7_000, 77, address(9));
        // 875 of 7,000, less the 1,000 of which half of 875 has drained.
        require(rollup.room(0) == 312, "by what was held");
    }

    /// Small claims lose nothing to rounding: what drains is counted exactly.
    function test_dust_does_not_stop_the_drain() public {
        claim(2, exit(1_000));
        uint256 unit = 8 * 3 days;
        uint256 filled = 1_000 * unit;
        uint256 held = 7_000;
        skip(11 hours);
        filled -= held * 11 hours;
        for (uint256 i = 0; i < 200; ++i) {
            skip(6 minutes);
            claim(3 + i, exit(1));
            filled = filled - held * 6 minutes + unit;
            held -= 1;
        }
        require(rollup.held(0) == held && rollup.room(0) == (held * 3 days - filled) / unit, "drained");
    }

    /// Whatever is tried in any three days, no more than a quarter of what was held leaves early.
    function testFuzz_a_quarter_leaves_early_in_three_days(uint256 seed) public {
        uint256 paid = 0;
        uint256 passed = 0;
        for (uint256 i = 0; i < 24; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = uint128(1 + (dice >> 64) % 1_200);
            bytes memory record = exit(amount);
            bytes memory call =
                abi.encodeCall(Exits.claim, (rollup.finalized(), inputsHash[rollup.finalized()], 0, 1, record, new bytes32[](0)));
            (bool ok,) = address(rollup).call(call);
            if (ok) paid += amount;
            uint256 wait = dice % 6 hours;
            passed += wait;
            if (passed > 3 days) break;
            skip(wait);
        }
        require(paid <= 2_000, "more than a quarter");
        require(PAYEE.balance == paid, "books");
    }
}
