// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Blind} from "../contracts/Blind.sol";
import {Inclusion} from "../contracts/Inclusion.sol";
import {Receipts} from "../contracts/Receipts.sol";

/// Known answers, generated from `bastion-protocol`; a test generates them again and compares.
library ReceiptVectors {
    uint64 internal constant BLOCK = 9;
    uint32 internal constant BATCH = 3;
    uint32 internal constant POSITION = 10;
    uint256 internal constant LEAF = 0x20fd8c7a36dbe7235ba4c3631491826d78fd2136b9c412cdec7fd7e53c0e53e8;
    /// Of the receipt below, on chain 31337, for the rollup at `ROLLUP`.
    bytes32 internal constant DIGEST = 0x658b96d2b6d35b810734521112ef41f4638f663c749a449ca5df5da19b92feff;
    address internal constant ROLLUP = 0x7777777777777777777777777777777777777777;

    function receipt() internal pure returns (Receipts.Receipt memory) {
        return Receipts.Receipt(3, BLOCK, BATCH, POSITION, 0xabababababababababababababababababababababababababababababababab, LEAF, 1800000000);
    }

    function inputs() internal pure returns (uint256[16] memory) {
        return [uint256(0x040089049f141c0f47641e3137bab1d9b5615d1cd652a2c5b1367f25aee47433), 0x29852d87fbf8a3c387b0694d7fe057ba05e31602398a5ab91da9d4786500bc76, 0x04e9eaea1edb33d33f9ea248147c8220d20ace7927adb6bfd5e68af03ab4dd89, 0x03f916f1c78990177654da12c0b2e428c9d2ef7278c63bcfa270bce42eefd174, 0x2a6efaa982a33b403889769cfed77307b33540a9f41f279a12c66b145cfbf21a, 0x07c614e83f1e106c04f332e9d5796b87fcc07334af1d5bb2f841a13a0f41022c, 0x0ed0fda2e149c08e7c9db545f1b2c1e109582bfa5667e523017b00e0489a46fe, 0x2568950130d91a561f1d724c9a77777f91ea66eb2369fd4cec8fa4a33b671217, 0x000000000000000000000000000000000000000000000000000000006b49d200, 0x03628dd795a2c1ad2bd1f4ce91689e24a811dece24086cc99de7bfdc066096d4, 0x1b466b31a049536b1afa3f91d6814ac9aeea8be44816817f9c7837ae294fcaa6, 0x0960972bcfa9d858be6a1cca2c850d2eb0e5df1ad309192beeb95f8be328945f, 0x071aea6838f7c676b4cb3f69d77cd784025afb2011d58c5961a1f15e72e58ba1, 0x1e7f0203c7f95a9cda642e3fc7cc3534c6f9223a5374303c7ba523ab60a02251, 0x07953030ee31e8624fa5380a6b41e761ee474c2436d4ca2d6ff3443f7d795dfc, 0x07fb4563b65efaa362aa600220b814d1c3e995d55297e68a0cb79f85bf030041];
    }

    function batches() internal pure returns (Inclusion.Batch[] memory b) {
        b = new Inclusion.Batch[](4);
        b[0] = Inclusion.Batch(0x20cc4878489917c47efde61fcc956d7fab03cd44ca35d6ce6cbbea2a709e16fd, 0x0000000000000000000000000000000000000000000000060000000300050001);
        b[1] = Inclusion.Batch(0, 0x0000000000000000000000000000000000000000000000000000000000000001);
        b[2] = Inclusion.Batch(0x09546fe32f579f77c33ffb629a91ed18c4594804519846d143d3c1ba79b04d55, 0x0000000000000000000000000000000000000000000000010000000000000001);
        b[3] = Inclusion.Batch(0x2fc2effe89af5edc332fc8694dce36ba079e07b04379e1ecb64b48bf4b21d6fd, 0x00000000000000000000000000000000000000000000000b00000005000a0001);
    }

    function siblings() internal pure returns (uint256[] memory s) {
        s = new uint256[](4);
        s[0] = 0x22aec7b723dc32ebf46ea0c283ed0acfcdc6e2c1fb25bddb9c5f3b120cc9f435;
        s[1] = 0x202474d13aee02cf4b314aa25dc7bcd93353442eaa1d3e93d3db3951130430cd;
        s[2] = 0x209962ae11d5a601940fea635921e98789102078c502e7844c3802a365a418da;
        s[3] = 0x142cca18f2cfd6b9b0f5954dfea50bed26fd122feaeef2f029c7c97e157e800c;
    }

    /// Of the blind receipt and of the closing below.
    bytes32 internal constant BLIND_DIGEST = 0x80b8546a99608c9202a9a8801595056ff1f983a419d337869ed57f734ce66275;
    bytes32 internal constant CLOSING_DIGEST = 0xf019b2951a5f6b85b47e1c38fc59e156457f7ac819d5921d7cd5f5b95050a79a;

    function blind() internal pure returns (Blind.Receipt memory) {
        return Blind.Receipt(Receipts.Receipt(3, BLOCK, BATCH, POSITION, 0x229bf4e904ba5f25d7d51fe88ac3529db424fe5dcf42af0b48703b30e2c3b254, 0x2cad4cbc1772af8f22e32cae9bbfb946d368359f4dfa8bc19794dfde57f1619c, 1800000000), 0x000000000000000000000000000000000018c000020000000200800000186a00);
    }

    function terms() internal pure returns (Blind.Terms memory) {
        return Blind.Terms(0x2a514dff76c2d171a9560fe7735be2ee0971cb91f3452499b923b1ced56a1e3d, 131072, 3, 9, 1500000000000000070, 0x3a9e28a8402b7d076118d5b7fdc0c57ff081fe0bd0f9fc6e2bfa184bdff0d7bc, 1800000600);
    }

    function opening() internal pure returns (Blind.Opening memory) {
        return Blind.Opening(131090, 1, 479999999976, 2240, 1901483573678543665116, 1800000005);
    }

    function paid() internal pure returns (uint48[] memory p) {
        p = new uint48[](2);
        p[0] = 8590458882;
        p[1] = 8591114241;
    }

    function closing() internal pure returns (Blind.Closing memory) {
        return Blind.Closing(3, BLOCK, BATCH, 2, 0x047d9aeb18cb7ebb7e0fc1a987bc9dc12a2fe5e772d6fa6d3eb1f75a53089d30, 1800000000);
    }
}
