// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Rollup} from "../contracts/Rollup.sol";
import {IVerifier} from "../contracts/IVerifier.sol";
import {Queue} from "../contracts/Queue.sol";

interface Cheats {
    function expectRevert() external;
}

/// Balances without any of ERC-20's return values, as some old tokens are.
contract SilentToken {
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Says false, moves nothing.
contract FalseToken {
    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}

/// Says true, moves nothing.
contract LyingToken {
    function balanceOf(address) external pure returns (uint256) {
        return 5;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return true;
    }
}

/// Deposits again from inside a deposit, so that one arrival would count twice.
contract ReenteringToken {
    mapping(address => uint256) public balanceOf;
    Rollup rollup;
    uint16 id;
    bool inside;

    function arm(Rollup r, uint16 i) external {
        (rollup, id) = (r, i);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        if (!inside) {
            inside = true;
            balanceOf[address(this)] += amount;
            rollup.deposit(id, amount, 1, address(9));
        }
        return true;
    }
}

contract AnyVerifier is IVerifier {
    function verify(uint256[] calldata, bytes calldata) external pure returns (bool) {
        return true;
    }
}

contract TokensTest {
    Cheats constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
    Rollup rollup;

    function setUp() public {
        rollup = new Rollup(11, 22, new AnyVerifier(), address(this));
    }

    function test_a_token_without_return_values_is_credited() public {
        SilentToken token = new SilentToken();
        uint16 id = rollup.registerToken(address(token));
        token.mint(address(this), 10);
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.held(id) == 10 && rollup.queueLength() == 1, "held");
    }

    function test_a_token_that_says_false_is_refused() public {
        uint16 id = rollup.registerToken(address(new FalseToken()));
        vm.expectRevert();
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.queueLength() == 0, "queued");
    }

    function test_a_token_that_lies_credits_nothing() public {
        uint16 id = rollup.registerToken(address(new LyingToken()));
        try rollup.deposit(id, 10, 1, address(9)) {
            revert("credited");
        } catch (bytes memory error) {
            require(bytes4(error) == Queue.ZeroAmount.selector, "error");
        }
    }

    function test_a_token_cannot_deposit_inside_a_deposit() public {
        ReenteringToken token = new ReenteringToken();
        uint16 id = rollup.registerToken(address(token));
        token.arm(rollup, id);
        token.mint(address(this), 10);
        vm.expectRevert();
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.held(id) == 0 && rollup.queueLength() == 0, "books");
    }
}
