// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {BlindFaults} from "../contracts/BlindFaults.sol";
import {BlindWorld} from "./BlindWorld.sol";
import {ReceiptsGasWorld} from "./ReceiptsGasWorld.sol";

/// Gas of openings, and of reports about blind orders.
contract BlindGasTest is BlindWorld, ReceiptsGasWorld {
    function setUp() public {
        world();
    }

    function evidence() private view returns (BlindFaults.Shown memory) {
        return BlindFaults.Shown(inputs, EXITS, batches, leaf, path);
    }

    /// The receipt for the place of the large block.
    function placed() private view returns (Blind.Receipt memory b) {
        b = blind();
        (b.receipt.batch, b.receipt.position) = (1, PLACE);
    }

    function revealed() private view returns (bytes memory) {
        return abi.encodeCall(BlindFaults.reveal, (placed(), termsOf(openingOf()), openingOf(), paidOf()));
    }

    function test_gas_of_an_opening() public {
        send("blind order, opening", revealed());
    }

    function test_gas_of_an_opening_that_was_ignored() public {
        (bool ok,) = address(slashing).call(revealed());
        require(ok, "opening");
        largeBlock(FORFEIT);
        Blind.Receipt memory b = placed();
        announceEvidence(digestOf(b));
        bytes memory call =
            abi.encodeCall(BlindFaults.reportIgnored, (OWNER, sequencer, b, sealed_(b), evidence(), SALT));
        send("blind order, ignored", call);
        requireSlashed();
    }

    function test_gas_of_an_operation_behind_the_closing() public {
        largeBlock(FORFEIT);
        Blind.Closing memory c = closing();
        uint256[] memory words = new uint256[](1);
        words[0] = FORFEIT;
        announceEvidence(digestOf(c));
        bytes memory call = abi.encodeCall(
            BlindFaults.reportReopened, (OWNER, sequencer, c, sealed_(c), PLACE, words, evidence(), SALT)
        );
        send("closing, an operation behind it", call);
        requireSlashed();
    }

    function test_gas_of_two_closings() public {
        (Blind.Closing memory c, Blind.Closing memory d) = (closing(), closing());
        d.root = c.root ^ 1;
        announceEvidence(keccak256(abi.encode(digestOf(c), digestOf(d))));
        bytes memory call = abi.encodeCall(
            BlindFaults.reportTwoClosings, (OWNER, sequencer, c, sealed_(c), d, sealed_(d), SALT)
        );
        send("closing, two of one batch", call);
        requireSlashed();
    }
}
