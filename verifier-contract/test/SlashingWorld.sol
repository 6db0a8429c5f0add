// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bonds} from "../contracts/Bonds.sol";
import {IBlocks} from "../contracts/IBlocks.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {Slashing} from "../contracts/Slashing.sol";
import {Times} from "../contracts/Times.sol";

interface SignVm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function prank(address) external;
    function warp(uint256) external;
    function deal(address, uint256) external;
    function chainId(uint256) external;
    function expectRevert(bytes calldata) external;
    function expectPartialRevert(bytes4) external;
    function assume(bool) external;
    function getBlockTimestamp() external view returns (uint256);
}

/// Tells of blocks what a test says: the checks of a rollup are tested elsewhere.
contract StubBlocks is IBlocks {
    struct Said {
        bytes32 record;
        uint64 finalAt;
    }

    struct Taken {
        uint64 to;
        uint64 when;
    }

    mapping(uint256 => Said) public blockInputs;
    Taken[] public reverts;

    function finalize(uint256 number, uint256[16] calldata inputs, bytes32 exitRoot) external {
        bytes32 record = keccak256(abi.encode(keccak256(abi.encode(inputs)), exitRoot));
        blockInputs[number] = Said(record, uint64(block.timestamp));
    }

    function takeBack(uint64 to) external {
        reverts.push(Taken(to, uint64(block.timestamp)));
    }

    function revertCount() external view returns (uint256) {
        return reverts.length;
    }
}

