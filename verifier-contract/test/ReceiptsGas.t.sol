// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ReceiptFaults} from "../contracts/ReceiptFaults.sol";
import {Bonds} from "../contracts/Bonds.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {Receipts} from "../contracts/Receipts.sol";
import {Slashing} from "../contracts/Slashing.sol";
import {GasVm} from "./Gas.t.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// Gas of reports, as that of other transactions: about a block of two batches with 2,034 operations each, which is
/// what the `standard` shape takes.
contract ReceiptsGasTest is SlashingWorld {
    GasVm private constant gas = GasVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant OPERATIONS = 2_034;
    uint32 private constant POSITION = 1_000;

    uint256 private leaf;
    uint256[] private path;
    uint256[16] private inputs;
    Inclusion.Batch[] private batches;

    function setUp() public {
        world();
        // Two trees of which nothing but one path matters.
        bytes memory table = Poseidon2.constants();
        leaf = leavesOf(1, 1)[0];
        uint256 at = leaf;
        for (uint256 h = OPERATIONS + POSITION; h > 1; h /= 2) {
            uint256 sibling = leavesOf(1, h)[0];
            path.push(sibling);
            at = h % 2 == 0 ? Poseidon2.compress(table, at, sibling) : Poseidon2.compress(table, sibling, at);
        }
        Inclusion.Batch[] memory all = new Inclusion.Batch[](2);
        for (uint256 i = 0; i < 2; ++i) {
            all[i] = Inclusion.Batch(at, (OPERATIONS << 64) + (OPERATIONS << 16));
            batches.push(all[i]);
        }
        uint256[16] memory all_ = inputsOf(chain(all), TIME);
        // As large as they are.
        for (uint256 i = 0; i < 16; ++i) {
            inputs[i] = i == 3 || i == 8 ? all_[i] : leavesOf(1, 77 + i)[0];
        }
        blocks.finalize(7, inputs, EXITS);
    }

    function send(string memory name, bytes memory input) internal {
        gas.cool(address(slashing));
        gas.cool(address(blocks));
        gas.cool(slashing.BURNED());
        vm.prank(REPORTER);
        (bool ok,) = address(slashing).call(input);
        GasVm.Gas memory used = gas.lastCallGas();
        require(ok, name);
        uint256 tokens = 0;
        for (uint256 i = 0; i < input.length; ++i) {
            tokens += input[i] == 0 ? 1 : 4;
        }
        uint256 refund = used.gasRefunded > 0 ? uint64(used.gasRefunded) : 0;
        uint256 total = 21_000 + 4 * tokens + used.gasTotalUsed;
        total -= refund < total / 5 ? refund : total / 5;
        uint256 floor = 21_000 + 10 * tokens;
        gas.snapshotValue("Gas", name, total > floor ? total : floor);
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
            abi.encodeCall(Inclusion.requireIncluded, (7, inputs, EXITS, batches, 1, POSITION, leaf, path));
        send("inclusion of one of 2 x 2034 operations", call);
    }

    function test_gas_of_another_leaf() public {
        Receipts.Receipt memory r = receiptOf(7, 1, POSITION, leaf + 1);
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
        Receipts.Receipt memory r = receiptOf(7, 1, POSITION, leaf);
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
        Receipts.Receipt memory r = receiptOf(8, 1, POSITION, leaf);
        r.time -= 1;
        announce(r);
        bytes memory call =
            abi.encodeCall(ReceiptFaults.reportOvertaken, (OWNER, sequencer, signed(r), 7, inputs, EXITS, SALT));
        send("receipt, overtaken", call);
        requireSlashed();
    }

    function test_gas_of_two_receipts() public {
        (Receipts.Receipt memory one, Receipts.Receipt memory other) =
            (receiptOf(7, 1, POSITION, leaf), receiptOf(7, 1, POSITION, leaf + 1));
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
