// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blockbook} from "../contracts/Blockbook.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {Verifiers} from "../contracts/Verifiers.sol";
import {MockVerifier} from "./Support.sol";

/// Verifiers without the delay.
contract Registry is Verifiers {
    function add(bytes32 circuitId, IVerifier verifier) external {
        _addVerifier(circuitId, verifier);
    }
}

contract BlockbookTest {
    using Blockbook for Blockbook.Book;

    Blockbook.Book private book;

    function write(uint256 number, Blockbook.Block calldata b) external {
        book.write(number, b);
    }

    function make(uint256 seed) internal pure returns (Blockbook.Block memory b) {
        b.committedAt = 1 days + 1 + uint256(uint32(seed));
        b.time = b.committedAt - (seed >> 32) % (1 days + 1);
        b.processed = (seed >> 64) & 0x1fffffffff;
        b.finalizedAt = seed & 1 == 0 ? 0 : (seed >> 128) & 0x1ffffffff;
        b.circuit = (seed >> 200) % (Blockbook.MAX_CIRCUIT + 1);
    }

    function same(Blockbook.Block memory a, Blockbook.Block memory b) internal pure returns (bool) {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }

    /// Four blocks, in any order and again: each is what was written last, whatever its neighbour is.
    function testFuzz_what_is_written_is_read(uint256[12] calldata seeds) public {
        Blockbook.Block[4] memory last;
        for (uint256 i = 0; i < 12; ++i) {
            uint256 number = seeds[i] >> 254;
            last[number] = make(seeds[i]);
            book.write(number, last[number]);
            for (uint256 j = 0; j < 4; ++j) {
                if (last[j].committedAt == 0) continue;
                require(same(book.read(j), last[j]), "another");
            }
        }
    }

    function refused(Blockbook.Block memory b) internal returns (bool) {
        (bool ok, bytes memory why) = address(this).call(abi.encodeCall(this.write, (1, b)));
        return !ok && bytes4(why) == Blockbook.DoesNotFit.selector;
    }

    function test_what_does_not_fit_is_refused() public {
        Blockbook.Block memory b = make(1);
        b.committedAt = (1 << 33) - 1;
        b.time = b.committedAt;
        this.write(1, b);
        b.committedAt += 1;
        b.time = b.committedAt;
        require(refused(b), "too late a commit");
        b = make(1);
        b.committedAt = 1 << 20;
        b.time = b.committedAt - (1 << 17);
        require(refused(b), "too old");
        b = make(1);
        b.processed = 1 << 37;
        require(refused(b), "too many entries");
        b = make(1);
        b.finalizedAt = 1 << 33;
        require(refused(b), "final too late");
        b = make(1);
        b.circuit = Blockbook.MAX_CIRCUIT + 1;
        require(refused(b), "too many circuits");
    }

    /// There are no more circuits than numbers for them, and then those that are there still change.
    function test_numbers_of_circuits_run_out() public {
        Registry registry = new Registry();
        MockVerifier verifier = new MockVerifier();
        for (uint256 i = 1; i <= Blockbook.MAX_CIRCUIT; ++i) {
            registry.add(bytes32(i), verifier);
        }
        (, uint16 number) = registry.circuit(bytes32(Blockbook.MAX_CIRCUIT));
        require(number == Blockbook.MAX_CIRCUIT && registry.circuitOf(number) == bytes32(uint256(number)), "last");
        (bool ok, bytes memory why) = address(registry).call(abi.encodeCall(registry.add, ("more", verifier)));
        require(!ok && bytes4(why) == Verifiers.TooManyCircuits.selector, "one more");
    }
}
