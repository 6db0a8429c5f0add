// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../contracts/Governance.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {L2State} from "../contracts/L2State.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Statements} from "../contracts/Statements.sol";
import {TestToken} from "../contracts/TestToken.sol";
import {L2Tree} from "./L2Tree.sol";
import {Fixture} from "./Support.sol";

/// Accepts the statements that are true: what a sound proof system does.
contract Oracle is IVerifier {
    mapping(bytes32 => bool) private truth;

    function add(uint256[16] memory inputs) external {
        truth[keccak256(abi.encode(inputs))] = true;
    }

    function verify(uint256[] calldata instances, bytes calldata) external view returns (bool) {
        uint256[16] memory inputs;
        for (uint256 i = 0; i < 10; ++i) {
            inputs[i] = instances[12 + i];
        }
        return truth[keccak256(abi.encode(inputs))];
    }
}

/// A token that stops paying somebody.
contract BlockingToken is TestToken("Blocking") {
    mapping(address => bool) public blocked;

    function block_(address account, bool value) external {
        blocked[account] = value;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!blocked[to], "blocked");
        super._update(from, to, amount);
    }
}

/// A user's L1 contract, which may refuse ETH.
contract User {
    bool public refuses;

    function set(bool value) external {
        refuses = value;
    }

    receive() external payable {
        require(!refuses, "no");
    }

    function collect(Rollup rollup, uint16 token, address to) external {
        rollup.collect(address(this), token, to);
    }

    function request(Rollup rollup, uint32 index, uint16 token) external {
        rollup.requestForcedExit(index, token);
    }
}

