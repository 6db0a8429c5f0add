// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blocks} from "../contracts/Blocks.sol";
import {Exits} from "../contracts/Exits.sol";
import {Exodus} from "../contracts/Exodus.sol";
import {L2State} from "../contracts/L2State.sol";
import {Policies} from "../contracts/Policies.sol";
import {Queue} from "../contracts/Queue.sol";
import {Statements} from "../contracts/Statements.sol";
import {L2Tree} from "./L2Tree.sol";
import {BlobWorld} from "./BlobWorld.sol";
import {Vectors} from "./Vectors.sol";

interface GasVm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function lastCallGas() external view returns (Gas memory);
    function cool(address) external;
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
}

/// What a transaction with this input pays (EIP-2028, EIP-3529, EIP-7623).
function transactionGas(GasVm.Gas memory used, bytes memory input) pure returns (uint256) {
    uint256 tokens = 0;
    for (uint256 i = 0; i < input.length; ++i) {
        tokens += input[i] == 0 ? 1 : 4;
    }
    uint256 refund = used.gasRefunded > 0 ? uint64(used.gasRefunded) : 0;
    uint256 total = 21_000 + 4 * tokens + used.gasTotalUsed;
    total -= refund < total / 5 ? refund : total / 5;
    uint256 floor = 21_000 + 10 * tokens;
    return total > floor ? total : floor;
}

