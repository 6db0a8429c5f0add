// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {BridgeHandler} from "./BridgeHandler.sol";

/// Invariants over random sequences of calls by everybody; `FOUNDRY_PROFILE=deep` makes more.
contract BridgeInvariants {
    BridgeHandler private handler;

    function setUp() public {
        handler = new BridgeHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory all = new bytes4[](28);
        all[0] = handler.deposit.selector;
        all[1] = handler.deposit.selector;
        all[2] = handler.request.selector;
        all[3] = handler.claim.selector;
        all[4] = handler.collect.selector;
        all[5] = handler.moods.selector;
        all[6] = handler.commit.selector;
        all[7] = handler.commit.selector;
        all[8] = handler.commitFalse.selector;
        all[9] = handler.prove.selector;
        all[10] = handler.finalize.selector;
        all[11] = handler.revertCommits.selector;
        all[12] = handler.settle.selector;
        all[13] = handler.guardianVote.selector;
        all[14] = handler.councilVote.selector;
        all[15] = handler.govern.selector;
        all[16] = handler.beginExodus.selector;
        all[17] = handler.depart.selector;
        all[18] = handler.refund.selector;
        all[19] = handler.thief.selector;
        all[20] = handler.claimForm.selector;
        all[21] = handler.ring.selector;
        all[22] = handler.ringFalsely.selector;
        all[23] = handler.resume.selector;
        for (uint256 i = 24; i < 28; ++i) {
            all[i] = handler.wait_.selector;
        }
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), all);
    }

    /// Every action of the handler does something in some story: random ones would hide it if not.
    function test_the_actions_take_effect() public {
        effective = handler.effective();
        handler.deposit(0, 1_000);
        handler.deposit(1, 1_000);
        handler.deposit(2, 1_000);
        handler.commit(3, 0);
        handler.prove();
        handler.finalize();
        step(6);
        // By this seed slot 0 transfers 774 to slot 2 and withdraws 3, released at once.
        handler.commit(0, 198144);
        handler.prove();
        handler.finalize();
        step(3);
        handler.commitFalse(0, 1);
        step(1);
        handler.prove();
        require(handler.effective() == effective, "a false root was proven");
        handler.revertCommits(false);
        step(1);
        handler.moods(0);
        handler.request(0);
        handler.guardianVote(0);
        handler.guardianVote(1);
        require(handler.pauseStarts(0) > 0, "no pause");
        for (uint256 i = 0; i < 3; ++i) {
            handler.councilVote(i, false);
        }
        step(7);
        handler.govern(1);
        for (uint256 i = 0; i < 2; ++i) {
            handler.wait_(PACE);
        }
        handler.settle(1, 1);
        step(4);
        handler.request(1);
        step(1);
        for (uint256 i = 0; i < 4; ++i) {
            handler.wait_(PACE);
        }
        step(4);
        handler.claim(0);
        step(1);
        handler.deposit(3, 7);
        handler.beginExodus();
        handler.depart(1);
        handler.refund(5);
        step(4);
        handler.thief(1);
        step(1);
        handler.collect(0);
        step(1);
        handler.check();
        handler.everybodyLeaves();
    }

    /// The same of the alarm's actions.
    function test_the_alarms_actions_take_effect() public {
        effective = handler.effective();
        handler.deposit(0, 1_000);
        handler.commit(1, 0);
        handler.prove();
        handler.finalize();
        handler.commit(0, 198144);
        handler.prove();
        handler.finalize();
        step(7);
        handler.claimForm(1 << 8);
        handler.ringFalsely(1);
        step(2);
        handler.check();
        handler.ring(1);
        step(1);
        require(handler.theRollup().doubted() == 2, "in doubt");
        handler.resume();
        require(handler.effective() == effective, "nobody has acted");
        for (uint256 i = 0; i < 3; ++i) {
            handler.councilVote((1 << 8) + i, true);
        }
        handler.resume();
        step(4);
        handler.check();
        handler.checkWayOut();
        require(handler.theRollup().finalized() == 1, "back");
        handler.everybodyLeaves();
    }

    /// Nearly three days.
    uint256 private constant PACE = 250_560;
    uint256 private effective;

    /// Exactly `n` calls took effect since the last step.
    function step(uint256 n) private {
        effective += n;
        require(handler.effective() == effective, "an action took no effect");
    }

    /// Each user has what is his, the sum is what the vault holds, and nobody exits twice; the way
    /// out stays open; pauses keep to their budget.
    function invariant_books_way_out_and_pauses() public view {
        handler.check();
        handler.checkWayOut();
        handler.checkPauses();
    }

    /// Wherever a run ends, everybody leaves within the stated time and the vault is empty.
    function afterInvariant() public {
        handler.everybodyLeaves();
    }
}