/// The L2 that belongs to a rollup: four users, two tokens, one account for each pair (slot 2u + t
/// at index 2^17 + slot), the state after every block, and where each unit went.
abstract contract BridgeWorld is Fixture, L2Tree {
    uint256 internal constant USERS = 4;

    struct State {
        uint128[SLOTS] balance;
        bool[SLOTS] exists;
        /// What transfers on L2 moved to a slot, and away.
        uint256[SLOTS] moved;
        uint256[SLOTS] left;
        uint256 processed;
    }

    struct Exit {
        uint256 block_;
        uint256 position;
        uint256 slot;
        uint128 amount;
        uint40 release;
        bool claimed;
    }

    struct Entry {
        uint256 slot;
        uint128 amount; // 0 for a forced exit
        uint256 time;
        bool refunded;
    }

    /// A second circuit, whose verifier accepts what it is told to.
    bytes32 internal constant BROKEN = "broken";

    Oracle internal oracle;
    Oracle internal broken;
    BlockingToken internal token;
    User[USERS] internal users;
    address internal constant ELSEWHERE = address(0xe15e);

    State[] internal states;
    Statements.Header[] internal headers;
    bytes[] internal datas;
    bytes[][] internal records;
    Exit[] internal exits;
    Entry[] internal queue; // entry i is queue[i - 1]
    mapping(uint256 slot => uint256) internal deposited;
    mapping(uint256 slot => uint256) internal received;
    mapping(uint256 slot => uint256) internal departures;

    function build() internal {
        vm.warp(100 days);
        oracle = new Oracle();
        governance = makeGovernance(config(oracle, POLICY));
        uint256[SLOTS] memory none;
        rollup = makeRollup(rootOf(none), governance);
        broken = new Oracle();
        governance.announceVerifier(BROKEN, broken);
        skip(45 days);
        governance.addVerifier(BROKEN, broken);
        token = new BlockingToken();
        rollup.registerToken(address(token));
        for (uint256 u = 0; u < USERS; ++u) {
            users[u] = new User();
        }
        states.push();
        headers.push();
        datas.push();
        records.push();
    }

    function account(State storage s, uint256 slot) internal view returns (L2State.Account memory) {
        return L2State.Account(slot + 1, address(users[slot / 2]), uint16(slot % 2), 0, s.balance[slot], 0);
    }

    function leavesOf(State storage s) internal view returns (uint256[SLOTS] memory leaves) {
        for (uint256 i = 0; i < SLOTS; ++i) {
            if (s.exists[i]) leaves[i] = this.leafOf(account(s, i));
        }
    }

    function lastState() internal view returns (State storage) {
        return states[states.length - 1];
    }

    function finalState() internal view returns (State storage) {
        return states[rollup.finalized()];
    }

    /// Builds a block on the last one: up to `n` queue entries, a transfer and a withdrawal by
    /// `seed`; nothing is sent to L1 yet.
    function produce(uint256 n, uint256 seed)
        internal
        returns (Statements.Header memory h, bytes memory data, bytes[] memory exitRecords)
    {
        State storage before = lastState();
        states.push();
        State storage s = lastState();
        s.balance = before.balance;
        s.exists = before.exists;
        s.moved = before.moved;
        s.left = before.left;
        s.processed = before.processed;
        bytes memory l1;
        bytes memory l2;
        uint256 taken = 0;
        exitRecords = new bytes[](n + 1);
        uint256 left = 0;
        uint40 time = uint40(now_());
        while (taken < n && s.processed < queue.length) {
            Entry storage e = queue[s.processed++];
            ++taken;
            uint32 index = FIRST + uint32(e.slot);
            address owner = address(users[e.slot / 2]);
            if (e.amount > 0) {
                s.balance[e.slot] += e.amount;
                s.exists[e.slot] = true;
                l1 = abi.encodePacked(l1, depositRecord(index, uint16(e.slot % 2), e.amount, e.slot + 1, owner));
                continue;
            }
            l1 = abi.encodePacked(l1, forcedRecord(index, uint16(e.slot % 2), owner));
            if (s.exists[e.slot]) exitRecords[left++] = leaveL2(s, e.slot, s.balance[e.slot], time, seed);
        }
        uint256 from = seed % SLOTS;
        uint256 to = (from + 2) % SLOTS;
        uint128 amount = uint128((seed >> 8) % (uint256(s.balance[from]) + 1));
        if (s.exists[to] && amount > 0) {
            s.balance[from] -= amount;
            s.balance[to] += amount;
            s.left[from] += amount;
            s.moved[to] += amount;
            l2 = abi.encodePacked(bytes15(keccak256(abi.encode(seed))));
        }
        from = (seed >> 4) % SLOTS;
        amount = uint128((seed >> 16) % (uint256(s.balance[from]) + 1));
        if (seed % 3 == 0 && amount > 0) {
            exitRecords[left++] = leaveL2(s, from, amount, time, seed >> 32);
            l2 = abi.encodePacked(l2, bytes15(keccak256(abi.encode(seed, "withdraw"))));
        }
        assembly ("memory-safe") {
            mstore(exitRecords, left)
        }
        data = abi.encodePacked(counts(uint16(taken), uint16(l2.length / 15), uint16(left), 0), l1, l2);
        for (uint256 i = 0; i < left; ++i) {
            data = abi.encodePacked(data, exitRecords[i]);
        }
        h = header(rollup.committedRoot(), rootOf(leavesOf(s)));
    }

    function leaveL2(State storage s, uint256 slot, uint128 amount, uint40 time, uint256 seed)
        private
        returns (bytes memory record)
    {
        uint40 release = time + uint40(seed % (3 days + 1));
        record = exitRecord(address(users[slot / 2]), uint16(slot % 2), release, amount);
        s.balance[slot] -= amount;
        exits.push(Exit(states.length - 1, 0, slot, amount, release, false));
    }

    /// Notes a block that L1 took.
    function accept(Statements.Header memory h, bytes memory data, bytes[] memory exitRecords) internal {
        headers.push(h);
        datas.push(data);
        records.push();
        uint256 number = records.length - 1;
        uint256 position = 0;
        for (uint256 i = 0; i < exits.length; ++i) {
            if (exits[i].block_ == number) exits[i].position = position++;
        }
        for (uint256 i = 0; i < exitRecords.length; ++i) {
            records[number].push(exitRecords[i]);
        }
    }

    /// Forgets blocks from `length` on, as L1 did.
    function forget(uint256 length) internal {
        while (states.length > length) {
            states.pop();
        }
        while (headers.length > length) {
            headers.pop();
            datas.pop();
            records.pop();
        }
        uint256 kept = 0;
        for (uint256 i = 0; i < exits.length; ++i) {
            if (exits[i].block_ < length) exits[kept++] = exits[i];
        }
        while (exits.length > kept) {
            exits.pop();
        }
    }

    /// Siblings of an exit in the keccak tree of its block.
    function exitPath(uint256 number, uint256 position) internal view returns (bytes32[] memory path) {
        uint256 n = records[number].length;
        bytes32[] memory level = new bytes32[](n);
        for (uint256 i = 0; i < n; ++i) {
            level[i] = keccak256(abi.encodePacked(bytes1(0x00), records[number][i]));
        }
        path = new bytes32[](16);
        uint256 used = 0;
        while (n > 1) {
            if (position ^ 1 < n) path[used++] = level[position ^ 1];
            for (uint256 i = 0; i < n; i += 2) {
                level[i / 2] =
                    i + 1 < n ? keccak256(abi.encodePacked(bytes1(0x01), level[i], level[i + 1])) : level[i];
            }
            (n, position) = ((n + 1) / 2, position / 2);
        }
        assembly ("memory-safe") {
            mstore(path, used)
        }
    }

    /// keccak256 of a block's public inputs.
    function hashOf(uint256 number) internal view returns (bytes32) {
        return keccak256(abi.encode(inputsOf(headers[number], datas[number])));
    }

    /// What an address outside the rollup holds of a slot's token.
    function outside(uint256 slot) internal view returns (uint256) {
        address who = address(users[slot / 2]);
        return slot % 2 == 0 ? who.balance : token.balanceOf(who);
    }

    /// What the rollup still has to give for a slot: under the final root, in exits, owed, waiting.
    function due(uint256 slot) internal view returns (uint256 sum) {
        State storage s = finalState();
        if (departures[slot] == 0) sum = s.balance[slot];
        for (uint256 i = 0; i < exits.length; ++i) {
            Exit storage e = exits[i];
            if (e.slot == slot && !e.claimed && e.block_ <= rollup.finalized()) sum += e.amount;
        }
        for (uint256 i = s.processed; i < queue.length; ++i) {
            if (queue[i].slot == slot && !queue[i].refunded) sum += queue[i].amount;
        }
        sum += rollup.owed(address(users[slot / 2]), uint16(slot % 2));
    }
}
