// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {BlindFaults} from "../contracts/BlindFaults.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// A hidden order, its receipt and the closing of its batch, from their definitions.
abstract contract BlindWorld is SlashingWorld {
    uint32 internal constant ACCOUNT = 131_072;
    uint16 internal constant TOKEN = 3;
    uint32 internal constant NONCE = 9;
    uint32 internal constant PAID = 131_080;
    uint16 internal constant BOUGHT = 4;
    uint64 internal constant REVEAL_BY = TIME + 1_000;
    /// The batch and position of the hidden order in `block_`.
    uint32 internal constant BATCH = 1;
    uint32 internal constant POSITION = 2;
    /// Operations of the batch before its quotes.
    uint32 internal constant COUNT = 4;
    uint256 internal constant KNOWN_ORDER = 3;
    /// A transfer's word, with the order's fee.
    uint256 internal constant FORFEIT = 1 << 116 | 64 << 104 | uint256(ACCOUNT) << 72 | 500 << 40 | 77;

    function openingOf() internal pure returns (Blind.Opening memory o) {
        // 1,500 x 10^7 for a fee of 2, at a limit of 3 / 2.
        uint128 limit = uint128(3 << 62) << 7 | 63;
        o = Blind.Opening(PAID, BOUGHT, 1_500 << 5 | 7, 2 << 5, limit, TIME);
        // The least exponent.
        o.amount = uint40(15_000_000_000) << 5;
    }

    function paidOf() internal pure returns (uint48[] memory paid) {
        paid = new uint48[](2);
        (paid[0], paid[1]) = (uint48(PAID - 1) << 16 | 5, uint48(PAID) << 16 | BOUGHT);
    }

    function wordOf(Blind.Opening memory o) internal pure returns (uint256) {
        return (uint256(7) << 116) + (uint256(o.fee) << 104) + (uint256(ACCOUNT) << 72) + (uint256(o.to) << 40)
            + o.amount;
    }

    function leafOf(Blind.Opening memory o) internal pure returns (uint256) {
        return Poseidon2.compress(Poseidon2.constants(), wordOf(o), o.limit);
    }

    function messageOf(Blind.Opening memory o) internal view returns (uint256 m) {
        bytes memory table = Poseidon2.constants();
        uint256 domain = uint256(keccak256(abi.encodePacked("bastion.domain.v1", block.chainid, address(blocks)))) % P;
        m = Poseidon2.compress(table, Poseidon2.compress(table, 2, 4), domain);
        uint256 signed_ = wordOf(o) + (uint256(NONCE) << 120) + (uint256(TOKEN) << 152) + (uint256(o.deadline) << 168);
        m = Poseidon2.compress(table, m, signed_);
        m = Poseidon2.compress(table, Poseidon2.compress(table, m, o.limit), o.buy);
    }

    function packed(uint48[] memory paid) internal pure returns (bytes memory out) {
        for (uint256 i = 0; i < paid.length; ++i) {
            out = abi.encodePacked(out, paid[i]);
        }
    }

    function termsOf(Blind.Opening memory o) internal view returns (Blind.Terms memory) {
        uint128 available = 15_000_000_002;
        return Blind.Terms(messageOf(o), ACCOUNT, TOKEN, NONCE, available, keccak256(packed(paidOf())), REVEAL_BY);
    }

    function blindOf(Blind.Opening memory o, Blind.Terms memory terms) internal pure returns (Blind.Receipt memory) {
        bytes32 agreed = keccak256(abi.encode(terms));
        return Blind.Receipt(Receipts.Receipt(0, 7, BATCH, POSITION, agreed, leafOf(o), TIME), FORFEIT);
    }

    function blind() internal view returns (Blind.Receipt memory) {
        return blindOf(openingOf(), termsOf(openingOf()));
    }

    /// EIP-712, written once more.
    function digestOf(Blind.Receipt memory b) internal view returns (bytes32) {
        bytes memory inner = "Receipt(uint32 epoch,uint64 number,uint32 batch,uint32 position,"
            "bytes32 operation,uint256 leaf,uint64 time)";
        bytes memory outer = bytes.concat("BlindReceipt(Receipt receipt,uint256 forfeit)", inner);
        Receipts.Receipt memory r = b.receipt;
        bytes32 content = keccak256(
            abi.encode(keccak256(inner), r.epoch, r.number, r.batch, r.position, r.operation, r.leaf, r.time)
        );
        return typed(keccak256(abi.encode(keccak256(outer), content, b.forfeit)));
    }

    function digestOf(Blind.Closing memory c) internal view returns (bytes32) {
        bytes memory kind =
            "Closing(uint32 epoch,uint64 number,uint32 batch,uint32 count,uint256 root,uint64 time)";
        return typed(keccak256(abi.encode(keccak256(kind), c.epoch, c.number, c.batch, c.count, c.root, c.time)));
    }

    function typed(bytes32 content) internal view returns (bytes32) {
        bytes memory domainType = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(domainType), keccak256("Bastion"), keccak256("1"), block.chainid, address(blocks)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, content));
    }

    function by(uint256 key, bytes32 digest) internal view returns (Blind.Signature memory s) {
        (s.v, s.r, s.s) = vm.sign(key, digest);
    }

    function sealed_(Blind.Receipt memory b) internal view returns (Blind.Signature memory) {
        return by(KEY, digestOf(b));
    }

    function sealed_(Blind.Closing memory c) internal view returns (Blind.Signature memory) {
        return by(KEY, digestOf(c));
    }

    // The block: its second batch has what was promised, and two quotes.

    /// What the closing promised, by place: a leaf with 0, that of the order with its forfeit.
    function entriesOf() internal view returns (uint256[] memory entries) {
        entries = leavesOf(COUNT, 5);
        bytes memory table = Poseidon2.constants();
        entries[KNOWN_ORDER] = leafOf(knownOrder());
        for (uint256 i = 0; i < COUNT; ++i) {
            bool hidden = i == POSITION;
            uint256 leaf = hidden ? leafOf(openingOf()) : entries[i];
            entries[i] = Poseidon2.compress(table, leaf, hidden ? FORFEIT : 0);
        }
    }

    /// An order that the operator knew.
    function knownOrder() internal pure returns (Blind.Opening memory o) {
        o = openingOf();
        o.to += 1;
    }

    function closing() internal view returns (Blind.Closing memory) {
        return Blind.Closing(0, 7, BATCH, COUNT, node(entriesOf(), 1), TIME);
    }

    function quoteLeaf(uint256 token) internal pure returns (uint256) {
        return Poseidon2.compress(Poseidon2.constants(), quoteWord(token), 1 << 95);
    }

    function quoteWord(uint256 token) internal pure returns (uint256) {
        return 8 << 116 | token << 72 | token << 40;
    }

    /// With something at the place of the hidden order, and something behind the closing.
    function leavesWith(uint256 atPlace, uint256 behind) internal pure returns (uint256[] memory leaves) {
        leaves = new uint256[](COUNT + 2);
        uint256[] memory known = leavesOf(COUNT, 5);
        for (uint256 i = 0; i < COUNT; ++i) {
            leaves[i] = i == POSITION ? atPlace : i == KNOWN_ORDER ? leafOf(knownOrder()) : known[i];
        }
        (leaves[COUNT], leaves[COUNT + 1]) = (quoteLeaf(TOKEN), behind);
    }

    function shownAt(uint256[] memory leaves, uint256 position)
        internal
        returns (BlindFaults.Shown memory shown)
    {
        shown.batches = new Inclusion.Batch[](2);
        (shown.batches[0], shown.batches[1]) = (batchOf(leavesOf(3, 1)), batchOf(leaves));
        shown.inputs = inputsOf(chain(shown.batches), TIME);
        shown.exitRoot = EXITS;
        (shown.leaf, shown.siblings) = (leaves[position], pathTo(leaves, position));
        blocks.finalize(7, shown.inputs, EXITS);
    }

    /// The block with a leaf at the order's place.
    function shownWith(uint256 atPlace) internal returns (BlindFaults.Shown memory) {
        return shownAt(leavesWith(atPlace, quoteLeaf(BOUGHT)), POSITION);
    }
}
