// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Times} from "./Times.sol";

/// @title Bonds
/// @notice Bonds of the keys that sign for a rollup, and who may empty them: whoever shows a fault that he announced
/// before. What is a fault, the contracts that inherit say (docs/protocol.md, section 13.5).
abstract contract Bonds {
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
        Overtaken,
        /// Two closings of one batch.
        TwoClosings,
        /// An operation stands behind the closing of its batch, and is no quote.
        Reopened,
        /// The forfeit stands at the place of an order that was revealed on L1 in time.
        Ignored
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
    /// @notice The receiver refused a payment.
    error PaymentRefused(address to);

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

    /// @dev Empties a bond. Ether leaves last.
    function _slash(address owner, address signer, Fault fault, bytes32 evidence, bytes32 salt) internal {
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
