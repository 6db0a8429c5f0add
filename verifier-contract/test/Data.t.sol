// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "../contracts/Data.sol";
import {Fixture} from "./Support.sol";

contract DataTest is Fixture {
    function read(bytes calldata data, uint256 batches) external pure returns (Data.Summary memory) {
        return Data.read(data, false, batches, 5, 1_000);
    }

    function rolled(bytes calldata data) external pure returns (bytes32) {
        return Data.rolled(data, false, 0);
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
        // Before the first batch the value is 1.
        expected = addmod(expected, mulmod(rho, mulmod(mulmod(rho, rho, P), mulmod(rho, rho, P), P), P), P);
        require(this.polynomial(data, 1, r) == expected, "polynomial");
    }

    function testFuzz_wrong_lengths_are_refused(uint16 a, uint16 b, uint16 c, uint16 d, bytes calldata tail) public {
        uint256 expected = 8 + uint256(a) * 75 + uint256(b) * 15 + uint256(c) * 47 + uint256(d) * 52;
        vm.assume(tail.length + 8 != expected);
        bytes memory data = abi.encodePacked(a, b, c, d, tail);
        (bool ok, bytes memory why) = address(this).call(abi.encodeCall(this.read, (data, 1)));
        require(!ok, "taken");
        // What ends too early is not read; what goes on is, and then has its own faults before.
        bytes memory length = abi.encodeWithSelector(Data.DataLength.selector, expected, data.length);
        bytes4 name = bytes4(why);
        bool record = name == Data.ReleaseTooLate.selector || name == Data.WordOutOfRange.selector;
        require(keccak256(why) == keccak256(length) || (record && data.length > expected), "why");
    }

    function test_what_goes_on_after_an_exit_that_waits_too_long_is_refused_for_the_exit() public {
        bytes memory data = abi.encodePacked(counts(0, 0, 1, 0), exitRecord(address(9), 0, 1_001, 5), bytes1(0));
        vm.expectRevert(abi.encodeWithSelector(Data.ReleaseTooLate.selector, 1_000, 1_001));
        this.read(data, 1);
        data = abi.encodePacked(counts(0, 0, 1, 0), exitRecord(address(9), 0, 1_000, 5), bytes1(0));
        vm.expectRevert(abi.encodeWithSelector(Data.DataLength.selector, 55, 56));
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

    /// The roll as the queue makes it, the index of deposits set to 0; many records cost what they are.
    function testFuzz_the_roll_is_the_queues(uint8 n, uint256 seed) public view {
        n = n % 12;
        bytes memory data = counts(n, 0, 0, 0);
        bytes32 expected = 0;
        for (uint256 i = 0; i < n; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            (uint32 index, uint16 token, uint128 amount) = (uint32(dice), uint16(dice >> 32), uint128(dice >> 64));
            address exit = address(uint160(dice >> 96));
            bytes memory posted = dice & 1 == 0
                ? depositRecord(index, token, amount, dice % P, exit)
                : forcedRecord(index, token, exit);
            bytes memory queued = dice & 1 == 0 ? depositRecord(0, token, amount, dice % P, exit) : posted;
            data = abi.encodePacked(data, posted);
            expected = keccak256(abi.encodePacked(expected, queued));
        }
        require(this.rolled(data) == expected, "roll");
    }

    function testFuzz_the_exit_root_is_the_naive_one(uint8 n, uint256 seed) public view {
        n = n % 20;
        bytes memory data = counts(0, 0, n, 0);
        bytes32[] memory level = new bytes32[](n);
        for (uint256 i = 0; i < n; ++i) {
            bytes memory record = exitRecord(address(uint160(seed)), uint16(i), uint40(i), uint128(seed >> 100));
            data = abi.encodePacked(data, record);
            level[i] = leafOf(record);
        }
        uint256 width = n;
        while (width > 1) {
            for (uint256 i = 0; i < width; i += 2) {
                level[i / 2] = i + 1 < width ? nodeOf(level[i], level[i + 1]) : level[i];
            }
            width = (width + 1) / 2;
        }
        require(this.read(data, 1).exitRoot == (n == 0 ? bytes32(0) : exitRoot(n, level[0])), "root");
    }
}
