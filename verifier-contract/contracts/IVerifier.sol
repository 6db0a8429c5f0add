// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of block proofs
interface IVerifier {
    /// @notice Returns true for a valid proof and reverts with a named error otherwise.
    /// @param instances 12 accumulator limbs and the sixteen public inputs of the block.
    /// @param proof The proof, points and scalars as the transcript reads them.
    function verify(uint256[] calldata instances, bytes calldata proof) external view returns (bool);
}
