// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Inclusion} from "../contracts/Inclusion.sol";
import {Poseidon2} from "../contracts/Poseidon2.sol";
import {GasVm, transactionGas} from "./Gas.t.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

/// Measures gas of reports, as that of other transactions: about a block of two batches with 2,034 operations each,
/// which is what the `standard` shape takes.
abstract contract ReceiptsGasWorld is SlashingWorld {
    GasVm private constant gas = GasVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant OPERATIONS = 2_034;
    uint32 internal constant PLACE = 1_000;

    uint256 internal leaf;
    uint256[] internal path;
    uint256[16] internal inputs;
    Inclusion.Batch[] internal batches;

    /// The block has a leaf at position 1,000 of its second batch.
    function largeBlock(uint256 leaf_) internal {
        // Two trees of which nothing but one path matters.
        bytes memory table = Poseidon2.constants();
        leaf = leaf_;
        uint256 at = leaf;
        for (uint256 h = OPERATIONS + PLACE; h > 1; h /= 2) {
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
        gas.snapshotValue("Gas", name, transactionGas(used, input));
    }
}
