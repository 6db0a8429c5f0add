// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Alarm} from "../contracts/Alarm.sol";
import {Exodus} from "../contracts/Exodus.sol";
import {L2State} from "../contracts/L2State.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Statements} from "../contracts/Statements.sol";
import {BridgeWorld, Oracle} from "./BridgeWorld.sol";

/// What users, operators, guardians, council, governor and thieves do, in any order.
contract BridgeHandler is BridgeWorld {
    /// Times in which the rollup was paused, as seen from outside.
    uint256[] public pauseStarts;
    uint256[] public pauseEnds;
    /// A call succeeded that takes what is not the caller's.
    string public theft;
    /// Calls that did something.
    uint256 public effective;

    address private constant STRANGER = address(0x5773);

    constructor() {
        build();
    }

    function theRollup() external view returns (Rollup) {
        return rollup;
    }

    // ---- users

    function deposit(uint256 seed, uint128 amount) external {
        uint256 slot = seed % SLOTS;
        amount = 1 + amount % 1e24;
        bool eth = slot % 2 == 0;
        if (eth) {
            vm.deal(address(this), amount);
        } else {
            token.mint(address(this), amount);
            token.approve(address(rollup), amount);
        }
        try rollup.deposit{value: eth ? amount : 0}(uint16(slot % 2), amount, slot + 1, address(users[slot / 2])) {
            queue.push(Entry(slot, amount, now_(), false));
            deposited[slot] += amount;
            ++effective;
        } catch {}
    }

    function request(uint256 seed) external {
        uint256 slot = seed % SLOTS;
        try users[slot / 2].request(rollup, FIRST + uint32(slot), uint16(slot % 2)) {
            queue.push(Entry(slot, 0, now_(), false));
            ++effective;
        } catch {}
    }

    function claim(uint256 seed) external {
        if (exits.length == 0) return;
        claimExit(seed % exits.length);
    }

    /// A claim in a form that it must not have: another position, count, path or record length.
    function claimForm(uint256 seed) external {
        if (exits.length == 0) return;
        Exit storage e = exits[seed % exits.length];
        if (e.block_ >= records.length || e.position >= records[e.block_].length) return;
        bytes[] storage all = records[e.block_];
        bytes32[] memory path = exitPath(e.block_, e.position);
        uint32 position = uint32((seed >> 8) % 2 == 0 ? e.position : 1 << ((seed >> 16) % 32));
        uint32 count = uint32((seed >> 24) % 2 == 0 ? uint256(position) + 1 : (seed >> 32) % (all.length + 2));
        uint256 length = (seed >> 64) % (path.length + 2);
        bytes32[] memory other = new bytes32[](length);
        for (uint256 i = 0; i < length && i < path.length; ++i) {
            other[i] = path[i];
        }
        ++effective;
        if (position == e.position && count == all.length && length == path.length) return;
        try rollup.claim(e.block_, hashOf(e.block_), position, count, all[e.position], other) {
            theft = "another form of a claim";
        } catch {}
    }

    function collect(uint256 seed) external {
        collectSlot(seed % SLOTS, seed >> 8 & 1 == 0);
    }

    function moods(uint256 seed) external {
        users[seed % USERS].set(seed >> 8 & 1 == 0);
        token.block_(address(users[(seed >> 16) % USERS]), seed >> 24 & 1 == 0);
        ++effective;
    }

    // ---- operators

    function commit(uint256 n, uint256 seed) external {
        uint256 length = states.length;
        (Statements.Header memory h, bytes memory data, bytes[] memory exitRecords) = produce(n % 4, seed);
        try rollup.commit(h, data) {
            oracle.add(inputsOf(h, data));
            accept(h, data, exitRecords);
            ++effective;
        } catch {
            forget(length);
        }
    }

    /// A root that nothing leads to: everything but the proof is as it must be.
    function commitFalse(uint256 n, uint256 seed) external {
        uint256 length = states.length;
        (Statements.Header memory h, bytes memory data, bytes[] memory exitRecords) = produce(n % 4, seed);
        h.newRoot = uint256(keccak256(abi.encode(seed))) % P;
        try rollup.commit(h, data) {
            accept(h, data, exitRecords);
            ++effective;
        } catch {
            forget(length);
        }
    }

    function prove() external {
        uint256 number = rollup.proven() + 1;
        if (number >= headers.length) return;
        uint256[12] memory limbs;
        uint256[16] memory inputs = inputsOf(headers[number], datas[number]);
        bool honest = headers[number].newRoot == rootOf(leavesOf(states[number]));
        try rollup.prove(number, CIRCUIT, limbs, inputs, exitsOf(headers[number], datas[number]), "") {
            if (!honest) theft = "a false root was proven";
            ++effective;
        } catch {}
    }

    function finalize() external {
        try rollup.finalize(rollup.finalized() + 1) {
            ++effective;
        } catch {}
    }

    function revertCommits(bool stranger) external {
        if (stranger) vm.prank(STRANGER);
        try rollup.revertCommits() {
            forget(rollup.committed() + 1);
            ++effective;
        } catch {}
    }

    /// Somebody brings a block of his own, in one call.
    function settle(uint256 n, uint256 seed) external {
        if (!rollup.operatorsAway() || rollup.exodus() || rollup.doubted() != 0) return;
        // What is committed without a proof is dropped by the call; if the call fails, so does it.
        uint256 proven = rollup.proven();
        if (rollup.committed() > proven) return;
        uint256 length = states.length;
        (Statements.Header memory h, bytes memory data, bytes[] memory exitRecords) = produce(n % 4, seed);
        oracle.add(inputsOf(h, data));
        uint256[12] memory limbs;
        vm.prank(STRANGER);
        try rollup.settle(h, data, CIRCUIT, limbs, "") {
            accept(h, data, exitRecords);
            ++effective;
        } catch {
            forget(length);
        }
    }

    /// Somebody shows two proofs that contradict each other: the broken circuit's against a block
    /// from which nothing has left, whose loss would be another matter.
    function ring(uint256 seed) external {
        if (headers.length < 2) return;
        uint256 number = 1 + seed % (headers.length - 1);
        for (uint256 i = 0; i < exits.length; ++i) {
            if (exits[i].block_ >= number && exits[i].claimed) return;
        }
        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (seed >> 8, headers[number].cOut, BROKEN);
        c.newRoot %= P;
        Statements.Header memory h = headers[number];
        uint256[16] memory inputs = inputsOf(h, datas[number]);
        h.newRoot = c.newRoot;
        broken.add(inputsOf(h, datas[number]));
        bool before = rollup.exodus();
        try rollup.alarm(number, inputs, exitsOf(h, datas[number]), h.batches, datas[number], c) {
            if (before) forget(number);
            ++effective;
        } catch {}
    }

    /// Without a proof there is nothing to show.
    function ringFalsely(uint256 seed) external {
        if (headers.length < 2) return;
        uint256 number = 1 + seed % (headers.length - 1);
        Statements.Header memory h = headers[number];
        Alarm.Contradiction memory c;
        (c.newRoot, c.cOut, c.circuitId) = (h.newRoot, h.cOut, CIRCUIT);
        if (seed >> 8 & 1 == 0) c.newRoot = (seed >> 16) % P;
        ++effective;
        try rollup.alarm(number, inputsOf(h, datas[number]), exitsOf(h, datas[number]), h.batches, datas[number], c) {
            theft = "an honest block was put in doubt";
        } catch {}
    }

    function resume() external {
        try rollup.resume() {
            forget(rollup.committed() + 1);
            ++effective;
        } catch {}
    }

    // ---- guardians, council, governor

    function guardianVote(uint256 seed) external {
        uint256 until = governance.pausedUntil();
        vm.prank(guardian(seed % 3));
        try governance.votePause() {
            ++effective;
        } catch {}
        if (governance.pausedUntil() == until) return;
        pauseStarts.push(now_());
        pauseEnds.push(governance.pausedUntil());
    }

    function councilVote(uint256 seed, bool remove) external {
        remove = remove && (seed % 7 == 0 || rollup.doubted() != 0);
        vm.prank(member(seed % 5));
        if (remove) {
            try governance.voteRemoveVerifier((seed >> 8) % 4 == 0 ? CIRCUIT : BROKEN) {
                ++effective;
            } catch {}
            return;
        }
        try governance.voteUnpause() {
            ++effective;
            pauseEnds[pauseEnds.length - 1] = governance.pausedUntil();
        } catch {}
    }

    function govern(uint256 seed) external {
        uint256 what = seed % 6;
        uint256 policy = 30 + (seed >> 8) % 2;
        address operator = seed >> 16 & 1 == 0 ? address(this) : STRANGER;
        ++effective;
        if (what == 0) try governance.setOperator(operator, seed >> 24 & 1 == 0) {} catch {}
        if (what == 1) try governance.announcePolicy(policy) {} catch {}
        if (what == 2) try governance.changePolicy(policy) {} catch {}
        if (what == 3) try governance.cancelChange(keccak256(abi.encode("policy", policy))) {} catch {}
        bool good = seed >> 32 & 1 == 0;
        (bytes32 circuit, Oracle verifier_) = good ? (CIRCUIT, oracle) : (BROKEN, broken);
        if (what == 4) try governance.announceVerifier(circuit, verifier_) {} catch {}
        if (what == 5) try governance.addVerifier(circuit, verifier_) {} catch {}
    }

    // ---- exodus

    function beginExodus() external {
        try rollup.beginExodus() {
            forget(rollup.committed() + 1);
            ++effective;
        } catch {}
    }

    function depart(uint256 seed) external {
        departSlot(seed % SLOTS);
    }

    function refund(uint256 seed) external {
        if (queue.length == 0) return;
        refundEntry(seed % queue.length);
    }

    function thief(uint256 seed) external {
        if (!rollup.exodus()) return;
        uint256 slot = seed % SLOTS;
        State storage s = finalState();
        L2State.Account memory a = account(s, slot);
        uint256[32] memory path = pathOf(leavesOf(s), slot);
        a.balance += uint128(1 + (seed >> 8) % 1000);
        try rollup.depart(FIRST + uint32(slot), a, path) {
            theft = "left with more than there was";
        } catch {}
        a = account(s, slot);
        a.exit = STRANGER;
        try rollup.depart(FIRST + uint32(slot), a, path) {
            theft = "left with another's funds";
        } catch {}
        ++effective;
    }

    // ---- time

    function wait_(uint256 seed) external {
        skip(seed % 32 == 0 ? seed % 50 days : seed % 4 == 0 ? seed % 3 days : seed % 8 hours);
        ++effective;
    }

    // ---- parts that the final departure uses too

    function claimExit(uint256 i) public {
        Exit storage e = exits[i];
        if (e.block_ >= records.length || e.position >= records[e.block_].length) return;
        uint256 before = outside(e.slot);
        bytes[] storage all = records[e.block_];
        uint256 room = rollup.room(uint16(e.slot % 2));
        uint64 finalizedAt = finalSince(e.block_);
        bytes32[] memory path = exitPath(e.block_, e.position);
        try rollup.claim(e.block_, hashOf(e.block_), uint32(e.position), uint32(all.length), all[e.position], path) {
            if (e.claimed) theft = "claimed twice";
            if (now_() < e.release) theft = "claimed before its time";
            if (now_() < finalizedAt + 3 days && e.amount > room) theft = "claimed past the bucket";
            if (rollup.doubted() != 0 && e.block_ >= rollup.doubted()) theft = "claimed what is in doubt";
            e.claimed = true;
            received[e.slot] += outside(e.slot) - before;
            ++effective;
        } catch {}
    }

    function collectSlot(uint256 slot, bool elsewhere) public {
        User_ user = User_(address(users[slot / 2]));
        address to = elsewhere ? ELSEWHERE : address(user);
        uint256 owed = rollup.owed(address(user), uint16(slot % 2));
        try user.collect(rollup, uint16(slot % 2), to) {
            received[slot] += owed;
            ++effective;
        } catch {}
    }

    function departSlot(uint256 slot) public {
        State storage s = finalState();
        uint256 before = outside(slot);
        uint64 finalizedAt = finalSince(rollup.finalized());
        try rollup.depart(FIRST + uint32(slot), account(s, slot), pathOf(leavesOf(s), slot)) {
            if (now_() < finalizedAt + 3 days) theft = "left while the root could be doubted";
            if (!s.exists[slot]) theft = "left without an account";
            ++departures[slot];
            received[slot] += outside(slot) - before;
            ++effective;
        } catch {}
    }

    function refundEntry(uint256 i) public {
        Entry storage e = queue[i];
        uint256 before = outside(e.slot);
        address exit = address(users[e.slot / 2]);
        try rollup.refund(i + 1, uint16(e.slot % 2), e.amount, e.slot + 1, exit) {
            if (e.refunded || i < finalState().processed || e.amount == 0) theft = "refunded what was not";
            e.refunded = true;
            received[e.slot] += outside(e.slot) - before;
            ++effective;
        } catch {}
    }

    // ---- what must hold

    function check() external view {
        require(bytes(theft).length == 0, theft);
        uint256[2] memory total;
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            require(departures[slot] <= 1, "left twice");
            uint256 d = due(slot);
            total[slot % 2] += d;
            State storage s = finalState();
            require(
                received[slot] + d + s.left[slot] == deposited[slot] + s.moved[slot], "a user has not what is his"
            );
        }
        require(total[0] == rollup.held(0) && total[0] == address(rollup).balance, "ETH in the vault");
        require(total[1] == rollup.held(1) && total[1] == token.balanceOf(address(rollup)), "tokens in the vault");
    }

    /// Nobody's call has taken exodus away from an entry that waits too long.
    function checkWayOut() external view {
        if (rollup.exodus()) return;
        if (rollup.doubted() != 0) {
            // The council has answered, or exodus is due in three days at most.
            bool answered = address(governance.verifiers(CIRCUIT)) == address(0)
                || address(governance.verifiers(BROKEN)) == address(0);
            require(rollup.exodusDue() == (!answered && now_() >= rollup.alarmedAt() + 3 days), "after an alarm");
            return;
        }
        State storage s = states[rollup.proven()];
        if (s.processed >= queue.length) return;
        uint256 resumed = rollup.resumedAt();
        uint256 lost = resumed == 0 ? 0 : governance.pausedSince(resumed);
        bool overdue = now_() > queue[s.processed].time + 7 days && now_() > resumed + 3 days + lost;
        require(rollup.exodusDue() == overdue, "exodus");
    }

    function checkPauses() external view {
        uint256 n = pauseStarts.length;
        for (uint256 i = 0; i < n; ++i) {
            (uint256 start, uint256 end) = (pauseStarts[i], pauseEnds[i]);
            require(end - start <= 2 days, "a pause is too long");
            if (i > 0) require(start >= pauseEnds[i - 1] + 5 days, "pauses are chained");
            // The fullest windows of 30 days end where a pause ends.
            uint256 paused = 0;
            uint256 from = end - 30 days;
            for (uint256 j = 0; j <= i; ++j) {
                if (pauseEnds[j] > from) paused += pauseEnds[j] - (pauseStarts[j] > from ? pauseStarts[j] : from);
            }
            require(paused <= 5 days, "the budget is overdrawn");
        }
    }

    /// Every user leaves within the stated time by calls that nobody has to allow: the operator is
    /// silent, the pause may run, and whatever was done before stays done.
    function everybodyLeaves() external {
        if (rollup.doubted() != 0) {
            skip(3 days);
            if (rollup.exodusDue()) rollup.beginExodus();
            else rollup.resume();
            forget(rollup.committed() + 1);
        }
        if (!rollup.exodus()) {
            uint256 start = now_();
            users[0].request(rollup, FIRST, 0);
            queue.push(Entry(0, 0, start, false));
            skip(7 days + 1);
            rollup.beginExodus();
        }
        skip(3 days);
        for (uint256 u = 0; u < USERS; ++u) {
            users[u].set(false);
            token.block_(address(users[u]), false);
        }
        for (uint256 i = 0; i < exits.length; ++i) {
            if (!exits[i].claimed) claimExit(i);
            claimExit(i);
        }
        for (uint256 i = finalState().processed; i < queue.length; ++i) {
            if (queue[i].amount > 0 && !queue[i].refunded) refundEntry(i);
            refundEntry(i);
        }
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            if (departures[slot] == 0) departSlot(slot);
            // Once more, while the funds of others are still there to be taken.
            departSlot(slot);
            require(departures[slot] <= 1, "left twice");
            collectSlot(slot, true);
            require(due(slot) == 0, "somebody is still inside");
            require(
                received[slot] + finalState().left[slot] == deposited[slot] + finalState().moved[slot], "got all"
            );
        }
        require(bytes(theft).length == 0, theft);
        require(address(rollup).balance == 0 && token.balanceOf(address(rollup)) == 0, "the vault is not empty");
        require(rollup.held(0) == 0 && rollup.held(1) == 0, "books");
    }
}

interface User_ {
    function collect(Rollup rollup, uint16 token, address to) external;
}
