// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Receipts of a rollup's sequencer as typed data (docs/protocol.md, section 13)
library Receipts {
    /// @notice The promise that an operation stands at a place.
    struct Receipt {
        /// How often the rollup had taken blocks back when the block was opened.
        uint32 epoch;
        /// Number of the block.
        uint64 number;
        /// Batch of the block, from 0.
        uint32 batch;
        /// Position in the batch, from 0.
        uint32 position;
        /// keccak256 of the operation's bytes.
        bytes32 operation;
        /// Chain of its posted words.
        uint256 leaf;
        /// Time of the block.
        uint64 time;
    }

    /// @notice A receipt with its signature.
    struct Signed {
        Receipt receipt;
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    /// @notice The receipt's type, which other types contain.
    bytes internal constant RECEIPT =
        "Receipt(uint32 epoch,uint64 number,uint32 batch,uint32 position,bytes32 operation,uint256 leaf,uint64 time)";
    bytes32 private constant TYPE = keccak256(RECEIPT);
    /// Half of the order of secp256k1, rounded down.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Nobody signed it: the signature is malformed, or its `s` is in the upper half of the order, which
    /// would be a second signature of the same receipt.
    error BadSignature();

    /// @notice What the sequencer signs, for a rollup on the present chain: after a split each chain has its own.
    function digest(Receipt calldata receipt, address rollup) internal view returns (bytes32) {
        return typed(content(receipt), rollup);
    }

    /// @notice The receipt's part of typed data.
    function content(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE, receipt));
    }

    /// @notice The digest of typed data for a rollup on the present chain.
    function typed(bytes32 content_, address rollup) internal view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256("Bastion"), keccak256("1"), block.chainid, rollup));
        return keccak256(abi.encodePacked(hex"1901", domain, content_));
    }

    /// @notice Who signed a receipt with this digest.
    function signer(Signed calldata signed, bytes32 digest_) internal pure returns (address) {
        return recover(digest_, signed.r, signed.s, signed.v);
    }

    /// @notice Who signed a digest.
    function recover(bytes32 digest_, bytes32 r, bytes32 s, uint8 v) internal pure returns (address account) {
        if (uint256(s) > HALF_ORDER) revert BadSignature();
        account = ecrecover(digest_, v, r, s);
        if (account == address(0)) revert BadSignature();
    }
}
