// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IBlocks} from "../contracts/IBlocks.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {SlashingWorld} from "./SlashingWorld.sol";

contract InclusionTest is SlashingWorld {
    uint256[16] private inputs;
    Inclusion.Batch[] private batches;

    function setUp() public {
        world();
        (uint256[16] memory i, Inclusion.Batch[] memory b) = finalBlock(7);
        inputs = i;
        for (uint256 k = 0; k < b.length; ++k) {
            batches.push(b[k]);
        }
    }

    function check(uint256 batch, uint256 position, uint256 leaf, uint256[] memory path) internal view {
        slashing.requireIncluded(7, inputs, EXITS, batches, batch, position, leaf, path);
    }

    function refused(bytes memory why) internal {
        vm.expectRevert(why);
    }

    function test_every_operation_of_a_block_is_included() public view {
        for (uint256 b = 0; b < 3; ++b) {
            uint256[] memory leaves = leavesOf(b == 0 ? 5 : b == 1 ? 0 : 3, b + 1);
            for (uint256 i = 0; i < leaves.length; ++i) {
                check(b, i, leaves[i], pathTo(leaves, i));
            }
        }
    }

    function test_one_operation_alone_has_no_siblings() public {
        Inclusion.Batch[] memory one = new Inclusion.Batch[](1);
        uint256[] memory leaves = leavesOf(1, 9);
        one[0] = batchOf(leaves);
        uint256[16] memory said = inputsOf(chain(one), TIME);
        blocks.finalize(8, said, EXITS);
        slashing.requireIncluded(8, said, EXITS, one, 0, 0, leaves[0], new uint256[](0));
    }

    function test_a_block_that_is_not_final_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        refused(abi.encodeWithSelector(Inclusion.BlockNotFinal.selector, 8));
        slashing.requireIncluded(8, inputs, EXITS, batches, 0, 0, leaves[0], pathTo(leaves, 0));
    }

    function test_inputs_of_another_block_are_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[16] memory other = inputs;
        other[15] += 1;
        refused(abi.encodeWithSelector(Inclusion.NotItsInputs.selector, 7));
        slashing.requireIncluded(7, other, EXITS, batches, 0, 0, leaves[0], pathTo(leaves, 0));
    }

    function test_another_root_of_exits_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        refused(abi.encodeWithSelector(Inclusion.NotItsInputs.selector, 7));
        slashing.requireIncluded(7, inputs, "other", batches, 0, 0, leaves[0], pathTo(leaves, 0));
    }

    function test_another_leaf_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 2);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        check(0, 2, leaves[3], path);
    }

    function test_another_position_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 2);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        check(0, 1, leaves[2], path);
    }

    function test_a_position_that_is_not_there_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 4);
        refused(abi.encodeWithSelector(Inclusion.NoSuchPosition.selector, 5, 5));
        check(0, 5, leaves[4], path);
        refused(abi.encodeWithSelector(Inclusion.NoSuchPosition.selector, 0, 0));
        check(1, 0, leaves[4], path);
    }

    function test_a_batch_that_is_not_there_is_refused() public {
        uint256[] memory leaves = leavesOf(3, 3);
        uint256[] memory path = pathTo(leaves, 0);
        refused(abi.encodeWithSelector(Inclusion.NoSuchBatch.selector, 3, 3));
        check(3, 0, leaves[0], path);
    }

    function test_an_inner_node_is_no_leaf() public {
        // Node 2 of five leaves, with the path that leads from it to the root.
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = new uint256[](1);
        path[0] = node(leaves, 3);
        uint256 inner = node(leaves, 2);
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectPartialRevert(Inclusion.PathLength.selector);
            check(0, i, inner, path);
        }
    }

    function test_a_path_of_another_length_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 4);
        uint256[] memory longer = new uint256[](path.length + 1);
        uint256[] memory shorter = new uint256[](path.length - 1);
        refused(abi.encodeWithSelector(Inclusion.PathLength.selector, path.length, path.length - 1));
        check(0, 4, leaves[4], shorter);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        refused(abi.encodeWithSelector(Inclusion.PathLength.selector, path.length, path.length + 1));
        check(0, 4, leaves[4], longer);
    }

    /// Words that differ by the modulus are one to the hash, and would be two leaves of one place.
    function test_words_that_are_no_elements_are_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 0);
        refused(abi.encodeWithSelector(Inclusion.WordTooLarge.selector, leaves[0] + P));
        check(0, 0, leaves[0] + P, path);
        uint256 word = path[0] + P;
        (word, path[0]) = (path[0], word);
        refused(abi.encodeWithSelector(Inclusion.WordTooLarge.selector, path[0]));
        check(0, 0, leaves[0], path);
        path[0] = word;
        batches[0].root += P;
        refused(abi.encodeWithSelector(Inclusion.WordTooLarge.selector, batches[0].root));
        check(0, 0, leaves[0], path);
        batches[0].root -= P;
        // More operations than there are, under a word that is the same element.
        batches[0].counts += P;
        refused(abi.encodeWithSelector(Inclusion.WordTooLarge.selector, batches[0].counts));
        check(0, 0, leaves[0], path);
    }

    function test_another_number_of_operations_is_refused() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 4);
        batches[0].counts += 1 << 64;
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        check(0, 4, leaves[4], path);
    }

    function test_a_batch_that_is_left_out_is_missed() public {
        uint256[] memory leaves = leavesOf(3, 3);
        uint256[] memory path = pathTo(leaves, 0);
        Inclusion.Batch[] memory later = new Inclusion.Batch[](2);
        // The second and third batch, as if they were the first and second.
        (later[0], later[1]) = (batches[1], batches[2]);
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        slashing.requireIncluded(7, inputs, EXITS, later, 1, 0, leaves[0], path);
        // The first two, as if there were no third.
        (later[0], later[1]) = (batches[0], batches[1]);
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        slashing.requireIncluded(7, inputs, EXITS, later, 2, 0, leaves[0], path);
        // None at all.
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        slashing.requireIncluded(7, inputs, EXITS, new Inclusion.Batch[](0), 0, 0, leaves[0], path);
    }

    function test_the_order_of_batches_counts() public {
        uint256[] memory leaves = leavesOf(5, 1);
        uint256[] memory path = pathTo(leaves, 0);
        (Inclusion.Batch memory a, Inclusion.Batch memory c) = (batches[0], batches[2]);
        (batches[0], batches[2]) = (c, a);
        vm.expectPartialRevert(Inclusion.WrongBatches.selector);
        check(2, 0, leaves[0], path);
    }

    function test_it_needs_a_rollup() public {
        refused(abi.encodeWithSelector(Inclusion.NoRollup.selector, address(0x77)));
        new Inclusion(IBlocks(address(0x77)));
    }

    /// Every place of trees of any size, against the definition; and no other leaf there.
    function testFuzz_a_path_is_that_of_the_definition(uint256 seed, uint8 n_, uint8 position_, uint8 place_) public {
        uint256 n = 1 + n_ % 40;
        uint256[] memory leaves = leavesOf(n, seed);
        uint256 position = position_ % n;
        uint256 place = place_ % 3;
        Inclusion.Batch[] memory all = new Inclusion.Batch[](3);
        for (uint256 b = 0; b < 3; ++b) {
            all[b] = b == place ? batchOf(leaves) : batchOf(leavesOf((seed >> (8 * b)) % 3, b));
        }
        uint256[16] memory said = inputsOf(chain(all), TIME);
        blocks.finalize(9, said, EXITS);
        uint256[] memory path = pathTo(leaves, position);
        slashing.requireIncluded(9, said, EXITS, all, place, position, leaves[position], path);
        vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
        slashing.requireIncluded(9, said, EXITS, all, place, position, addmod(leaves[position], 1, P), path);
        if (path.length > 0) {
            path[seed % path.length] = addmod(path[seed % path.length], 1, P);
            vm.expectPartialRevert(Inclusion.WrongLeaf.selector);
            slashing.requireIncluded(9, said, EXITS, all, place, position, leaves[position], path);
        }
    }
}
