// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Rollup} from "../contracts/Rollup.sol";
import {Queue} from "../contracts/Queue.sol";
import {Data} from "../contracts/Data.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {TestToken} from "../contracts/TestToken.sol";

interface Vm {
    function expectRevert(bytes4) external;
    function expectRevert(bytes calldata) external;
    function prank(address) external;
    function warp(uint256) external;
    function deal(address, uint256) external;
    function assume(bool) external;
}

/// Accepts or refuses everything: the logic around the verifier is what is tested here.
contract MockVerifier is IVerifier {
    bool public accepts = true;

    function set(bool value) external {
        accepts = value;
    }

    function verify(uint256[] calldata, bytes calldata) external view returns (bool) {
        return accepts;
    }
}

/// Keeps one percent of each transfer.
contract FeeToken is TestToken("Fee") {
    function _update(address from, address to, uint256 amount) internal override {
        if (from == address(0)) return super._update(from, to, amount);
        super._update(from, to, amount - amount / 100);
        super._update(from, address(1), amount / 100);
    }
}

/// Tries to claim again while it is paid.
contract Reenterer {
    Rollup rollup;
    bytes call;
    bool public again;

    function arm(Rollup r, bytes calldata c) external {
        (rollup, call) = (r, c);
    }

    receive() external payable {
        (again,) = address(rollup).call(call);
    }
}

