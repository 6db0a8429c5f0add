//! Solidity interfaces as Rust types.

#![allow(missing_docs, reason = "the macro's output mirrors the Solidity interface")]

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{sol, SolCall};

sol! {
    /// The generated verifier, see `generate/BastionVerifier.sol.tmpl`.
    #[derive(Debug, PartialEq, Eq)]
    interface IBastionVerifier {
        error InvalidInstanceCount(uint256 given, uint256 expected);
        error InvalidProofLength(uint256 given, uint256 expected);
        error InstanceOutOfRange(uint256 index);
        error ScalarOutOfRange(uint256 offset);
        error CoordinateOutOfRange(uint256 offset);
        error PointIsIdentity(uint256 offset);
        error PointNotOnCurve(uint256 offset);
        error AccumulatorLimbOutOfRange(uint256 index);
        error AccumulatorPointInvalid(uint256 index);
        error DegenerateChallenge();
        error PrecompileFailed(uint256 precompile);
        error PairingFailed();

        function VERIFYING_KEY_DIGEST() external view returns (uint256);
        function INSTANCE_COUNT() external view returns (uint256);
        function PROOF_LENGTH() external view returns (uint256);
        function verify(uint256[] calldata instances, bytes calldata proof) external view returns (bool);
    }
}

/// Calldata of `verify`. Instances are taken as they are, in range or not.
pub fn verify_calldata(instances: &[U256], proof: &[u8]) -> Bytes {
    let call = IBastionVerifier::verifyCall {
        instances: instances.to_vec(),
        proof: Bytes::copy_from_slice(proof),
    };
    call.abi_encode().into()
}
