// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {BlindFaults} from "../contracts/BlindFaults.sol";
import {BlindWorld} from "./BlindWorld.sol";

/// Openings of hidden orders on L1.
contract BlindTest is BlindWorld {
    function setUp() public {
        world();
    }

    function reveal(Blind.Opening memory o, Blind.Terms memory terms, uint48[] memory paid) internal {
        slashing.reveal(blindOf(o, terms), terms, o, paid);
    }

    /// An order that was hidden as it is, with terms of its own.
    function revealAgreed(Blind.Opening memory o) internal {
        reveal(o, termsOf(o), paidOf());
    }

    function test_an_opening_is_noted_once() public {
        bytes32 digest = digestOf(blind());
        revealAgreed(openingOf());
        uint64 first = slashing.revealed(digest);
        require(first == now_(), "time");
        vm.warp(now_() + 10);
        revealAgreed(openingOf());
        require(slashing.revealed(digest) == first, "first time");
    }

    function test_an_opening_comes_in_time() public {
        vm.warp(REVEAL_BY);
        revealAgreed(openingOf());
        vm.warp(REVEAL_BY + 1);
        vm.expectRevert(abi.encodeWithSelector(BlindFaults.TooLate.selector, uint256(REVEAL_BY)));
        revealAgreed(openingOf());
    }

    /// Each field of the opening of an order that was hidden otherwise.
    function test_an_order_does_not_open_as_another() public {
        Blind.Terms memory terms = termsOf(openingOf());
        Blind.Receipt memory b = blind();
        for (uint256 i = 0; i < 6; ++i) {
            Blind.Opening memory o = openingOf();
            if (i == 0) o.to = PAID - 1;
            if (i == 1) o.buy = 5;
            if (i == 2) o.amount -= 32;
            if (i == 3) o.fee += 32;
            if (i == 4) o.limit += 128;
            if (i == 5) o.deadline += 1;
            vm.expectPartialRevert(Blind.WrongOpening.selector);
            slashing.reveal(b, terms, o, paidOf());
        }
        Blind.Opening memory wide = openingOf();
        wide.fee |= 1 << 12;
        vm.expectPartialRevert(Blind.WrongOpening.selector);
        slashing.reveal(b, terms, wide, paidOf());
    }

    function test_the_terms_are_those_that_were_signed() public {
        Blind.Receipt memory b = blind();
        for (uint256 i = 0; i < 7; ++i) {
            Blind.Terms memory terms = termsOf(openingOf());
            if (i == 0) terms.message += 1;
            if (i == 1) terms.account += 1;
            if (i == 2) terms.token += 1;
            if (i == 3) terms.nonce += 1;
            if (i == 4) terms.available += 1;
            if (i == 5) terms.paid = bytes32(0);
            if (i == 6) terms.revealBy += 1;
            vm.expectPartialRevert(Blind.OtherTerms.selector);
            slashing.reveal(b, terms, openingOf(), paidOf());
        }
        uint48[] memory paid = paidOf();
        paid[0] += 1;
        vm.expectPartialRevert(Blind.OtherTerms.selector);
        slashing.reveal(b, termsOf(openingOf()), openingOf(), paid);
    }

    /// The account or the nonce that was agreed on is not that of the order.
    function test_terms_for_another_order_do_not_open() public {
        for (uint256 i = 0; i < 4; ++i) {
            Blind.Terms memory terms = termsOf(openingOf());
            if (i == 0) terms.message += 1;
            if (i == 1) terms.account += 1;
            if (i == 2) terms.token += 1;
            if (i == 3) terms.nonce += 1;
            vm.expectPartialRevert(Blind.WrongOpening.selector);
            reveal(openingOf(), terms, paidOf());
        }
    }

    function notExecutable(Blind.Opening memory o) internal {
        vm.expectPartialRevert(Blind.NotExecutable.selector);
        revealAgreed(o);
    }

    function test_an_order_that_cannot_be_executed_does_not_open() public {
        Blind.Opening memory o = openingOf();
        o.amount = 0;
        notExecutable(o);
        // 2^112 and more, which the account holds.
        o.amount = uint40(34_359_738_367) << 5 | 24;
        Blind.Terms memory terms = termsOf(o);
        terms.available = type(uint128).max;
        vm.expectPartialRevert(Blind.NotExecutable.selector);
        reveal(o, terms, paidOf());
        // Another fee than the forfeit shows.
        o = openingOf();
        o.fee = 1 << 5;
        notExecutable(o);
        o = openingOf();
        o.amount = uint40(15_000_000_001) << 5;
        notExecutable(o);
        o = openingOf();
        o.deadline = TIME - 1;
        notExecutable(o);
        o.deadline = 1 << 40;
        notExecutable(o);
        // The limit's top bit is missing, or stands too high.
        o = openingOf();
        o.limit = uint128(3 << 60) << 7 | 63;
        notExecutable(o);
        o.limit = uint128(3 << 62) << 8 | 63;
        notExecutable(o);
        // An account that was not named, and one with another token.
        o = openingOf();
        o.to = PAID + 1;
        notExecutable(o);
        o = openingOf();
        o.buy = 5;
        notExecutable(o);
    }

    /// Operators know values, and would post another word.
    function test_floats_have_one_form() public {
        Blind.Opening memory o = openingOf();
        o.amount = 1_500 << 5 | 7;
        notExecutable(o);
        o.amount = uint40(3_435_973_836) << 5 | 1;
        Blind.Terms memory terms = termsOf(o);
        terms.available = type(uint128).max;
        vm.expectPartialRevert(Blind.NotExecutable.selector);
        reveal(o, terms, paidOf());
        o.amount = uint40(3_435_973_837) << 5 | 1;
        terms = termsOf(o);
        terms.available = type(uint128).max;
        reveal(o, terms, paidOf());
        o = openingOf();
        o.fee = 1 << 5 | 1;
        terms = termsOf(o);
        terms.available = type(uint128).max;
        Blind.Receipt memory b = blindOf(o, terms);
        b.forfeit = 1 << 116 | uint256(o.fee) << 104;
        vm.expectPartialRevert(Blind.NotExecutable.selector);
        slashing.reveal(b, terms, o, paidOf());
    }
}
