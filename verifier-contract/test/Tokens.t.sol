// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Queue} from "../contracts/Queue.sol";
import {Rollup} from "../contracts/Rollup.sol";
import {TestToken} from "../contracts/TestToken.sol";
import {Vault} from "../contracts/Vault.sol";
import {Fixture} from "./Support.sol";

/// Keeps one percent of each transfer.
contract FeeToken is TestToken("Fee") {
    function _update(address from, address to, uint256 amount) internal override {
        if (from == address(0)) return super._update(from, to, amount);
        super._update(from, to, amount - amount / 100);
        super._update(from, address(1), amount / 100);
    }
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

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
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

/// Shows less after a transfer than before.
contract ShrinkingToken {
    uint256 private shown = 100;

    function balanceOf(address) external view returns (uint256) {
        return shown;
    }

    function transferFrom(address, address, uint256) external returns (bool) {
        shown = 1;
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

contract TokensTest is Fixture {
    function setUp() public {
        deploy(GENESIS, POLICY);
    }

    function register(address token) internal returns (uint16) {
        return rollup.registerToken(token);
    }

    function test_registration() public {
        TestToken token = new TestToken("T");
        require(register(address(token)) == 1 && rollup.tokens(1) == address(token), "number");
        vm.expectRevert(abi.encodeWithSelector(Vault.AlreadyRegistered.selector, address(token)));
        rollup.registerToken(address(token));
        vm.expectRevert(abi.encodeWithSelector(Vault.NotAContract.selector, address(77)));
        rollup.registerToken(address(77));
    }

    function test_a_token_that_keeps_a_fee_is_refused() public {
        FeeToken token = new FeeToken();
        uint16 id = register(address(token));
        token.mint(address(this), 1_000);
        token.approve(address(rollup), 1_000);
        vm.expectRevert(abi.encodeWithSelector(Vault.WrongArrival.selector, 1_000, 990));
        rollup.deposit(id, 1_000, 1, address(9));
        require(rollup.held(id) == 0 && rollup.queueLength() == 0, "books");
    }

    function test_a_token_without_return_values_comes_and_goes() public {
        SilentToken token = new SilentToken();
        uint16 id = register(address(token));
        token.mint(address(this), 10);
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.held(id) == 10 && rollup.queueLength() == 1, "held");
        skip(7 days + 1);
        rollup.beginExodus();
        rollup.refund(1, id, 10, 1, address(9));
        require(token.balanceOf(address(9)) == 10 && rollup.held(id) == 0, "back");
    }

    function test_a_token_that_says_false_is_refused() public {
        uint16 id = register(address(new FalseToken()));
        vm.expectRevert();
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.queueLength() == 0, "queued");
    }

    function test_tokens_that_lie_about_balances_are_refused() public {
        uint16 id = register(address(new LyingToken()));
        vm.expectRevert(abi.encodeWithSelector(Vault.WrongArrival.selector, 10, 0));
        rollup.deposit(id, 10, 1, address(9));
        id = register(address(new ShrinkingToken()));
        uint256 wrapped;
        unchecked {
            wrapped = uint256(1) - 100;
        }
        vm.expectRevert(abi.encodeWithSelector(Vault.WrongArrival.selector, 10, wrapped));
        rollup.deposit(id, 10, 1, address(9));
    }

    function test_a_token_cannot_deposit_inside_a_deposit() public {
        ReenteringToken token = new ReenteringToken();
        uint16 id = register(address(token));
        token.arm(rollup, id);
        token.mint(address(this), 10);
        vm.expectRevert();
        rollup.deposit(id, 10, 1, address(9));
        require(rollup.held(id) == 0 && rollup.queueLength() == 0, "books");
    }

    function test_a_token_never_passes_128_bits() public {
        TestToken token = new TestToken("Large");
        uint16 id = register(address(token));
        token.mint(address(this), 1 << 130);
        token.approve(address(rollup), 1 << 130);
        rollup.deposit(id, type(uint128).max, 1, address(9));
        vm.expectRevert(abi.encodeWithSelector(Vault.AmountTooLarge.selector, type(uint128).max, 1));
        rollup.deposit(id, 1, 1, address(9));
    }
}
