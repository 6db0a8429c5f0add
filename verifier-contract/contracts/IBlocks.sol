// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts read of a rollup's blocks
/// @notice `Rollup` answers these calls. Contracts that judge blocks need nothing else of it.
interface IBlocks {
    /// @notice What a final block says.
    /// @param number Its number.
    /// @return record `keccak256(abi.encode(keccak256(abi.encode(inputs)), exitRoot))`, of its sixteen public inputs
    /// as `uint256[16]` and the root of its exits; 0 if the block is not final, or an alarm puts it in doubt.
    /// @return finalAt When it became final; 0 likewise.
    function blockInputs(uint256 number) external view returns (bytes32 record, uint64 finalAt);

    /// @notice One time that the rollup took blocks back.
    /// @param i How many times it had done so before.
    /// @return to The last block that stayed.
    /// @return when When, in seconds. It never falls with `i`.
    function reverts(uint256 i) external view returns (uint64 to, uint64 when);

    /// @notice How often the rollup has taken blocks back: the epoch of receipts (docs/protocol.md, section 13.3).
    function revertCount() external view returns (uint256);
}