contract RollupTest {
    Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 constant P = Data.P;

    Rollup rollup;
    MockVerifier verifier;

    receive() external payable {}

    function setUp() public {
        vm.warp(1_000_000);
        verifier = new MockVerifier();
        rollup = new Rollup(11, 22, verifier, address(this));
        vm.deal(address(this), 100 ether);
    }

    // ---- helpers

    function header(uint256 oldRoot, uint256 newRoot) internal view returns (Rollup.Header memory) {
        return Rollup.Header(oldRoot, newRoot, 22, uint64(block.timestamp), 33, 1);
    }

    function counts(uint16 l1, uint16 l2, uint16 exits, uint16 owners) internal pure returns (bytes memory) {
        return abi.encodePacked(l1, l2, exits, owners);
    }

    function depositRecord(uint32 index, uint128 amount, uint256 keyhash, address exit)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(1), uint16(0), index, amount, keyhash, exit);
    }

    function exitRecord(address to, uint40 release, uint128 amount) internal pure returns (bytes memory) {
        return abi.encodePacked(to, uint16(0), release, amount, uint32(1 << 17));
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

    function finalizeWith(bytes memory data, uint256 newRoot) internal returns (uint256 number) {
        number = rollup.committed() + 1;
        (uint256 last,,,,,) = rollup.blocks(number - 1);
        Rollup.Header memory h = header(last, newRoot);
        rollup.commit(h, data);
        uint256[10] memory inputs = inputsOf(h, data);
        uint256[12] memory accumulator;
        rollup.prove(number, accumulator, inputs, "");
        rollup.finalize(number);
    }

    function inputsOf(Rollup.Header memory h, bytes memory data) internal view returns (uint256[10] memory) {
        uint256 r = uint256(
            keccak256(
                abi.encodePacked(
                    "bastion.r.v1",
                    rollup.domain(),
                    h.oldRoot,
                    h.newRoot,
                    h.policyRoot,
                    uint256(h.time),
                    h.cOut,
                    keccak256(data)
                )
            )
        ) % P;
        uint256 y = this.polynomial(data, r);
        return [h.oldRoot, h.newRoot, 0, h.cOut, 0, y, h.policyRoot, rollup.domain(), uint256(h.time), r];
    }

    function polynomial(bytes calldata data, uint256 r) external pure returns (uint256) {
        return Data.read(data, 1, r, 0).y;
    }

    function read(bytes calldata data, uint256 batches) external pure returns (Data.Summary memory) {
        return Data.read(data, batches, 5, 0);
    }

    // ---- data

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
        bytes memory record = exitRecord(address(to), 7, amount);
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
        require(this.polynomial(data, r) == expected, "polynomial");
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
        this.read(abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 1, P, address(1))), 1);
        vm.expectRevert(abi.encodeWithSelector(Data.WordOutOfRange.selector, 8));
        this.read(abi.encodePacked(counts(0, 0, 0, 1), P, address(1)), 1);
    }

    // ---- queue

    function test_deposits_and_requests_roll() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        vm.prank(address(9));
        rollup.requestForcedExit(1 << 17, 0);
        bytes32 first = keccak256(abi.encodePacked(bytes32(0), depositRecord(0, 5, 77, address(9))));
        require(rollup.rolls(1) == first, "deposit");
        bytes memory request =
            abi.encodePacked(uint8(2), uint16(0), uint32(1 << 17), uint128(0), uint256(0), address(9));
        require(rollup.rolls(2) == keccak256(abi.encodePacked(first, request)), "request");
    }

    function test_bad_deposits_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Queue.WrongValue.selector, 4, 5));
        rollup.deposit{value: 4}(0, 5, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Queue.KeyhashOutOfRange.selector, P));
        rollup.deposit{value: 5}(0, 5, P, address(9));
        vm.expectRevert(Queue.ZeroAmount.selector);
        rollup.deposit(0, 0, 1, address(9));
        vm.expectRevert(Queue.ZeroExit.selector);
        rollup.deposit{value: 5}(0, 5, 1, address(0));
        vm.expectRevert(abi.encodeWithSelector(Queue.UnknownToken.selector, 3));
        rollup.deposit(3, 5, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Queue.SystemAccount.selector, (1 << 17) - 1));
        rollup.requestForcedExit((1 << 17) - 1, 0);
    }

    function test_tokens_credit_what_arrives() public {
        FeeToken token = new FeeToken();
        uint16 id = rollup.registerToken(address(token));
        token.mint(address(this), 1_000);
        token.approve(address(rollup), 1_000);
        rollup.deposit(id, 1_000, 1, address(9));
        require(rollup.held(id) == 990, "held");
        vm.expectRevert(abi.encodeWithSelector(Queue.AlreadyRegistered.selector, address(token)));
        rollup.registerToken(address(token));
        vm.expectRevert(abi.encodeWithSelector(Queue.NotAContract.selector, address(77)));
        rollup.registerToken(address(77));
    }

    function test_a_token_never_passes_128_bits() public {
        TestToken token = new TestToken("Large");
        uint16 id = rollup.registerToken(address(token));
        token.mint(address(this), 1 << 130);
        token.approve(address(rollup), 1 << 130);
        rollup.deposit(id, type(uint128).max, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Queue.AmountTooLarge.selector, uint256(1 << 128)));
        rollup.deposit(id, 1, 1, address(9));
    }

    // ---- blocks

    function test_commit_checks_its_header() public {
        bytes memory none = counts(0, 0, 0, 0);
        Rollup.Header memory h = header(12, 13);
        vm.expectRevert(abi.encodeWithSelector(Rollup.WrongOldRoot.selector, 11, 12));
        rollup.commit(h, none);
        h = header(11, P);
        vm.expectRevert(abi.encodeWithSelector(Rollup.RootOutOfRange.selector, P));
        rollup.commit(h, none);
        h = header(11, 13);
        h.policyRoot = 23;
        vm.expectRevert(abi.encodeWithSelector(Rollup.WrongPolicy.selector, 22, 23));
        rollup.commit(h, none);
        h = header(11, 13);
        h.time = uint64(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(Rollup.TimeOutOfRange.selector, 0, uint64(block.timestamp + 1), block.timestamp)
        );
        rollup.commit(h, none);
        h = header(11, 13);
        h.batches = 0;
        vm.expectRevert(Rollup.NoBatches.selector);
        rollup.commit(h, none);
        h = header(11, 13);
        vm.expectRevert(abi.encodeWithSelector(Rollup.NotOperator.selector, address(5)));
        vm.prank(address(5));
        rollup.commit(h, none);
    }

    function test_the_queue_is_processed_in_order_and_as_it_is() public {
        rollup.deposit{value: 5}(0, 5, 77, address(9));
        bytes memory other = abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 6, 77, address(9)));
        vm.expectRevert(abi.encodeWithSelector(Rollup.QueueMismatch.selector, 1));
        rollup.commit(header(11, 13), other);
        bytes memory twice = abi.encodePacked(
            counts(2, 0, 0, 0), depositRecord(1 << 17, 5, 77, address(9)), depositRecord(1 << 17, 5, 77, address(9))
        );
        vm.expectRevert(abi.encodeWithSelector(Rollup.QueueMismatch.selector, 2));
        rollup.commit(header(11, 13), twice);
        rollup.commit(
            header(11, 13), abi.encodePacked(counts(1, 0, 0, 0), depositRecord(1 << 17, 5, 77, address(9)))
        );
    }

    function test_only_a_proof_moves_the_root() public {
        bytes memory none = counts(0, 0, 0, 0);
        Rollup.Header memory h = header(11, 13);
        rollup.commit(h, none);
        uint256[10] memory inputs = inputsOf(h, none);
        uint256[12] memory limbs;
        vm.expectRevert(abi.encodeWithSelector(Rollup.NotNext.selector, 1, 1));
        rollup.finalize(1);
        uint256[10] memory wrong = inputs;
        wrong[1] += 1;
        vm.expectRevert(abi.encodeWithSelector(Rollup.WrongInputs.selector, 1));
        rollup.prove(1, limbs, wrong, "");
        wrong[1] -= 1;
        limbs[3] = P;
        vm.expectRevert(abi.encodeWithSelector(Rollup.RootOutOfRange.selector, P));
        rollup.prove(1, limbs, inputs, "");
        limbs[3] = 0;
        verifier.set(false);
        vm.expectRevert(abi.encodeWithSelector(Rollup.ProofRefused.selector, 1));
        rollup.prove(1, limbs, inputs, "");
        verifier.set(true);
        rollup.prove(1, limbs, inputs, "");
        require(rollup.stateRoot() == 11, "not yet");
        rollup.finalize(1);
        require(rollup.stateRoot() == 13, "root");
    }

    function test_unproven_commits_are_taken_back() public {
        vm.expectRevert(Rollup.NothingToRevert.selector);
        rollup.revertCommits();
        rollup.commit(header(11, 13), counts(0, 0, 0, 0));
        rollup.commit(header(13, 14), counts(0, 0, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Rollup.TooEarly.selector, block.timestamp + 1 days));
        vm.prank(address(5));
        rollup.revertCommits();
        vm.warp(block.timestamp + 1 days);
        vm.prank(address(5));
        rollup.revertCommits();
        require(rollup.committed() == 0, "reverted");
        rollup.commit(header(11, 15), counts(0, 0, 0, 0));
    }

    function test_a_verifier_must_have_code() public {
        vm.expectRevert(abi.encodeWithSelector(Rollup.NoVerifierCode.selector, address(77)));
        new Rollup(11, 22, IVerifier(address(77)), address(this));
    }

    // ---- exits

    function threeExits(address to) internal returns (bytes[3] memory records, bytes32[3] memory leaves) {
        rollup.deposit{value: 100}(0, 100, 77, address(9));
        uint40 release = uint40(block.timestamp + 100);
        bytes memory data = abi.encodePacked(counts(1, 0, 3, 0), depositRecord(1 << 17, 100, 77, address(9)));
        for (uint128 i = 0; i < 3; ++i) {
            records[i] = exitRecord(to, release, 10 + i);
            leaves[i] = keccak256(abi.encodePacked(bytes1(0), records[i]));
            data = abi.encodePacked(data, records[i]);
        }
        finalizeWith(data, 13);
    }

    function test_exits_are_claimed_once_and_in_time() public {
        address to = address(0xbeef);
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(to);
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        vm.expectRevert(abi.encodeWithSelector(Rollup.TooEarly.selector, block.timestamp + 100));
        rollup.claim(1, 0, 3, records[0], path);
        vm.warp(block.timestamp + 100);
        rollup.claim(1, 0, 3, records[0], path);
        require(to.balance == 10, "paid");
        vm.expectRevert(abi.encodeWithSelector(Rollup.AlreadyClaimed.selector, 1, 0));
        rollup.claim(1, 0, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Rollup.WrongPath.selector, 1, 1));
        rollup.claim(1, 1, 3, records[0], path);
        vm.expectRevert(abi.encodeWithSelector(Rollup.WrongPath.selector, 1, 0));
        rollup.claim(1, 0, 3, records[1], path);
        vm.expectRevert(abi.encodeWithSelector(Rollup.NotFinalized.selector, 2));
        rollup.claim(2, 0, 3, records[0], path);
        // The odd leaf is promoted: its path has one sibling.
        bytes32[] memory odd = new bytes32[](1);
        odd[0] = keccak256(abi.encodePacked(bytes1(0x01), leaves[0], leaves[1]));
        rollup.claim(1, 2, 3, records[2], odd);
        require(to.balance == 22 && rollup.held(0) == 78, "books");
    }

    function test_reentering_a_claim_fails() public {
        Reenterer bad = new Reenterer();
        (bytes[3] memory records, bytes32[3] memory leaves) = threeExits(address(bad));
        vm.warp(block.timestamp + 100);
        bytes32[] memory path = new bytes32[](2);
        path[0] = leaves[1];
        path[1] = leaves[2];
        bytes32[] memory odd = new bytes32[](1);
        odd[0] = keccak256(abi.encodePacked(bytes1(0x01), leaves[0], leaves[1]));
        bad.arm(rollup, abi.encodeCall(Rollup.claim, (1, 2, 3, records[2], odd)));
        rollup.claim(1, 0, 3, records[0], path);
        require(!bad.again() && address(bad).balance == 10, "reentered");
    }
}
