// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {ReceiptVectors} from "./ReceiptVectors.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// What the operator's software signs and proves is what the contracts judge.
contract ReceiptVectorsTest is SlashingWorld {
    function setUp() public {
        world();
    }

    function digest(Receipts.Receipt calldata receipt, address rollup) external view returns (bytes32) {
        return Receipts.digest(receipt, rollup);
    }

    function test_the_digest_is_that_of_the_protocol() public {
        vm.chainId(31_337);
        Receipts.Receipt memory receipt = ReceiptVectors.receipt();
        require(this.digest(receipt, ReceiptVectors.ROLLUP) == ReceiptVectors.DIGEST, "digest");
        require(digestFor(receipt, ReceiptVectors.ROLLUP) == ReceiptVectors.DIGEST, "reference");
    }

    function digestBlind(Blind.Receipt calldata blind, address rollup) external view returns (bytes32) {
        return Blind.digest(blind, rollup);
    }

    function digestClosing(Blind.Closing calldata closing, address rollup) external view returns (bytes32) {
        return Blind.digest(closing, rollup);
    }

    function requireOpening(
        Blind.Receipt calldata blind,
        Blind.Terms calldata terms,
        Blind.Opening calldata opening,
        uint48[] calldata paid,
        address rollup
    ) external view {
        Blind.requireOpening(blind, terms, opening, paid, rollup);
    }

    function test_blind_receipts_and_closings_are_those_of_the_protocol() public {
        vm.chainId(31_337);
        address rollup = ReceiptVectors.ROLLUP;
        require(this.digestBlind(ReceiptVectors.blind(), rollup) == ReceiptVectors.BLIND_DIGEST, "blind");
        require(this.digestClosing(ReceiptVectors.closing(), rollup) == ReceiptVectors.CLOSING_DIGEST, "closing");
        this.requireOpening(
            ReceiptVectors.blind(), ReceiptVectors.terms(), ReceiptVectors.opening(), ReceiptVectors.paid(), rollup
        );
    }

    function test_a_proof_of_the_protocol_is_taken() public {
        uint256[16] memory inputs = ReceiptVectors.inputs();
        blocks.finalize(ReceiptVectors.BLOCK, inputs, EXITS);
        Inclusion.Batch[] memory batches = ReceiptVectors.batches();
        require(chain(batches) == inputs[3], "c_out");
        slashing.requireIncluded(
            ReceiptVectors.BLOCK,
            inputs,
            EXITS,
            batches,
            ReceiptVectors.BATCH,
            ReceiptVectors.POSITION,
            ReceiptVectors.LEAF,
            ReceiptVectors.siblings()
        );
    }
}
