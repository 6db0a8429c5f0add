//! A generated verifier with its bytecode.

use crate::{
    error::{ContractError, Result},
    generate::{generate_solidity, CONTRACT_NAME},
    protocol::PackedDescription,
    solc::{self, Optimization},
};
use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};

/// Largest runtime code in bytes that a chain accepts (EIP-170).
pub const CODE_SIZE_LIMIT: usize = 24_576;

/// A verifier contract as `bastion setup` stores it beside the verifying key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierArtifact {
    /// Source text.
    pub solidity: String,
    /// Code that deploys the contract; it takes no constructor arguments.
    pub bytecode: Bytes,
    /// Code that lies on the chain afterwards.
    pub deployed_bytecode: Bytes,
    /// Length of `deployed_bytecode` in bytes, at most [`CODE_SIZE_LIMIT`].
    pub code_size: usize,
    /// Version of the compiler that made it.
    pub solc_version: String,
}

impl VerifierArtifact {
    /// Generates and compiles the verifier.
    ///
    /// # Errors
    /// As [`generate_solidity`] and [`solc::compile`]; also if the code is larger than a chain
    /// accepts.
    pub fn build(description: &PackedDescription) -> Result<Self> {
        let solidity = generate_solidity(description)?;
        let file = format!("{CONTRACT_NAME}.sol");
        // Gas counts more than size here: proofs are verified often, the contract is deployed once.
        // But it must fit at all.
        let compile = |level| -> Result<_> {
            let sources = [(file.as_str(), solidity.as_str())];
            solc::compile_with(&sources, level)?
                .into_iter()
                .find(|contract| contract.name == CONTRACT_NAME)
                .ok_or(ContractError::SolcOutput(CONTRACT_NAME))
        };
        let mut contract = compile(Optimization::Runs(1_000_000))?;
        if contract.deployed_bytecode.len() > CODE_SIZE_LIMIT {
            contract = compile(Optimization::Runs(1))?;
        }
        let code_size = contract.deployed_bytecode.len();
        if code_size > CODE_SIZE_LIMIT {
            return Err(ContractError::CodeTooLarge {
                name: contract.name,
                size: code_size,
                limit: CODE_SIZE_LIMIT,
            });
        }
        Ok(Self {
            solidity,
            bytecode: contract.bytecode,
            deployed_bytecode: contract.deployed_bytecode,
            code_size,
            solc_version: solc::version()?,
        })
    }
}
