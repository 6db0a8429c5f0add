// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {L2State} from "../contracts/L2State.sol";
import {Policies} from "../contracts/Policies.sol";
import {Governor} from "../contracts/Governor.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {Exodus} from "../contracts/Exodus.sol";
import {Vault} from "../contracts/Vault.sol";
import {Fixture} from "./Support.sol";
import {Vectors} from "./Vectors.sol";

contract L2StateTest is Fixture {
    function setUp() public {
        deploy(Vectors.ROOT, Vectors.POLICY_ROOT);
    }

    function leafOf(L2State.Account calldata account) external pure returns (uint256) {
        return L2State.leaf(account);
    }

    function test_compress_gives_the_known_answers() public pure {
        uint256[3][12] memory cases = Vectors.compressions();
        for (uint256 i = 0; i < cases.length; ++i) {
            require(Poseidon2.compress(Poseidon2.constants(), cases[i][0], cases[i][1]) == cases[i][2], "compress");
        }
    }

    /// The permutation as it is written down, every sum reduced.
    function textbook(uint256 a, uint256 b) internal pure returns (uint256) {
        uint256[72] memory c = Vectors.constants();
        (uint256 x, uint256 y) = external_(a, b);
        uint256 next = 0;
        for (uint256 round = 0; round < 64; ++round) {
            if (round < 4 || round >= 60) {
                (x, y) = external_(power5(addmod(x, c[next], P)), power5(addmod(y, c[next + 1], P)));
                next += 2;
            } else {
                x = power5(addmod(x, c[next++], P));
                uint256 sum = addmod(x, y, P);
                (x, y) = (addmod(x, sum, P), addmod(addmod(y, y, P), sum, P));
            }
        }
        return addmod(x, a, P);
    }

    function external_(uint256 x, uint256 y) internal pure returns (uint256, uint256) {
        uint256 sum = addmod(x, y, P);
        return (addmod(x, sum, P), addmod(y, sum, P));
    }

    function power5(uint256 x) internal pure returns (uint256) {
        uint256 square = mulmod(x, x, P);
        return mulmod(mulmod(square, square, P), x, P);
    }

    function testFuzz_the_unrolled_permutation_is_the_textbook_one(uint256 a, uint256 b, bool large) public pure {
        // Where unreduced sums are largest as well as anywhere.
        (a, b) = large ? (P - 1 - a % 1_000, P - 1 - b % 1_000) : (a % P, b % P);
        require(Poseidon2.compress(Poseidon2.constants(), a, b) == textbook(a, b), "compress");
    }

    function test_an_account_leaves_by_the_state_crates_path() public {
        require(this.leafOf(Vectors.account()) == Vectors.LEAF, "leaf");
        rollup.deposit{value: 1}(0, 1, 1, address(9));
        skip(7 days + 1);
        rollup.beginExodus();
        // There is no such token here: what is shown is that the root fits, and the books refuse.
        L2State.Account memory account = Vectors.account();
        (bool ok, bytes memory why) =
            address(rollup).call(abi.encodeCall(Exodus.depart, (Vectors.INDEX, account, Vectors.path())));
        require(!ok && bytes4(why) == Vault.HeldTooLittle.selector, "root");
    }

    function tighten(uint40 maxFreeze, uint40 cooldown, L2State.Limits memory old, L2State.Limits memory next)
        internal
    {
        governance.tightenPolicy(Vectors.policy(), maxFreeze, cooldown, Vectors.TOKEN, old, next, Vectors.limitsPath());
    }

    function test_a_tighter_policy_holds_at_once() public {
        (L2State.Limits memory old, L2State.Limits memory next) = Vectors.limits();
        tighten(900, 2_100, old, next);
        require(governance.policyRoot() == Vectors.TIGHTER_ROOT, "root");
    }

    function test_only_the_governor_tightens_and_only_what_is_in_force() public {
        (L2State.Limits memory old, L2State.Limits memory next) = Vectors.limits();
        vm.expectRevert(abi.encodeWithSelector(Governor.NotGovernor.selector, address(5)));
        vm.prank(address(5));
        tighten(900, 2_100, old, next);
        old.rate += 1;
        (bool ok, bytes memory why) = address(this).call(abi.encodeCall(this.tightenFrom, (old, next)));
        require(!ok && bytes4(why) == Policies.WrongLimits.selector, "limits");
        old.rate -= 1;
        tighten(900, 2_100, old, next);
        (ok, why) = address(this).call(abi.encodeCall(this.tightenFrom, (old, next)));
        require(!ok && bytes4(why) == Policies.WrongPolicy.selector, "policy");
    }

    function tightenFrom(L2State.Limits calldata old, L2State.Limits calldata next) external {
        tighten(900, 2_100, old, next);
    }

    function testFuzz_nothing_is_loosened_at_once(uint8 field, uint40 by) public {
        (L2State.Limits memory old,) = Vectors.limits();
        (L2State.Limits memory next,) = Vectors.limits();
        (uint40 maxFreeze, uint40 cooldown) = (1_000, 2_000);
        by = 1 + by % (1 << 38);
        field = field % 7;
        if (field == 0) maxFreeze += by;
        if (field == 1) cooldown -= 1 + by % 2_000;
        if (field == 2) next.rate += by;
        if (field == 3) next.burstSeconds += by;
        if (field == 4) next.maxDelay += by;
        if (field == 5) next.maxDelay -= 1 + by % 3_600;
        if (field == 6) next.rate = 0;
        vm.expectRevert(Policies.NotTighter.selector);
        tighten(maxFreeze, cooldown, old, next);
    }
}
