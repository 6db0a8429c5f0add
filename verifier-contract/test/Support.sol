// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Data} from "../contracts/Data.sol";
import {Governance} from "../contracts/Governance.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {Statements} from "../contracts/Statements.sol";

interface Vm {
    function expectRevert() external;
    function expectRevert(bytes4) external;
    function expectRevert(bytes calldata) external;
    function prank(address) external;
    function startPrank(address) external;
    function stopPrank() external;
    function warp(uint256) external;
    function deal(address, uint256) external;
    function assume(bool) external;
    function chainId(uint256) external;
    function getCode(string calldata) external view returns (bytes memory);
    function getBlockTimestamp() external view returns (uint256);
}

/// Accepts or refuses everything: the logic around the verifier is what is tested with it.
contract MockVerifier is IVerifier {
    bool public accepts = true;

    function set(bool value) external {
        accepts = value;
    }

    function verify(uint256[] calldata, bytes calldata) external view virtual returns (bool) {
        return accepts;
    }
}

/// A rollup with its governance: this contract is governor and operator, 3 guardians of whom 2
/// pause, 5 members of the council of whom 3 decide.
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant P = Data.P;
    bytes32 internal constant CIRCUIT = "circuit";
    uint256 internal constant GENESIS = 11;
    uint256 internal constant POLICY = 22;

    /// keccak256 of the public inputs of proven blocks.
    mapping(uint256 number => bytes32) internal inputsHash;

    Rollup internal rollup;
    Governance internal governance;
    MockVerifier internal verifier;

    receive() external payable virtual {}

    function guardian(uint256 i) internal pure returns (address) {
        return address(uint160(0x6000 + i));
    }

    function member(uint256 i) internal pure returns (address) {
        return address(uint160(0xc000 + i));
    }

    function config(IVerifier verifier_, uint256 policyRoot) internal view returns (Governance.Config memory c) {
        c.policyRoot = policyRoot;
        c.circuitId = CIRCUIT;
        c.verifier = verifier_;
        c.governor = address(this);
        c.operators = new address[](1);
        c.operators[0] = address(this);
        (c.guardians, c.toPause) = (new address[](3), 2);
        for (uint256 i = 0; i < 3; ++i) {
            c.guardians[i] = guardian(i);
        }
        (c.council, c.toUnpause) = (new address[](5), 3);
        for (uint256 i = 0; i < 5; ++i) {
            c.council[i] = member(i);
        }
    }

    /// By its artifact: a test that held the code itself would be compiled with all of it.
    function create(string memory artifact, bytes memory args) private returns (address made) {
        bytes memory code = abi.encodePacked(vm.getCode(artifact), args);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                let m := mload(0x40)
                returndatacopy(m, 0, returndatasize())
                revert(m, returndatasize())
            }
        }
    }

    function makeGovernance(Governance.Config memory c) public returns (Governance) {
        return Governance(create("Governance.sol:Governance", abi.encode(c)));
    }

    function makeRollup(uint256 genesisRoot, Governance governance_) public returns (Rollup) {
        return Rollup(create("Rollup.sol:Rollup", abi.encode(genesisRoot, governance_)));
    }

    function deploy(uint256 genesisRoot, uint256 policyRoot) internal {
        vm.warp(100 days);
        verifier = new MockVerifier();
        governance = makeGovernance(config(verifier, policyRoot));
        rollup = makeRollup(genesisRoot, governance);
        vm.deal(address(this), 100 ether);
    }

    /// Time of the chain; the optimizer takes `block.timestamp` for constant within a call.
    function now_() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function skip(uint256 seconds_) internal {
        vm.warp(now_() + seconds_);
    }

    function pause() internal {
        vm.prank(guardian(0));
        governance.votePause();
        vm.prank(guardian(1));
        governance.votePause();
    }

    function header(uint256 oldRoot, uint256 newRoot) internal view returns (Statements.Header memory) {
        return Statements.Header(oldRoot, newRoot, governance.policyRoot(), uint64(now_()), 33, 1);
    }

    function counts(uint16 l1, uint16 l2, uint16 exits, uint16 owners) internal pure returns (bytes memory) {
        return abi.encodePacked(l1, l2, exits, owners);
    }

    function depositRecord(uint32 index, uint16 token, uint128 amount, uint256 keyhash, address exit)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(1), token, index, amount, keyhash, exit);
    }

    function forcedRecord(uint32 index, uint16 token, address exit) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), token, index, uint128(0), uint256(0), exit);
    }

    function exitRecord(address to, uint16 token, uint40 release, uint128 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(to, token, release, amount, uint32(1 << 17));
    }

    /// Queue entries processed after a block.
    function processedAfter(uint256 number) internal view returns (uint64 processed) {
        (,,, processed,,) = rollup.blocks(number);
    }

    /// When a block became final.
    function finalSince(uint256 number) internal view returns (uint64 time) {
        (,,,, time,) = rollup.blocks(number);
    }

    function proveNext(Statements.Header memory h, bytes memory data) internal {
        uint256[12] memory accumulator;
        uint256 number = rollup.proven() + 1;
        uint256[16] memory inputs = inputsOf(h, data);
        inputsHash[number] = keccak256(abi.encode(inputs));
        rollup.prove(number, CIRCUIT, accumulator, inputs, exitsOf(h, data), "");
    }

    /// Commits, proves and finalizes a block with one batch.
    function finalizeWith(bytes memory data, uint256 newRoot) internal returns (uint256 number) {
        number = rollup.committed() + 1;
        Statements.Header memory h = header(rollup.committedRoot(), newRoot);
        rollup.commit(h, data);
        proveNext(h, data);
        rollup.finalize(number);
    }

    /// Waits until what was deposited counts for the buckets.
    function settleDeposits() internal {
        skip(6 days);
    }

    /// Waits until nothing delays what left by the last block.
    function unlock() internal {
        skip(3 days);
    }

    /// The council removes a circuit's verifier.
    function removeVerifier(bytes32 circuitId) internal {
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(member(i));
            governance.voteRemoveVerifier(circuitId);
        }
    }

    /// What the rollup keeps of a block's exits.
    function exitRoot(uint32 count, bytes32 treeRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x02), count, treeRoot));
    }

    function leafOf(bytes memory record) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), record));
    }

    function nodeOf(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function challenge(Statements.Header memory h, bytes memory data) internal view returns (uint256) {
        bytes memory statement = abi.encodePacked(
            "bastion.r.v1", rollup.domain(), h.oldRoot, h.newRoot, h.policyRoot, uint256(h.time), h.cOut, keccak256(data)
        );
        return uint256(keccak256(statement)) % P;
    }

    function inputsOf(Statements.Header memory h, bytes memory data) internal view returns (uint256[16] memory) {
        uint256 r = challenge(h, data);
        uint256 y = this.polynomial(data, h.batches, r);
        return [h.oldRoot, h.newRoot, 0, h.cOut, 1, y, h.policyRoot, rollup.domain(), uint256(h.time), r, 0, 0, 0, 0, 0, 0];
    }

    /// What the rollup keeps of the exits of a block in calldata.
    function exitsOf(Statements.Header memory h, bytes memory data) internal view returns (bytes32) {
        return this.readExits(data, false, h.batches);
    }

    function readExits(bytes calldata data, bool inBlob, uint256 batches) external pure returns (bytes32) {
        return Data.read(data, inBlob, batches, 5, type(uint40).max).exitRoot;
    }

    function recordOf(uint256[16] memory inputs, bytes32 exits) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(inputs)), exits));
    }

    function polynomial(bytes calldata data, uint256 batches, uint256 r) external pure returns (uint256) {
        return Data.read(data, false, batches, r, type(uint40).max).y;
    }
}
