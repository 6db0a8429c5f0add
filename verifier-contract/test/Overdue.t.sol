// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blocks} from "../contracts/Blocks.sol";
import {L2State} from "../contracts/L2State.sol";
import {Statements} from "../contracts/Statements.sol";
import {Fixture} from "./Support.sol";

/// Whoever wants to bring the queue forward gets through, or somebody else does it for him.
contract OverdueTest is Fixture {
    address constant STRANGER = address(5);

    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function enqueue(uint256 n) internal {
        for (uint256 i = 0; i < n; ++i) {
            rollup.deposit{value: 5}(0, 5, 77, address(9));
        }
    }

    function none() internal pure returns (bytes memory) {
        return counts(0, 0, 0, 0);
    }

    /// A batch that processes `n` of these deposits.
    function takes(uint16 n) internal pure returns (bytes memory data) {
        data = counts(n, 0, 0, 0);
        for (uint256 i = 0; i < n; ++i) {
            data = abi.encodePacked(data, depositRecord(1 << 17, 0, 5, 77, address(9)));
        }
    }

    function settle(address who, Statements.Header memory h, bytes memory data) internal returns (bytes4) {
        uint256[12] memory limbs;
        vm.prank(who);
        (bool ok, bytes memory why) =
            address(rollup).call(abi.encodeCall(Blocks.settle, (h, data, CIRCUIT, limbs, "")));
        return ok ? bytes4(0) : bytes4(why);
    }

    function test_no_block_leaves_out_what_is_overdue() public {
        enqueue(2);
        skip(3 days);
        // Not yet.
        rollup.commit(header(11, 11), none());
        skip(1);
        Statements.Header memory h = header(11, 12);
        vm.expectRevert(abi.encodeWithSelector(Blocks.OverdueWaits.selector, 1));
        rollup.commit(h, none());
        require(settle(STRANGER, h, none()) == Blocks.OverdueWaits.selector, "a stranger");
        require(settle(STRANGER, h, takes(1)) == 0 && rollup.finalized() == 1, "one for a batch");
        require(settle(address(this), header(12, 13), takes(1)) == 0, "the other one");
        require(settle(address(this), header(13, 14), none()) == 0, "nothing waits");
    }

    function test_each_batch_must_take_one() public {
        enqueue(3);
        skip(3 days + 1);
        Statements.Header memory h = header(11, 12);
        h.batches = 3;
        bytes memory two = abi.encodePacked(takes(1), takes(1), none());
        vm.expectRevert(abi.encodeWithSelector(Blocks.OverdueWaits.selector, 3));
        rollup.commit(h, two);
        // In whichever batch.
        rollup.commit(h, abi.encodePacked(none(), none(), takes(3)));
    }

    function test_what_is_not_overdue_need_not_be_taken() public {
        enqueue(1);
        skip(2 days);
        enqueue(1);
        skip(1 days + 1);
        Statements.Header memory h = header(11, 12);
        h.batches = 2;
        rollup.commit(h, abi.encodePacked(takes(1), none()));
    }

    /// A censor's block with the newest time outdates one that was prepared: it must do its work.
    function test_the_operator_cannot_shut_a_stranger_out() public {
        enqueue(1);
        skip(3 days + 1);
        Statements.Header memory prepared = header(11, 12);
        skip(1 hours);
        require(settle(address(this), header(11, 11), none()) == Blocks.OverdueWaits.selector, "an empty block");
        require(settle(STRANGER, prepared, takes(1)) == 0, "through");
        uint64 processed = processedAfter(rollup.finalized());
        require(processed == 1, "processed");
    }

    function test_a_stranger_cannot_shut_the_operator_out() public {
        enqueue(1);
        skip(3 days + 1);
        Statements.Header memory h = header(11, 12);
        rollup.commit(h, takes(1));
        skip(30 minutes);
        require(settle(STRANGER, header(11, 11), none()) == Blocks.OverdueWaits.selector, "an empty block");
        require(rollup.committed() == 1, "the commit stands");
        proveNext(h, takes(1));
        rollup.finalize(1);
    }

    /// Commits from before an entry was overdue are proven one by one, each just before a stranger's
    /// block: a day after their commit anybody takes all of them back.
    function test_a_store_of_old_commits_holds_for_a_day() public {
        enqueue(1);
        skip(3 days);
        Statements.Header[3] memory store;
        for (uint256 i = 0; i < 3; ++i) {
            store[i] = header(11 + i, 12 + i);
            rollup.commit(store[i], none());
        }
        skip(1);
        proveNext(store[0], none());
        require(settle(STRANGER, header(11, 20), takes(1)) == Blocks.WrongOldRoot.selector, "outdated");
        skip(1 days);
        vm.prank(STRANGER);
        rollup.revertCommits();
        Statements.Header memory h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Blocks.OverdueWaits.selector, 1));
        rollup.commit(h, none());
        require(settle(STRANGER, h, takes(1)) == 0 && now_() < 100 days + 7 days, "in time");
    }

    // ---- policy

    function roots(L2State.Policy calldata p, L2State.Limits calldata l, uint256[16] calldata path)
        external
        pure
        returns (uint256, uint256)
    {
        return (L2State.policyRoot(p), L2State.limitsRoot(l, 0, path));
    }

    /// The governor tightens by a unit every half hour: what was made under the policy of then lands
    /// for six hours.
    function test_the_governor_cannot_outdate_blocks() public {
        L2State.Limits memory limits = L2State.Limits(type(uint64).max, 10, 10);
        uint256[16] memory path;
        L2State.Policy memory policy = L2State.Policy(1, 1, 1, 1, address(1), 0);
        (, policy.limitsRoot) = this.roots(policy, limits, path);
        (uint256 first,) = this.roots(policy, limits, path);
        deploy(GENESIS, first);
        enqueue(1);
        skip(3 days + 1);
        Statements.Header memory prepared = header(11, 12);
        uint256 replacedAt = now_();
        for (uint256 i = 0; i < 13; ++i) {
            L2State.Limits memory next = limits;
            next.rate -= 1;
            L2State.Limits memory old = L2State.Limits(next.rate + 1, 10, 10);
            governance.tightenPolicy(policy, 1, 1, 0, old, next, path);
            limits = next;
            (, policy.limitsRoot) = this.roots(policy, limits, path);
            require(governance.policyRoot() != first, "another policy");
            if (i < 12) skip(30 minutes);
        }
        require(now_() == replacedAt + 6 hours && governance.acceptable(first), "the last second");
        require(settle(STRANGER, prepared, takes(1)) == 0, "through");
        skip(1);
        require(!governance.acceptable(first), "not for ever");
        Statements.Header memory late = header(12, 13);
        late.policyRoot = first;
        require(settle(address(this), late, none()) == Blocks.WrongPolicy.selector, "too late");
    }

    function test_a_root_that_never_held_is_not_acceptable() public {
        require(governance.acceptable(POLICY) && !governance.acceptable(0) && !governance.acceptable(23), "roots");
        governance.announcePolicy(23);
        require(!governance.acceptable(23), "announced");
        skip(45 days);
        governance.changePolicy(23);
        require(governance.acceptable(23) && governance.acceptable(POLICY) && !governance.acceptable(0), "both");
        require(governance.acceptableUntil(POLICY) == now_() + 6 hours, "for a while");
        skip(6 hours + 1);
        require(governance.acceptable(23) && !governance.acceptable(POLICY), "one");
    }
}
