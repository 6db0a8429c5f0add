// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../contracts/Governance.sol";
import {Governor} from "../contracts/Governor.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {Pause} from "../contracts/Pause.sol";
import {Policies} from "../contracts/Policies.sol";
import {Quorum} from "../contracts/Quorum.sol";
import {Times} from "../contracts/Times.sol";
import {Verifiers} from "../contracts/Verifiers.sol";
import {Fixture, MockVerifier} from "./Support.sol";

contract GovernanceTest is Fixture {
    address constant STRANGER = address(5);

    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function unpause() internal {
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            governance.voteUnpause();
        }
    }

    // ---- delays

    function test_the_delays_fit_together() public pure {
        require(Times.EXIT_TIME == 10 days, "exit");
        require(Times.UPGRADE_DELAY >= Times.EXIT_TIME + 30 days, "users leave before a change");
        // In any stretch of the deadline's length operators are free for most of it.
        require(Times.MAX_PAUSE + Times.PAUSE_COOLDOWN >= Times.QUEUE_DEADLINE, "one pause in a deadline");
        require(Times.MAX_PAUSE < Times.OPERATOR_DEADLINE, "a pause does not replace operators");
        require(Times.PAUSE_BUDGET < Times.PAUSE_WINDOW / 5, "budget");
        // An alarm and what operators get after it: four weeks are left even so.
        uint256 alarm = Times.ALARM_DEADLINE + Times.OPERATOR_DEADLINE;
        require(Times.UPGRADE_DELAY >= Times.EXIT_TIME + alarm + 28 days, "users leave after an alarm too");
        require(Times.MAX_PAUSE < Times.OPERATOR_DEADLINE, "a pause does not use up what operators get");
        // A stranger may bring blocks, and old commits are gone, long before exodus.
        require(Times.OPERATOR_DEADLINE + Times.PROVE_DEADLINE + Times.MAX_PAUSE < Times.QUEUE_DEADLINE, "time to prove");
        require(Times.MAX_CLOCK_LAG >= Times.POLICY_GRACE, "a policy is outdated before a block's time is");
    }

    function test_a_policy_waits_and_expires() public {
        vm.expectRevert(abi.encodeWithSelector(Governor.NotGovernor.selector, STRANGER));
        vm.prank(STRANGER);
        governance.announcePolicy(23);
        bytes32 change = keccak256(abi.encode("policy", 23));
        vm.expectRevert(abi.encodeWithSelector(Governor.NotAnnounced.selector, change));
        governance.changePolicy(23);
        governance.announcePolicy(23);
        uint256 ready = now_() + 45 days;
        vm.expectRevert(abi.encodeWithSelector(Governor.AlreadyAnnounced.selector, change));
        governance.announcePolicy(23);
        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(Governor.TooEarly.selector, ready));
        governance.changePolicy(23);
        vm.warp(ready + 14 days + 1);
        vm.expectRevert(abi.encodeWithSelector(Governor.ChangeExpired.selector, ready + 14 days));
        governance.changePolicy(23);
        governance.announcePolicy(23);
        skip(45 days);
        vm.prank(STRANGER);
        governance.changePolicy(23);
        require(governance.policyRoot() == 23, "policy");
        vm.expectRevert(abi.encodeWithSelector(Governor.NotAnnounced.selector, change));
        governance.changePolicy(23);
        vm.expectRevert(abi.encodeWithSelector(Policies.RootOutOfRange.selector, P));
        governance.announcePolicy(P);
    }

    function test_an_announcement_is_taken_back() public {
        governance.announcePolicy(23);
        bytes32 change = keccak256(abi.encode("policy", 23));
        governance.cancelChange(change);
        skip(45 days);
        vm.expectRevert(abi.encodeWithSelector(Governor.NotAnnounced.selector, change));
        governance.changePolicy(23);
        vm.expectRevert(abi.encodeWithSelector(Governor.NotAnnounced.selector, change));
        governance.cancelChange(change);
    }

    function test_the_next_governor_must_accept() public {
        governance.nameGovernor(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(Governor.NotGovernor.selector, address(7)));
        vm.prank(address(7));
        governance.acceptGovernor();
        vm.prank(STRANGER);
        governance.acceptGovernor();
        vm.expectRevert(abi.encodeWithSelector(Governor.NotGovernor.selector, address(this)));
        governance.nameGovernor(address(this));
    }

    // ---- verifiers

    function test_a_verifier_is_added_late_and_removed_at_once() public {
        MockVerifier other = new MockVerifier();
        governance.announceVerifier("next", other);
        bytes32 change = keccak256(abi.encode("verifier", bytes32("next"), other, uint256(0)));
        uint256 ready = governance.readyAt(change);
        vm.expectRevert(abi.encodeWithSelector(Governor.TooEarly.selector, ready));
        governance.addVerifier("next", other);
        skip(45 days);
        governance.addVerifier("next", other);
        require(address(governance.verifiers("next")) == address(other), "added");

        vm.expectRevert(abi.encodeWithSelector(Quorum.NotAMember.selector, address(this)));
        governance.voteRemoveVerifier("next");
        for (uint256 i = 0; i < 3; ++i) {
            require(address(governance.verifiers("next")) == address(other), "not yet");
            vm.prank(member(i));
            governance.voteRemoveVerifier("next");
        }
        require(address(governance.verifiers("next")) == address(0), "removed");
        vm.expectRevert(abi.encodeWithSelector(Verifiers.UnknownCircuit.selector, bytes32("next")));
        vm.prank(member(3));
        governance.voteRemoveVerifier("next");
    }

    /// Whoever may add an announced verifier must not be able to take votes for a removal away.
    function test_other_changes_leave_the_votes_for_a_removal() public {
        MockVerifier other = new MockVerifier();
        governance.announceVerifier("next", other);
        skip(45 days);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(member(i));
            governance.voteRemoveVerifier(CIRCUIT);
        }
        vm.prank(STRANGER);
        governance.addVerifier("next", other);
        removeVerifier("next");
        vm.prank(member(2));
        governance.voteRemoveVerifier(CIRCUIT);
        require(address(governance.verifiers(CIRCUIT)) == address(0), "removed by three votes");
        // Votes for one that is gone do not count for its successor.
        governance.announceVerifier(CIRCUIT, other);
        skip(45 days);
        governance.addVerifier(CIRCUIT, other);
        vm.prank(member(2));
        governance.voteRemoveVerifier(CIRCUIT);
        require(address(governance.verifiers(CIRCUIT)) == address(other), "one vote is not enough");
    }

    function test_a_verifier_has_code_and_a_circuit_of_its_own() public {
        governance.announceVerifier("next", IVerifier(address(77)));
        governance.announceVerifier(CIRCUIT, verifier);
        skip(45 days);
        vm.expectRevert(abi.encodeWithSelector(Verifiers.NoVerifierCode.selector, address(77)));
        governance.addVerifier("next", IVerifier(address(77)));
        vm.expectRevert(abi.encodeWithSelector(Verifiers.KnownCircuit.selector, CIRCUIT));
        governance.addVerifier(CIRCUIT, verifier);
        Governance.Config memory c = config(IVerifier(address(77)), POLICY);
        vm.expectRevert(abi.encodeWithSelector(Verifiers.NoVerifierCode.selector, address(77)));
        this.makeGovernance(c);
    }

    // ---- pause

    function test_a_pause_takes_two_guardians_within_a_day() public {
        vm.expectRevert(abi.encodeWithSelector(Quorum.NotAMember.selector, address(this)));
        governance.votePause();
        vm.prank(guardian(0));
        governance.votePause();
        vm.prank(guardian(0));
        governance.votePause();
        require(governance.pausedUntil() == 0, "one is not two");
        skip(1 days + 1);
        vm.prank(guardian(1));
        governance.votePause();
        require(governance.pausedUntil() == 0, "the first vote is stale");
        vm.prank(guardian(2));
        governance.votePause();
        require(governance.pausedUntil() == now_() + 2 days, "paused");
    }

    function test_pauses_are_not_chained() public {
        pause();
        uint256 end = now_() + 2 days;
        vm.prank(guardian(0));
        governance.votePause();
        vm.expectRevert(abi.encodeWithSelector(Pause.PauseCooldown.selector, end + 5 days));
        vm.prank(guardian(1));
        governance.votePause();
        vm.warp(end + 5 days);
        pause();
        require(governance.pausedUntil() == end + 7 days, "again");
    }

    function test_the_budget_of_30_days() public {
        uint256 start = now_();
        pause();
        vm.warp(start + 7 days);
        pause();
        vm.warp(start + 14 days);
        pause();
        require(governance.pausedUntil() == start + 15 days, "one day is left");
        vm.warp(start + 21 days);
        vm.prank(guardian(0));
        governance.votePause();
        vm.expectRevert(abi.encodeWithSelector(Pause.PauseBudgetSpent.selector, 5 days));
        vm.prank(guardian(1));
        governance.votePause();
        vm.warp(start + 31 days);
        pause();
        require(governance.pausedUntil() == start + 32 days, "a day has left the window");
    }

    function test_a_larger_council_ends_a_pause() public {
        vm.expectRevert(Pause.NotPaused.selector);
        vm.prank(member(0));
        governance.voteUnpause();
        pause();
        skip(1 hours);
        vm.expectRevert(abi.encodeWithSelector(Quorum.NotAMember.selector, guardian(0)));
        vm.prank(guardian(0));
        governance.voteUnpause();
        unpause();
        require(governance.pausedUntil() == now_() && governance.pausedSince(0) == 1 hours, "ended");
        skip(5 days);
        pause();
        require(governance.pausedUntil() == now_() + 2 days, "a short pause costs little of the budget");
    }

    // ---- members

    function test_sets_that_cannot_decide_are_refused() public {
        Governance.Config memory c = config(verifier, POLICY);
        c.toUnpause = 2;
        vm.expectRevert(abi.encodeWithSelector(Pause.CouncilQuorumTooSmall.selector, 2, 2));
        this.makeGovernance(c);
        c = config(verifier, POLICY);
        c.council = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            c.council[i] = member(i);
        }
        vm.expectRevert(abi.encodeWithSelector(Pause.CouncilTooSmall.selector, 4, 5));
        this.makeGovernance(c);
        c.council = new address[](6);
        for (uint256 i = 0; i < 6; ++i) {
            c.council[i] = member(i);
        }
        vm.expectRevert(abi.encodeWithSelector(Pause.CouncilQuorumTooSmall.selector, 2, 3));
        this.makeGovernance(c);
        c.toUnpause = 4;
        this.makeGovernance(c);
        c = config(verifier, POLICY);
        c.toPause = 4;
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadQuorum.selector, 4, 3));
        this.makeGovernance(c);
        c = config(verifier, POLICY);
        c.council[4] = c.council[0];
        vm.expectRevert(abi.encodeWithSelector(Quorum.DuplicateMember.selector, member(0)));
        this.makeGovernance(c);
        c = config(verifier, POLICY);
        c.council[4] = c.guardians[0];
        vm.expectRevert(abi.encodeWithSelector(Pause.InBothSets.selector, guardian(0)));
        this.makeGovernance(c);
        c = config(verifier, POLICY);
        c.governor = address(0);
        vm.expectRevert(Governor.ZeroAddress.selector);
        this.makeGovernance(c);
    }

    function test_members_change_after_the_delay() public {
        Governance.Config memory c = config(verifier, POLICY);
        c.guardians[0] = STRANGER;
        governance.announceMembers(c.guardians, 1, c.council, 4);
        skip(45 days);
        governance.changeMembers(c.guardians, 1, c.council, 4);
        vm.expectRevert(abi.encodeWithSelector(Quorum.NotAMember.selector, guardian(0)));
        vm.prank(guardian(0));
        governance.votePause();
        vm.prank(STRANGER);
        governance.votePause();
        require(governance.pausedUntil() == now_() + 2 days, "one suffices now");
        unpause();
        require(governance.pausedUntil() > now_(), "three do not any more");
        vm.prank(member(3));
        governance.voteUnpause();
        require(governance.pausedUntil() == now_(), "four do");
    }
}
