// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Bonds} from "../contracts/Bonds.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {ReceiptsGasWorld} from "./ReceiptsGasWorld.sol";

/// Gas of reports about receipts.
contract ReceiptsGasTest is ReceiptsGasWorld {
    function setUp() public {
        world();
        largeBlock(leavesOf(1, 1)[0]);
    }

    function broken(Receipts.Receipt memory r, uint256 shownLeaf, uint256[] memory shownPath)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(
            ReceiptFaults.reportBroken,
            (OWNER, sequencer, signed(r), inputs, EXITS, batches, shownLeaf, shownPath, SALT)
        );
    }

    function test_gas_of_inclusion() public {
        bytes memory call =
            abi.encodeCall(Inclusion.requireIncluded, (7, inputs, EXITS, batches, 1, PLACE, leaf, path));
        send("inclusion of one of 2 x 2034 operations", call);
    }

    function test_gas_of_another_leaf() public {
        Receipts.Receipt memory r = receiptOf(7, 1, PLACE, leaf + 1);
        announce(r);
        send("receipt, another leaf", broken(r, leaf, path));
        requireSlashed();
    }

    function test_gas_of_a_place_that_is_not_there() public {
        Receipts.Receipt memory r = receiptOf(7, 2, 0, leaf);
        announce(r);
        send("receipt, no such place", broken(r, 0, new uint256[](0)));
        requireSlashed();
    }

    function test_gas_of_another_time() public {
        Receipts.Receipt memory r = receiptOf(7, 1, PLACE, leaf);
        r.time += 1;
        announce(r);
        bytes memory call = abi.encodeCall(
            ReceiptFaults.reportBroken,
            (OWNER, sequencer, signed(r), inputs, EXITS, new Inclusion.Batch[](0), 0, new uint256[](0), SALT)
        );
        send("receipt, another time", call);
        requireSlashed();
    }

    function test_gas_of_an_overtaken_block() public {
        Receipts.Receipt memory r = receiptOf(8, 1, PLACE, leaf);
        r.time -= 1;
        announce(r);
        bytes memory call =
            abi.encodeCall(ReceiptFaults.reportOvertaken, (OWNER, sequencer, signed(r), 7, inputs, EXITS, SALT));
        send("receipt, overtaken", call);
        requireSlashed();
    }

    function test_gas_of_two_receipts() public {
        (Receipts.Receipt memory one, Receipts.Receipt memory other) =
            (receiptOf(7, 1, PLACE, leaf), receiptOf(7, 1, PLACE, leaf + 1));
        announceTwo(one, other);
        bytes memory call =
            abi.encodeCall(ReceiptFaults.reportTwo, (OWNER, sequencer, signed(one), signed(other), SALT));
        send("receipt, two for one place", call);
        requireSlashed();
    }

    function test_gas_of_an_announcement() public {
        send("receipt, announce a report", abi.encodeCall(Bonds.announceReport, (keccak256("anything"))));
    }
}