/// A stub rollup, a sequencer with a bond, and order trees as they are written down.
abstract contract SlashingWorld {
    SignVm internal constant vm = SignVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant P = Poseidon2.P;
    uint256 internal constant KEY = 0x5ec7;
    uint256 internal constant OTHER_KEY = 0x07e7;
    uint256 internal constant HALF = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    address internal constant OWNER = address(0x0b02d);
    address internal constant REPORTER = address(0x4e907);
    bytes32 internal constant SALT = "salt";
    bytes32 internal constant EXITS = "root of exits";
    uint64 internal constant TIME = 8_000_000;
    uint128 internal constant BOND = 4 ether;

    StubBlocks internal blocks;
    Slashing internal slashing;
    address internal sequencer;

    function world() internal {
        vm.warp(TIME + 100);
        blocks = new StubBlocks();
        slashing = new Slashing(blocks);
        sequencer = vm.addr(KEY);
        vm.deal(OWNER, BOND);
        vm.prank(OWNER);
        slashing.bond{value: BOND}(sequencer);
    }

    function now_() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }

    // Order trees, from their definition.

    function node(uint256[] memory leaves, uint256 j) internal pure returns (uint256) {
        if (j >= leaves.length) return leaves[j - leaves.length];
        return Poseidon2.compress(Poseidon2.constants(), node(leaves, 2 * j), node(leaves, 2 * j + 1));
    }

    function pathTo(uint256[] memory leaves, uint256 position) internal pure returns (uint256[] memory path) {
        uint256 length = 0;
        for (uint256 h = leaves.length + position; h > 1; h /= 2) {
            ++length;
        }
        path = new uint256[](length);
        uint256 at = leaves.length + position;
        for (uint256 i = 0; i < length; ++i) {
            path[i] = node(leaves, at ^ 1);
            at /= 2;
        }
    }

    function batchOf(uint256[] memory leaves) internal pure returns (Inclusion.Batch memory b) {
        // All of them L2 operations.
        b.counts = (leaves.length << 64) + (leaves.length << 16);
        if (leaves.length > 0) b.root = node(leaves, 1);
    }

    function chain(Inclusion.Batch[] memory batches) internal pure returns (uint256 c) {
        bytes memory table = Poseidon2.constants();
        for (uint256 i = 0; i < batches.length; ++i) {
            if (batches[i].counts >> 64 != 0) c = Poseidon2.compress(table, c, batches[i].root);
            c = Poseidon2.compress(table, c, batches[i].counts);
        }
    }

    function inputsOf(uint256 cOut, uint256 time) internal pure returns (uint256[16] memory inputs) {
        for (uint256 i = 0; i < 16; ++i) {
            inputs[i] = 1000 + i;
        }
        (inputs[3], inputs[8]) = (cOut, time);
    }

    function leavesOf(uint256 n, uint256 seed) internal pure returns (uint256[] memory leaves) {
        leaves = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            leaves[i] = uint256(keccak256(abi.encode(seed, i))) % P;
        }
    }

    /// A block of three batches with five, no, and three operations.
    function shown() internal pure returns (uint256[16] memory inputs, Inclusion.Batch[] memory batches) {
        batches = new Inclusion.Batch[](3);
        (batches[0], batches[1], batches[2]) = (batchOf(leavesOf(5, 1)), batchOf(leavesOf(0, 2)), batchOf(leavesOf(3, 3)));
        inputs = inputsOf(chain(batches), TIME);
    }

    /// That block, final under a number.
    function finalBlock(uint64 number) internal returns (uint256[16] memory inputs, Inclusion.Batch[] memory batches) {
        (inputs, batches) = shown();
        blocks.finalize(number, inputs, EXITS);
    }

    // Receipts.

    function receiptOf(uint64 number, uint32 batch, uint32 position, uint256 leaf)
        internal
        pure
        returns (Receipts.Receipt memory)
    {
        return Receipts.Receipt(0, number, batch, position, keccak256("operation"), leaf, TIME);
    }

    /// EIP-712, written once more.
    function digestFor(Receipts.Receipt memory r, address rollup) internal view returns (bytes32) {
        bytes memory domainType = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        bytes32 domain = keccak256(
            abi.encode(keccak256(domainType), keccak256(bytes("Bastion")), keccak256(bytes("1")), block.chainid, rollup)
        );
        bytes memory receiptType = "Receipt(uint32 epoch,uint64 number,uint32 batch,uint32 position,"
            "bytes32 operation,uint256 leaf,uint64 time)";
        bytes32 content = keccak256(
            abi.encode(
                keccak256(receiptType), r.epoch, r.number, r.batch, r.position, r.operation, r.leaf, r.time
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, content));
    }

    function digestOf(Receipts.Receipt memory receipt) internal view returns (bytes32) {
        return digestFor(receipt, address(blocks));
    }

    function sign(uint256 key, Receipts.Receipt memory receipt) internal view returns (Receipts.Signed memory signed) {
        signed.receipt = receipt;
        (signed.v, signed.r, signed.s) = vm.sign(key, digestOf(receipt));
    }

    function signed(Receipts.Receipt memory receipt) internal view returns (Receipts.Signed memory) {
        return sign(KEY, receipt);
    }

    /// Announces a report about a receipt, and waits.
    function announce(Receipts.Receipt memory receipt) internal {
        announceEvidence(digestOf(receipt));
    }

    function announceTwo(Receipts.Receipt memory a, Receipts.Receipt memory b) internal {
        announceEvidence(keccak256(abi.encode(digestOf(a), digestOf(b))));
    }

    function announceEvidence(bytes32 evidence) internal {
        slashing.announceReport(slashing.commitment(REPORTER, OWNER, evidence, SALT));
        vm.warp(now_() + Times.REPORT_DELAY);
    }

    function bondOf(address owner, address key) internal view returns (uint256 amount) {
        (amount,) = slashing.bonds(owner, key);
    }

    /// As what the contract named the fault that emptied a bond since `recordLogs`.
    function namedFault() internal returns (Bonds.Fault fault) {
        SignVm.Log[] memory logs = vm.getRecordedLogs();
        (fault,,,) = abi.decode(logs[logs.length - 1].data, (Bonds.Fault, bytes32, uint256, uint256));
    }

    /// The bond is gone: a quarter to the reporter, the rest burned.
    function requireSlashed() internal view {
        require(bondOf(OWNER, sequencer) == 0, "bond");
        require(REPORTER.balance == BOND / 4, "reward");
        require(slashing.BURNED().balance == BOND - BOND / 4, "burned");
        require(address(slashing).balance == 0, "rest");
    }
}
