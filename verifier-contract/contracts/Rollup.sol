// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Data} from "./Data.sol";
import {IVerifier} from "./IVerifier.sol";
import {Queue} from "./Queue.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Bastion rollup
/// @notice Finalizes the L2 state root, and only with a proof. Blocks are committed (header and
/// data), proven and finalized in order; nobody can set a root.
contract Rollup is Queue {
    using SafeERC20 for IERC20;

    /// @notice What a block claims.
    struct Header {
        uint256 oldRoot;
        uint256 newRoot;
        uint256 policyRoot;
        uint64 time;
        uint256 cOut;
        uint32 batches;
    }

    /// @notice What is kept of a block.
    struct Block {
        uint256 newRoot;
        bytes32 exitRoot;
        /// keccak256 of the ten public inputs.
        bytes32 inputs;
        uint64 time;
        uint64 committedAt;
        /// Queue entries processed after the block.
        uint64 processed;
    }

    /// @notice Seconds after which anybody may take back a commit that was not proven.
    uint256 public constant PROVE_DEADLINE = 1 days;
    uint256 private constant RECORD = 47;

    /// @notice Chain and contract, as signatures and proofs bind them.
    uint256 public immutable domain;
    IVerifier public immutable verifier;
    /// @notice Who may commit.
    address public immutable operator;
    /// @notice Policy in force.
    uint256 public immutable policyRoot;

    /// @notice Blocks from 1 on; block 0 is genesis.
    Block[] public blocks;
    /// @notice Number of the last proven block.
    uint256 public proven;
    /// @notice Number of the last finalized block.
    uint256 public finalized;
    /// @notice Claimed exits of a block, 256 a word.
    mapping(uint256 => mapping(uint256 => uint256)) public claimed;

    event Committed(uint256 indexed number, Header header, bytes32 exitRoot, uint256 processed);
    event Proven(uint256 indexed number, uint256 newRoot);
    event Finalized(uint256 indexed number, uint256 newRoot);
    event Reverted(uint256 indexed from, uint256 indexed to);
    event Claimed(uint256 indexed number, uint256 indexed position, address indexed to, uint16 token, uint256 amount);

    error NotOperator(address sender);
    error NoVerifierCode(address verifier);
    error RootOutOfRange(uint256 root);
    error WrongOldRoot(uint256 expected, uint256 actual);
    error WrongPolicy(uint256 expected, uint256 actual);
    error TimeOutOfRange(uint64 earliest, uint64 time, uint256 latest);
    error NoBatches();
    error QueueMismatch(uint256 entry);
    error NotNext(uint256 expected, uint256 actual);
    error WrongInputs(uint256 number);
    error ProofRefused(uint256 number);
    error TooEarly(uint256 earliest);
    error NothingToRevert();
    error NotFinalized(uint256 number);
    error RecordLength(uint256 length);
    error AlreadyClaimed(uint256 number, uint256 position);
    error WrongPath(uint256 number, uint256 position);
    error TransferFailed(address to);

    /// @param genesisRoot Root of the first state.
    /// @param policyRoot_ Policy in force.
    /// @param verifier_ Verifier contract; must have code.
    /// @param operator_ Who may commit.
    constructor(uint256 genesisRoot, uint256 policyRoot_, IVerifier verifier_, address operator_) {
        if (address(verifier_).code.length == 0) revert NoVerifierCode(address(verifier_));
        if (genesisRoot >= Data.P) revert RootOutOfRange(genesisRoot);
        if (policyRoot_ >= Data.P) revert RootOutOfRange(policyRoot_);
        verifier = verifier_;
        operator = operator_;
        policyRoot = policyRoot_;
        domain = uint256(keccak256(abi.encodePacked("bastion.domain.v1", block.chainid, address(this)))) % Data.P;
        blocks.push(Block(genesisRoot, 0, 0, 0, uint64(block.timestamp), 0));
    }

    /// @notice The finalized state root.
    function stateRoot() external view returns (uint256) {
        return blocks[finalized].newRoot;
    }

    /// @notice Number of the last committed block.
    function committed() public view returns (uint256) {
        return blocks.length - 1;
    }

    /// @notice Posts a block: its header and its data.
    function commit(Header calldata header, bytes calldata data) public {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        Block storage last = blocks[blocks.length - 1];
        if (header.oldRoot != last.newRoot) revert WrongOldRoot(last.newRoot, header.oldRoot);
        if (header.newRoot >= Data.P) revert RootOutOfRange(header.newRoot);
        if (header.cOut >= Data.P) revert RootOutOfRange(header.cOut);
        if (header.policyRoot != policyRoot) revert WrongPolicy(policyRoot, header.policyRoot);
        if (header.time < last.time || header.time > block.timestamp) {
            revert TimeOutOfRange(last.time, header.time, block.timestamp);
        }
        if (header.batches == 0) revert NoBatches();

        uint256 r = _challenge(header, data);
        Data.Summary memory s = Data.read(data, header.batches, r, rolls[last.processed]);
        uint256 processed = last.processed + s.l1Count;
        if (processed >= rolls.length || rolls[processed] != s.roll) revert QueueMismatch(processed);
        bytes32 inputs = keccak256(abi.encode(_inputs(header, s.y, r)));
        blocks.push(
            Block(header.newRoot, s.exitRoot, inputs, header.time, uint64(block.timestamp), uint64(processed))
        );
        emit Committed(committed(), header, s.exitRoot, processed);
    }

    /// @notice Proves the next committed block.
    /// @param number Number of the block.
    /// @param accumulator Twelve limbs of the accumulator, which the proof binds.
    /// @param inputs Ten public inputs, as they were computed at the commit.
    function prove(uint256 number, uint256[12] calldata accumulator, uint256[10] calldata inputs, bytes calldata proof)
        public
    {
        if (number != proven + 1 || number > committed()) revert NotNext(proven + 1, number);
        if (keccak256(abi.encode(inputs)) != blocks[number].inputs) revert WrongInputs(number);
        uint256[] memory instances = new uint256[](22);
        for (uint256 i = 0; i < 12; ++i) {
            instances[i] = accumulator[i];
        }
        for (uint256 i = 0; i < 10; ++i) {
            instances[12 + i] = inputs[i];
        }
        for (uint256 i = 0; i < 22; ++i) {
            if (instances[i] >= Data.P) revert RootOutOfRange(instances[i]);
        }
        if (!verifier.verify(instances, proof)) revert ProofRefused(number);
        proven = number;
        emit Proven(number, blocks[number].newRoot);
    }

    /// @notice Moves the state root to the next proven block.
    function finalize(uint256 number) public {
        if (number != finalized + 1 || number > proven) revert NotNext(finalized + 1, number);
        finalized = number;
        emit Finalized(number, blocks[number].newRoot);
    }

    /// @notice Takes back the commits that are not proven: the operator at any time, anybody when
    /// the oldest of them is overdue.
    function revertCommits() external {
        uint256 last = committed();
        if (last == proven) revert NothingToRevert();
        uint256 earliest = blocks[proven + 1].committedAt + PROVE_DEADLINE;
        if (msg.sender != operator && block.timestamp < earliest) revert TooEarly(earliest);
        while (blocks.length > proven + 1) {
            blocks.pop();
        }
        emit Reverted(last, proven);
    }

    /// @notice Pays an exit of a finalized block to its address, once, after its release time.
    /// @param number Number of the block.
    /// @param position Position of the record among the block's exits.
    /// @param count Number of exits of the block.
    /// @param record The 47 posted bytes.
    /// @param path Siblings from the leaf up; a level where the node has none is skipped.
    function claim(
        uint256 number,
        uint256 position,
        uint256 count,
        bytes calldata record,
        bytes32[] calldata path
    ) external nonReentrant {
        if (number == 0 || number > finalized) revert NotFinalized(number);
        if (record.length != RECORD) revert RecordLength(record.length);
        _checkPath(number, position, count, record, path);
        uint256 releaseTime = uint40(bytes5(record[22:27]));
        if (block.timestamp < releaseTime) revert TooEarly(releaseTime);
        uint256 bit = 1 << (position & 0xff);
        if (claimed[number][position >> 8] & bit != 0) revert AlreadyClaimed(number, position);
        claimed[number][position >> 8] |= bit;

        address to = address(bytes20(record[:20]));
        uint16 token = uint16(bytes2(record[20:22]));
        uint256 amount = uint128(bytes16(record[27:43]));
        held[token] -= amount;
        emit Claimed(number, position, to, token, amount);
        if (token == 0) {
            (bool ok,) = to.call{value: amount}("");
            if (!ok) revert TransferFailed(to);
        } else {
            IERC20(tokens[token]).safeTransfer(to, amount);
        }
    }

    function _checkPath(
        uint256 number,
        uint256 position,
        uint256 count,
        bytes calldata record,
        bytes32[] calldata path
    ) private view {
        if (position >= count) revert WrongPath(number, position);
        bytes32 node = Data.leaf(record);
        uint256 used = 0;
        uint256 i = position;
        // A wrong `count` gives a wrong shape, and so another root.
        for (uint256 n = count; n > 1; n = (n + 1) / 2) {
            if (i ^ 1 < n) {
                if (used == path.length) revert WrongPath(number, position);
                bytes32 sibling = path[used++];
                node = i & 1 == 0 ? Data.node(node, sibling) : Data.node(sibling, node);
            }
            i >>= 1;
        }
        if (used != path.length || node != blocks[number].exitRoot) revert WrongPath(number, position);
    }

    function _challenge(Header calldata h, bytes calldata data) private view returns (uint256) {
        return uint256(
            keccak256(
                abi.encodePacked(
                    "bastion.r.v1",
                    domain,
                    h.oldRoot,
                    h.newRoot,
                    h.policyRoot,
                    uint256(h.time),
                    h.cOut,
                    keccak256(data)
                )
            )
        ) % Data.P;
    }

    function _inputs(Header calldata h, uint256 y, uint256 r) private view returns (uint256[10] memory) {
        return [h.oldRoot, h.newRoot, 0, h.cOut, 0, y, h.policyRoot, domain, uint256(h.time), r];
    }
}
