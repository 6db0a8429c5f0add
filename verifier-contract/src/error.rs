//! Everything that can go wrong in this crate, with the values and the remedy.

use std::path::PathBuf;

/// Errors of the verifier generator, the compiler wrapper and the embedded EVM.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The protocol uses a feature that the Solidity verifier does not implement.
    #[error("unsupported protocol: {0}; compile it with Config::kzg() and no linearization")]
    UnsupportedProtocol(&'static str),
    /// The quotient's expression tree could not be read.
    #[error("cannot read the constraint expressions of the protocol: {0}")]
    Expression(#[from] serde_json::Error),
    /// A description, possibly read from a file, contradicts itself.
    #[error("invalid verifier description: {0}; write it again from the verifying key")]
    InvalidDescription(String),
    /// A point of the verifying key is the point at infinity, which has no affine coordinates.
    #[error("the verifying key's {name} {index} is the point at infinity")]
    PointAtInfinity {
        /// Which list holds the point.
        name: &'static str,
        /// Position in that list.
        index: usize,
    },
    /// The verifier would need more memory than its two-byte pointers reach.
    #[error("the verifier needs {bytes} bytes of memory, more than {limit}: aggregate into fewer columns or instances")]
    MemoryExceeded {
        /// Bytes needed.
        bytes: usize,
        /// Largest address, in bytes.
        limit: usize,
    },
    /// The npm compiler is not installed.
    #[error("solc was not found in {folder}: run `make setup` (npm ci in verifier-contract/), or set BASTION_SOLC_DIR to a folder with node_modules/solc")]
    SolcMissing {
        /// Where it was looked for.
        folder: String,
    },
    /// Another compiler would make other code than everybody else has.
    #[error("{} is solc {found}, this version compiles with {pinned}: run `make setup`, or set BASTION_SOLC_DIR to a folder with that version", folder.display())]
    SolcVersion {
        /// Its version.
        found: String,
        /// The version that is pinned.
        pinned: String,
        /// Its folder.
        folder: PathBuf,
    },
    /// The compiler process could not be run.
    #[error("cannot run the Solidity compiler through node: {0}; install node 18 or newer")]
    SolcProcess(#[source] std::io::Error),
    /// A temporary file for the compiler's input and output could not be written.
    #[error("cannot write a temporary file for the Solidity compiler: {0}; free some space there, or set TMPDIR to another folder")]
    TemporaryFile(#[from] std::io::Error),
    /// The compiler refused the sources.
    #[error("the Solidity compiler refused the sources:\n{0}")]
    Solidity(String),
    /// The compiler's answer was not of the documented form.
    #[error("the Solidity compiler's output has no {0}")]
    SolcOutput(&'static str),
    /// Runtime code beyond the limit of EIP-170.
    #[error("{name} has {size} bytes of runtime code, more than the {limit} of EIP-170: use fewer columns in the outermost circuit")]
    CodeTooLarge {
        /// Contract.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The embedded EVM refused a transaction before it ran.
    #[error("the embedded EVM refused the transaction: {0}")]
    Transaction(String),
    /// A contract's constructor failed.
    #[error("deployment failed after {gas_used} gas: {reason}")]
    Deployment {
        /// Why: revert data in hexadecimal, or the halt reason.
        reason: String,
        /// Gas spent.
        gas_used: u64,
    },
}

/// Result with [`ContractError`].
pub type Result<T> = std::result::Result<T, ContractError>;