/// Gas of single transactions as a receipt shows it: 21,000, calldata at the higher of the usual
/// price and EIP-7623's floor, cold storage. The figures are committed in snapshots/Gas.json; a run
/// that gives others fails.
contract GasTest is BlobWorld, L2Tree {
    address private constant PAYEE = address(0x9a1ee);
    /// Root after the block that is there at the beginning.
    uint256 private constant FIRST_ROOT = 12;
    GasVm private constant gas = GasVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function setUp() public {
        deploy(GENESIS, Vectors.POLICY_ROOT);
        // The first entries, blocks and deposits write what later ones only change.
        rollup.deposit{value: 50}(0, 50, 1, PAYEE);
        rollup.deposit{value: 50}(0, 50, 1, PAYEE);
        finalizeWith(transfers(0), FIRST_ROOT);
        skip(1 hours);
    }

    /// Limbs as long as those of a real accumulator.
    function limbsOf(string memory seed) internal pure returns (uint256[12] memory limbs) {
        for (uint256 i = 0; i < 12; ++i) {
            limbs[i] = uint88(uint256(keccak256(abi.encode(seed, i))));
        }
    }

    function proofCall(bytes4 selector, uint256 number, Statements.Header memory h, bytes memory data)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            selector, number, CIRCUIT, limbsOf("proof"), inputsOf(h, data), exitsOf(h, data), bytes("")
        );
    }

    function send(string memory name, address to, uint256 value, bytes memory input) internal {
        gas.cool(address(rollup));
        gas.cool(address(governance));
        gas.cool(address(verifier));
        (bool ok,) = to.call{value: value}(input);
        GasVm.Gas memory used = gas.lastCallGas();
        require(ok, name);
        gas.snapshotValue("Gas", name, transactionGas(used, input));
    }

    function transfers(uint16 n) internal pure returns (bytes memory data) {
        data = counts(0, n, 0, 0);
        for (uint256 i = 0; i < n; ++i) {
            data = abi.encodePacked(data, bytes15(keccak256(abi.encode(i))));
        }
    }

    function commitOf(bytes memory data, uint256 newRoot) internal view returns (bytes memory) {
        uint256 last = rollup.committedRoot();
        Statements.Header memory h = Statements.Header(
            last, newRoot, governance.policyRoot(), uint64(now_()), uint256(keccak256("c")) % P, 1
        );
        return abi.encodeCall(Blocks.commit, (h, data));
    }

    function random(string memory what) internal pure returns (uint256) {
        return uint256(keccak256(bytes(what))) % P;
    }

    function headerOf(uint256 oldRoot, string memory newRoot, uint32 batches)
        internal
        view
        returns (Statements.Header memory)
    {
        return Statements.Header(
            oldRoot, random(newRoot), governance.policyRoot(), uint64(now_()), uint256(keccak256("c")) % P, batches
        );
    }

    function test_gas_of_blocks() public {
        send("commit, no operation", address(rollup), 0, commitOf(transfers(0), random("a")));
        bytes memory data = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 50, 1, PAYEE));
        send("commit, 1 deposit", address(rollup), 0, commitOf(data, random("b")));
        data = abi.encodePacked(counts(0, 0, 1, 0), exitRecord(PAYEE, 0, uint40(now_()), 50));
        send("commit, 1 exit", address(rollup), 0, commitOf(data, random("c")));
        send("commit, 100 transfers", address(rollup), 0, commitOf(transfers(100), random("d")));
        send("commit, 1100 transfers", address(rollup), 0, commitOf(transfers(1_100), random("e")));
        bytes memory call = proofCall(Blocks.prove.selector, 2, headerOf(FIRST_ROOT, "a", 1), transfers(0));
        send("prove, without the verifier", address(rollup), 0, call);
        send("finalize", address(rollup), 0, abi.encodeCall(Blocks.finalize, (2)));
        data = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 50, 1, PAYEE));
        call = proofCall(Blocks.proveAndFinalize.selector, 3, headerOf(random("a"), "b", 1), data);
        send("prove and finalize, without the verifier", address(rollup), 0, call);
    }

    function test_gas_of_a_block_in_one_call() public {
        Statements.Header memory h = headerOf(FIRST_ROOT, "a", 1);
        bytes memory call = abi.encodeCall(Blocks.settle, (h, transfers(0), CIRCUIT, limbsOf("settle"), ""));
        send("settle, no operation, without the verifier", address(rollup), 0, call);
    }

    function fullBlob() internal pure returns (bytes memory data) {
        for (uint256 i = 0; i < 4; ++i) {
            data = abi.encodePacked(data, counts(0, 2_034, 0, 0));
        }
    }

    /// A full blob; its own gas is paid for apart. Two blocks share a word, which the first one makes.
    function test_gas_of_a_block_in_a_blob() public {
        carry(hashOf(GENERATOR));
        Statements.Header memory h = headerOf(FIRST_ROOT, "a", 4);
        bytes memory call = abi.encodeCall(Blocks.commitInBlobs, (h, fullBlob(), openingOf(1)));
        send("commit in a blob, 8136 transfers", address(rollup), 0, call);
        h = headerOf(random("a"), "b", 4);
        call = abi.encodeCall(Blocks.commitInBlobs, (h, fullBlob(), openingOf(1)));
        send("commit in a blob, 8136 transfers, second of two", address(rollup), 0, call);
    }

    /// Full ones, of four batches each.
    function test_gas_of_blocks_in_many_blobs() public {
        sendMany("commit in 2 blobs, 16272 transfers", 2, "a", false);
        sendMany("commit in 2 blobs, 16272 transfers, second of two", 2, "b", false);
        sendMany("commit in 6 blobs, 48816 transfers", 6, "c", false);
        sendMany("commit in 6 blobs, 48816 transfers, second of two", 6, "d", false);
    }

    function test_gas_of_blocks_in_many_blobs_and_one_call() public {
        sendMany("settle in 2 blobs, 16272 transfers, without the verifier", 2, "a", true);
        sendMany("settle in 2 blobs, 16272 transfers, second of two, without the verifier", 2, "b", true);
        sendMany("settle in 6 blobs, 48816 transfers, without the verifier", 6, "c", true);
        sendMany("settle in 6 blobs, 48816 transfers, second of two, without the verifier", 6, "d", true);
    }

    function sendMany(string memory name, uint256 n, string memory newRoot, bool inOne) private {
        uint256[] memory values = new uint256[](n);
        bytes memory data;
        for (uint256 i = 0; i < n; ++i) {
            (values[i], data) = (i + 1, bytes.concat(data, fullBlob()));
        }
        (bytes32[] memory hashes, bytes memory openings) = constants(values);
        blobs.blobhashes(hashes);
        Statements.Header memory h = headerOf(rollup.committedRoot(), newRoot, uint32(4 * n));
        bytes memory call = inOne
            ? abi.encodeCall(Blocks.settleInBlobs, (h, data, openings, CIRCUIT, limbsOf(newRoot), ""))
            : abi.encodeCall(Blocks.commitInBlobs, (h, data, openings));
        send(name, address(rollup), 0, call);
    }

    function test_gas_of_a_block_in_a_blob_and_one_call() public {
        carry(hashOf(GENERATOR));
        Statements.Header memory h = headerOf(FIRST_ROOT, "a", 4);
        bytes memory call =
            abi.encodeCall(Blocks.settleInBlobs, (h, fullBlob(), openingOf(1), CIRCUIT, limbsOf("settle"), ""));
        send("settle in a blob, 8136 transfers, without the verifier", address(rollup), 0, call);
        h = headerOf(random("a"), "b", 4);
        call = abi.encodeCall(Blocks.settleInBlobs, (h, fullBlob(), openingOf(1), CIRCUIT, limbsOf("other"), ""));
        send("settle in a blob, 8136 transfers, second of two, without the verifier", address(rollup), 0, call);
    }

    function test_gas_of_users() public {
        bytes memory deposit = abi.encodeCall(Queue.deposit, (0, 50, random("key"), address(uint160(random("exit")))));
        send("deposit of ETH", address(rollup), 50, deposit);
        bytes memory request = abi.encodeCall(Queue.requestForcedExit, (FIRST, 0));
        send("request of a forced exit", address(rollup), 0, request);
    }

    function test_gas_of_a_claim() public {
        uint16 n = 64;
        settleDeposits();
        bytes memory deposit = depositRecord(FIRST, 0, 50, 1, PAYEE);
        bytes memory data = abi.encodePacked(counts(2, 0, n, 0), deposit, deposit);
        bytes32[] memory level = new bytes32[](n);
        bytes memory record;
        for (uint256 i = 0; i < n; ++i) {
            bytes memory r = exitRecord(address(uint160(0xabcde00 + i)), 0, uint40(now_()), 1);
            if (i == 0) record = r;
            level[i] = keccak256(abi.encodePacked(bytes1(0x00), r));
            data = abi.encodePacked(data, r);
        }
        finalizeWith(data, 13);
        bytes32[] memory path = new bytes32[](6);
        for (uint256 h = 0; h < 6; ++h) {
            path[h] = level[1];
            for (uint256 i = 0; i < n >> h; i += 2) {
                level[i / 2] = keccak256(abi.encodePacked(bytes1(0x01), level[i], level[i + 1]));
            }
        }
        vm.deal(address(0xabcde00), 1);
        send("claim, one of 64 exits", address(rollup), 0, abi.encodeCall(Exits.claim, (2, inputsHash[2], 0, uint32(n), record, path)));
    }

    function test_gas_of_exodus() public {
        uint256[SLOTS] memory leaves;
        for (uint256 i = 0; i < SLOTS; ++i) {
            leaves[i] = random("leaf") + i;
        }
        L2State.Account memory account = L2State.Account(random("key"), address(0xabcde00), 0, 7, 40, 0);
        leaves[2] = this.leafOf(account);
        bytes memory data = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(FIRST, 0, 50, 1, PAYEE));
        finalizeWith(data, rootOf(leaves));
        skip(7 days + 1);
        send("begin exodus", address(rollup), 0, abi.encodeCall(Exodus.beginExodus, ()));
        vm.deal(address(0xabcde00), 1);
        vm.deal(PAYEE, 1);
        bytes memory depart = abi.encodeCall(Exodus.depart, (FIRST + 2, account, pathOf(leaves, 2)));
        send("exodus, an account leaves", address(rollup), 0, depart);
        bytes memory refund = abi.encodeCall(Exodus.refund, (2, 0, 50, 1, PAYEE));
        send("exodus, a deposit is given back", address(rollup), 0, refund);
    }

    function test_gas_of_governance() public {
        (L2State.Limits memory old, L2State.Limits memory next) = Vectors.limits();
        bytes memory tighten = abi.encodeCall(
            Policies.tightenPolicy,
            (Vectors.policy(), 900, 2_100, Vectors.TOKEN, old, next, Vectors.limitsPath())
        );
        send("tighten the policy", address(governance), 0, tighten);
    }
}
