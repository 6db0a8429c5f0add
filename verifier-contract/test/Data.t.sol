// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Data} from "../contracts/Data.sol";
import {Fixture} from "./Support.sol";

contract DataTest is Fixture {
    function read(bytes calldata data, uint256 batches) external pure returns (Data.Summary memory) {
        return Data.read(data, batches, 5, 0, 1_000);
    }

    /// The word polynomial by schoolbook: each word times its own power.
    function naive(uint256[] memory words, uint256 r) internal pure returns (uint256 y) {
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 term = words[i] % P;
            for (uint256 j = i + 1; j < words.length; ++j) {
                term = mulmod(term, r, P);
            }
            y = addmod(y, term, P);
        }
    }

    function testFuzz_polynomial_is_the_naive_one(uint256 r, bytes15[5] calldata ops, bytes20 to, uint128 amount)
        public
        view
    {
        r = r % P;
        bytes memory data = counts(0, 5, 1, 0);
        uint256[] memory l2 = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            data = abi.encodePacked(data, ops[i]);
            l2[i] = uint120(ops[i]);
        }
        bytes memory record = exitRecord(address(to), 0, 7, amount);
        data = abi.encodePacked(data, record);
        uint256[] memory exits = new uint256[](2);
        exits[0] = (uint256(uint160(address(to))) << 56) | 7;
        exits[1] = (uint256(amount) << 32) | (1 << 17);

        uint256 rho = r;
        for (uint256 i = 0; i < 16; ++i) {
            rho = mulmod(rho, rho, P);
        }
        uint256 expected = mulmod(naive(exits, r), mulmod(rho, mulmod(rho, rho, P), P), P);
        expected = addmod(expected, mulmod(naive(l2, r), mulmod(rho, rho, P), P), P);
        expected = addmod(expected, (5 << 16) | (1 << 32), P);
        require(this.polynomial(data, 1, r) == expected, "polynomial");
    }

    function testFuzz_wrong_lengths_are_refused(uint16 a, uint16 b, uint16 c, uint16 d, bytes calldata tail) public {
        uint256 expected = 8 + uint256(a) * 75 + uint256(b) * 15 + uint256(c) * 47 + uint256(d) * 52;
        vm.assume(tail.length + 8 != expected);
        bytes memory data = abi.encodePacked(a, b, c, d, tail);
        vm.expectRevert(abi.encodeWithSelector(Data.DataLength.selector, expected, data.length));
        this.read(data, 1);
    }

    function test_truncated_counts_and_aliased_words_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Data.DataLength.selector, 8, 7));
        this.read(hex"00000000000000", 1);
        vm.expectRevert(abi.encodeWithSelector(Data.WordOutOfRange.selector, 31));
        this.read(abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 0, 1, P, address(1))), 1);
        vm.expectRevert(abi.encodeWithSelector(Data.WordOutOfRange.selector, 8));
        this.read(abi.encodePacked(counts(0, 0, 0, 1), P, address(1)), 1);
    }

    function test_an_exit_is_not_released_too_late() public {
        bytes memory data = abi.encodePacked(counts(0, 0, 1, 0), exitRecord(address(9), 0, 1_001, 5));
        vm.expectRevert(abi.encodeWithSelector(Data.ReleaseTooLate.selector, 1_000, 1_001));
        this.read(data, 1);
        this.read(abi.encodePacked(counts(0, 0, 1, 0), exitRecord(address(9), 0, 1_000, 5)), 1);
    }
}
