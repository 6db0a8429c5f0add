// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IBlocks} from "./IBlocks.sol";
import {Inclusion} from "./Inclusion.sol";
import {Poseidon2} from "./Poseidon2.sol";
import {Receipts} from "./Receipts.sol";
import {Times} from "./Times.sol";

/// @title Slashing
/// @notice Holds bonds for the keys that sign receipts of one rollup. Whoever shows that a key broke a promise takes
/// a part of its bond, and the rest is burned. Nobody decides here: evidence is signatures and final blocks
/// (docs/protocol.md, section 13.4; the argument is in docs/security.md).
contract Slashing is Inclusion {
    using Receipts for Receipts.Receipt;
    using Receipts for Receipts.Signed;

    /// @notice Which promise was broken.
    enum Fault {
        /// Two receipts for one place.
        TwoForOnePlace,
        /// The block has another time.
        OtherTime,
        /// The block has no such batch.
        NoBatch,
        /// The batch has no such position.
        NoPosition,
        /// Another operation stands at the place.
        OtherLeaf,
        /// An earlier block has a later time: the block of the receipt cannot have its time any more.
        Overtaken
    }

    /// @notice A bond.
    struct Bond {
        uint128 amount;
        /// When it may be withdrawn; 0 if that was not announced.
        uint64 leavesAt;
    }

    /// @notice The reporter gets one part in so many, and the rest is burned. An operator that reports itself loses
    /// the rest all the same.
    uint256 public constant REWARD_PART = 4;
    /// @notice Where burned ether goes.
    address public constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @notice Bonds by who put them up and the key that they answer for: nobody can take a key's place.
    mapping(address owner => mapping(address signer => Bond)) public bonds;
    /// @notice When a report was announced, by `commitment`.
    mapping(bytes32 commitment => uint64) public announced;

    /// @notice A bond grew.
    event Bonded(address indexed owner, address indexed signer, uint256 amount);
    /// @notice A bond is to be withdrawn; 0 if it stays after all.
    event Leaving(address indexed owner, address indexed signer, uint256 leavesAt);
    /// @notice A bond was withdrawn.
    event Withdrawn(address indexed owner, address indexed signer, address to, uint256 amount);
    /// @notice A report was announced.
    event Announced(bytes32 indexed commitment);
    /// @notice A bond is gone.
    event Slashed(
        address indexed owner,
        address indexed signer,
        address indexed reporter,
        Fault fault,
        bytes32 evidence,
        uint256 amount,
        uint256 reward
    );

    /// @notice No bond is there.
    error NoBond(address owner, address signer);
    /// @notice The bond is being withdrawn.
    error IsLeaving(uint256 leavesAt);
    /// @notice No withdrawal was announced.
    error NotLeaving();
    /// @notice The time for this has not come.
    error TooSoon(uint256 earliest);
    /// @notice Nothing was announced.
    error NotAnnounced(bytes32 commitment);
    /// @notice The receipt was signed by another key.
    error OtherSigner(address signer);
    /// @notice The two receipts are for different places.
    error OtherPlace();
    /// @notice The two receipts are the same.
    error SameReceipt();
    /// @notice The receipt is void: blocks from before its block on were taken back.
    error Void(uint256 revert_);
    /// @notice The promise was kept.
    error Kept();
    /// @notice The block is not before that of the receipt.
    error NotEarlier(uint256 number);
    /// @notice The receiver refused a payment.
    error PaymentRefused(address to);

    /// @param rollup_ Whose receipts are judged.
    constructor(IBlocks rollup_) Inclusion(rollup_) {}

    /// @notice Adds to the sender's bond for a key.
    function bond(address signer) external payable {
        Bond storage b = bonds[msg.sender][signer];
        if (b.leavesAt != 0) revert IsLeaving(b.leavesAt);
        if (msg.value == 0 || signer == address(0)) revert NoBond(msg.sender, signer);
        // There is less ether than 2^128 wei.
        b.amount += uint128(msg.value);
        emit Bonded(msg.sender, signer, b.amount);
    }

    /// @notice Announces that the sender's bond for a key is to leave. Until then it can be slashed.
    function announceWithdrawal(address signer) external {
        Bond storage b = _bond(msg.sender, signer);
        if (b.leavesAt != 0) revert IsLeaving(b.leavesAt);
        b.leavesAt = uint64(block.timestamp + Times.BOND_DELAY);
        emit Leaving(msg.sender, signer, b.leavesAt);
    }

    /// @notice Takes the announcement back.
    function cancelWithdrawal(address signer) external {
        _bond(msg.sender, signer).leavesAt = 0;
        emit Leaving(msg.sender, signer, 0);
    }

    /// @notice Withdraws the sender's bond for a key, when its time has come.
    function withdraw(address signer, address to) external {
        Bond memory b = _bond(msg.sender, signer);
        if (b.leavesAt == 0) revert NotLeaving();
        if (block.timestamp < b.leavesAt) revert TooSoon(b.leavesAt);
        delete bonds[msg.sender][signer];
        emit Withdrawn(msg.sender, signer, to, b.amount);
        _pay(to, b.amount);
    }

    /// @notice Announces a report without telling what it is about. It can be made `REPORT_DELAY` later: whoever
    /// copies it then comes too late, because a copy has a commitment of its own.
    function announceReport(bytes32 commitment_) external {
        if (announced[commitment_] == 0) {
            announced[commitment_] = uint64(block.timestamp);
            emit Announced(commitment_);
        }
    }

    /// @notice What a reporter announces.
    /// @param reporter Who will send the report.
    /// @param owner Whose bond.
    /// @param evidence Digest of the receipt; for two, keccak256 of both digests in the order of the report.
    /// @param salt Anything random.
    function commitment(address reporter, address owner, bytes32 evidence, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(reporter, owner, evidence, salt));
    }

    /// @notice Shows two receipts of one epoch for one place. Whether blocks were taken back later does not matter:
    /// nobody who is honest signs two.
    function reportTwo(
        address owner,
        address signer,
        Receipts.Signed calldata first,
        Receipts.Signed calldata second,
        bytes32 salt
    ) external {
        (Receipts.Receipt calldata a, Receipts.Receipt calldata b) = (first.receipt, second.receipt);
        bool same = a.epoch == b.epoch && a.number == b.number && a.batch == b.batch && a.position == b.position;
        if (!same) revert OtherPlace();
        (bytes32 one, bytes32 other) = (_requireSigned(first, signer), _requireSigned(second, signer));
        if (one == other) revert SameReceipt();
        _slash(owner, signer, Fault.TwoForOnePlace, keccak256(abi.encode(one, other)), salt);
    }

    /// @notice Shows that the final block of a receipt is not what the receipt says. `batches`, `leaf` and `siblings`
    /// are as in `requireIncluded`, as far as they matter: none for another time, no path for a place that is not
    /// there.
    function reportBroken(
        address owner,
        address signer,
        Receipts.Signed calldata signed,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        Batch[] calldata batches,
        uint256 leaf,
        uint256[] calldata siblings,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSigned(signed, signer);
        _requireNotVoid(signed.receipt, _requireFinal(signed.receipt.number, inputs, exitRoot));
        Fault fault = _fault(signed.receipt, inputs, batches, leaf, siblings);
        _slash(owner, signer, fault, digest, salt);
    }

    /// @notice Shows that the block of a receipt cannot have its time any more: a final block before it has a later
    /// one, and the times of blocks do not fall.
    function reportOvertaken(
        address owner,
        address signer,
        Receipts.Signed calldata signed,
        uint256 number,
        uint256[16] calldata inputs,
        bytes32 exitRoot,
        bytes32 salt
    ) external {
        bytes32 digest = _requireSigned(signed, signer);
        if (number >= signed.receipt.number) revert NotEarlier(number);
        _requireNotVoid(signed.receipt, _requireFinal(number, inputs, exitRoot));
        if (inputs[INPUT_TIME] <= signed.receipt.time) revert Kept();
        _slash(owner, signer, Fault.Overtaken, digest, salt);
    }

    /// @dev What is wrong with the block of a receipt.
    function _fault(
        Receipts.Receipt calldata receipt,
        uint256[16] calldata inputs,
        Batch[] calldata batches,
        uint256 leaf,
        uint256[] calldata siblings
    ) private pure returns (Fault) {
        if (inputs[INPUT_TIME] != receipt.time) return Fault.OtherTime;
        bytes memory table = Poseidon2.constants();
        _requireBatches(table, inputs[INPUT_C_OUT], batches);
        if (receipt.batch >= batches.length) return Fault.NoBatch;
        Batch calldata batch = batches[receipt.batch];
        uint256 operations = _operations(batch);
        if (receipt.position >= operations) return Fault.NoPosition;
        if (leaf == receipt.leaf) revert Kept();
        _requireLeaf(table, batch.root, operations, receipt.position, leaf, siblings);
        return Fault.OtherLeaf;
    }

    /// @dev Requires that a key signed a receipt; returns its digest.
    function _requireSigned(Receipts.Signed calldata signed, address signer) private view returns (bytes32 digest) {
        digest = signed.receipt.digest(address(rollup));
        address found = signed.signer(digest);
        if (found != signer) revert OtherSigner(found);
    }

    /// @dev Requires that no revert of the receipt's epoch or later had taken its block back when a block became
    /// final at `time`. A later one is no excuse: the promise was broken by then. So an operator cannot excuse itself
    /// when it sees a report coming, nor make it too dear by many reverts.
    function _requireNotVoid(Receipts.Receipt calldata receipt, uint256 time) private view {
        uint256 count = rollup.revertCount();
        for (uint256 i = receipt.epoch; i < count; ++i) {
            (uint64 to, uint64 when) = rollup.reverts(i);
            if (when > time) return;
            if (to < receipt.number) revert Void(i);
        }
    }

    /// @dev Empties a bond. Ether leaves last.
    function _slash(address owner, address signer, Fault fault, bytes32 evidence, bytes32 salt) private {
        bytes32 hash = commitment(msg.sender, owner, evidence, salt);
        uint256 since = announced[hash];
        if (since == 0) revert NotAnnounced(hash);
        if (block.timestamp < since + Times.REPORT_DELAY) revert TooSoon(since + Times.REPORT_DELAY);
        uint256 amount = _bond(owner, signer).amount;
        delete bonds[owner][signer];
        uint256 reward = amount / REWARD_PART;
        emit Slashed(owner, signer, msg.sender, fault, evidence, amount, reward);
        _pay(BURNED, amount - reward);
        _pay(msg.sender, reward);
    }

    function _bond(address owner, address signer) private view returns (Bond storage b) {
        b = bonds[owner][signer];
        if (b.amount == 0) revert NoBond(owner, signer);
    }

    function _pay(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert PaymentRefused(to);
    }
}
