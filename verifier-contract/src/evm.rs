//! An embedded EVM: the L1 of tests and of the demo, without a node.

use crate::error::{ContractError, Result};
use crate::rollup::describe_revert;
use alloy_primitives::{Address, Bytes, Log, TxKind, B256, U256};
use revm::{
    context::{
        result::{ExecutionResult, HaltReason},
        BlockEnv, TxEnv,
    },
    context_interface::block::BlobExcessGasAndPrice,
    database::InMemoryDB,
    primitives::hardfork::SpecId,
    Context, Database, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext,
};

/// Type of a transaction that carries blobs (EIP-4844).
const BLOB_TRANSACTION: u8 = 3;
/// Gas limit of every transaction; far above what any of Bastion's contracts needs.
const GAS_LIMIT: u64 = 30_000_000;
/// The same where code is paid for by the byte of state (EIP-8037).
const GAS_LIMIT_AMSTERDAM: u64 = 300_000_000;
/// The most gas that L1 lets a transaction have, since EIP-7825. Under Amsterdam, gas for state is not counted.
pub const TRANSACTION_GAS_CAP: u64 = 1 << 24;

/// The rules of L1 by which gas is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// Those in force since December 2025: a byte of calldata costs at least 10 gas if it is 0, else 40 (EIP-7623).
    #[default]
    Osaka,
    /// What is planned next (EIP-7773), as revm has it: a byte of calldata costs at least 64 gas (EIP-7976), new state
    /// is paid for by the byte (EIP-8037), code may have 64 KiB (EIP-7954).
    Amsterdam,
}

impl Rules {
    fn spec(self) -> SpecId {
        match self {
            Self::Osaka => SpecId::OSAKA,
            Self::Amsterdam => SpecId::AMSTERDAM,
        }
    }

    fn gas_limit(self) -> u64 {
        match self {
            Self::Osaka => GAS_LIMIT,
            Self::Amsterdam => GAS_LIMIT_AMSTERDAM,
        }
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It returned.
    Success,
    /// It reverted; the output is the error's encoding.
    Revert,
    /// The machine stopped it: out of gas, invalid instruction and so on.
    Halt(String),
}

/// Outcome of a call.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// Whether it returned.
    pub status: Status,
    /// Return data or revert data.
    pub output: Bytes,
    /// Gas as a receipt shows it: with 21,000 for the transaction, its calldata, and less the
    /// refunds.
    pub gas_used: u64,
    /// Events, empty unless it succeeded.
    pub logs: Vec<Log>,
}

impl CallResult {
    /// Whether the call returned.
    pub fn is_success(&self) -> bool {
        self.status == Status::Success
    }
}

/// A chain in memory. Each call is a transaction of its own; fees are zero, and transactions do not advance the
/// block by themselves.
#[derive(Debug)]
pub struct Evm {
    database: InMemoryDB,
    block: BlockEnv,
    chain_id: u64,
    rules: Rules,
    code_size_limit: Option<usize>,
}

impl Default for Evm {
    fn default() -> Self {
        Self::new(31_337)
    }
}

impl Evm {
    /// An empty chain at block 1 with the given id, under the rules in force today.
    pub fn new(chain_id: u64) -> Self {
        Self::with_rules(chain_id, Rules::default())
    }

    /// An empty chain under some rules.
    pub fn with_rules(chain_id: u64, rules: Rules) -> Self {
        let block = BlockEnv {
            number: U256::from(1),
            timestamp: U256::from(1),
            gas_limit: rules.gas_limit(),
            // Gas has no price here, that of blobs neither.
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                excess_blob_gas: 0,
                blob_gasprice: 0,
            }),
            ..BlockEnv::default()
        };
        Self { database: InMemoryDB::default(), block, chain_id, rules, code_size_limit: None }
    }

    /// Lifts or lowers the limit on runtime code, in bytes: for measuring what no chain accepts.
    pub fn set_code_size_limit(&mut self, bytes: usize) {
        self.code_size_limit = Some(bytes);
    }

    /// Sets the number and the time, in seconds since 1970, of the block that follows.
    pub fn set_block(&mut self, number: u64, timestamp: u64) {
        self.block.number = U256::from(number);
        self.block.timestamp = U256::from(timestamp);
    }

    /// Advances the chain by one block and `seconds`.
    pub fn advance(&mut self, seconds: u64) {
        self.block.number += U256::from(1);
        self.block.timestamp += U256::from(seconds);
    }

    /// Time of the current block, in seconds since 1970.
    pub fn timestamp(&self) -> u64 {
        self.block.timestamp.saturating_to()
    }

    /// Sets an account's balance, in wei.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn set_balance(&mut self, account: Address, wei: U256) -> Result<()> {
        let mut info = self.database.basic(account).map_err(refused)?.unwrap_or_default();
        info.set_balance(wei);
        self.database.insert_account_info(account, info);
        Ok(())
    }

    /// An account's balance, in wei.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn balance(&mut self, account: Address) -> Result<U256> {
        Ok(self.load(account)?.info.balance)
    }

    /// Transactions that an account has sent.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn nonce(&mut self, account: Address) -> Result<u64> {
        Ok(self.load(account)?.info.nonce)
    }

    /// Sets how many transactions an account has sent: contracts that it creates get the addresses
    /// that they would have on a chain where it has.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn set_nonce(&mut self, account: Address, nonce: u64) -> Result<()> {
        let mut info = self.database.basic(account).map_err(refused)?.unwrap_or_default();
        info.nonce = nonce;
        self.database.insert_account_info(account, info);
        Ok(())
    }

    /// The runtime code at an address.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn code(&mut self, account: Address) -> Result<Bytes> {
        let info = self.database.basic(account).map_err(refused)?.unwrap_or_default();
        if let Some(code) = info.code {
            return Ok(code.original_bytes());
        }
        Ok(self.database.code_by_hash(info.code_hash).map_err(refused)?.original_bytes())
    }

    /// Deploys a contract from the zero address: `bytecode` is its creation code followed by the
    /// encoded constructor arguments.
    ///
    /// # Errors
    /// If the constructor reverts or the code is refused.
    pub fn deploy(&mut self, bytecode: Bytes) -> Result<Address> {
        Ok(self.deploy_from(Address::ZERO, bytecode)?.0)
    }

    /// As [`Self::deploy`], from a given sender; also returns the gas used and the constructor's
    /// events.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub fn deploy_from(
        &mut self,
        sender: Address,
        bytecode: Bytes,
    ) -> Result<(Address, u64, Vec<Log>)> {
        let result = self.transact(sender, TxKind::Create, U256::ZERO, bytecode, true)?;
        let gas_used = result.tx_gas_used();
        let created = result.created_address();
        match result {
            ExecutionResult::Success { logs, .. } => created
                .map(|address| (address, gas_used, logs))
                .ok_or_else(|| ContractError::Deployment { reason: "no address".into(), gas_used }),
            ExecutionResult::Revert { output, .. } => {
                Err(ContractError::Deployment { reason: describe_revert(&output), gas_used })
            }
            ExecutionResult::Halt { reason, .. } => {
                Err(ContractError::Deployment { reason: format!("{reason:?}"), gas_used })
            }
        }
    }

    /// Calls a contract from the zero address and keeps its effects.
    ///
    /// # Errors
    /// If the transaction is refused before it runs. A revert is no error but a [`Status`].
    pub fn call(&mut self, to: Address, calldata: Bytes) -> Result<CallResult> {
        self.send(Address::ZERO, to, U256::ZERO, calldata)
    }

    /// Sends a transaction with a value in wei and keeps its effects.
    ///
    /// # Errors
    /// As [`Self::call`]; also if the sender has not enough wei.
    pub fn send(
        &mut self,
        sender: Address,
        to: Address,
        wei: U256,
        calldata: Bytes,
    ) -> Result<CallResult> {
        self.transact(sender, TxKind::Call(to), wei, calldata, true).map(outcome)
    }

    /// Sends a transaction that carries blobs, and keeps its effects. The blobs themselves are not looked
    /// at, as everywhere in the machine: it knows their versioned hashes. Their gas costs nothing here.
    ///
    /// # Errors
    /// As [`Self::call`]; also if there is no blob, or a hash is of another version.
    pub fn send_blobs(
        &mut self,
        sender: Address,
        to: Address,
        calldata: Bytes,
        blobs: Vec<B256>,
    ) -> Result<CallResult> {
        let kind = TxKind::Call(to);
        let tx = TxEnv {
            tx_type: BLOB_TRANSACTION,
            gas_priority_fee: Some(0),
            blob_hashes: blobs,
            ..self.transaction(sender, kind, U256::ZERO, calldata)?
        };
        self.execute(tx, true).map(outcome)
    }

    /// Runs a call and drops its effects, as `eth_call` does.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn view(&mut self, sender: Address, to: Address, calldata: Bytes) -> Result<CallResult> {
        self.transact(sender, TxKind::Call(to), U256::ZERO, calldata, false).map(outcome)
    }

    fn transact(
        &mut self,
        caller: Address,
        kind: TxKind,
        value: U256,
        data: Bytes,
        commit: bool,
    ) -> Result<ExecutionResult<HaltReason>> {
        let tx = self.transaction(caller, kind, value, data)?;
        self.execute(tx, commit)
    }

    fn transaction(
        &mut self,
        caller: Address,
        kind: TxKind,
        value: U256,
        data: Bytes,
    ) -> Result<TxEnv> {
        let nonce = self.load(caller)?.info.nonce;
        Ok(TxEnv {
            caller,
            kind,
            value,
            data,
            nonce,
            gas_limit: self.rules.gas_limit(),
            chain_id: Some(self.chain_id),
            ..TxEnv::default()
        })
    }

    fn execute(&mut self, tx: TxEnv, commit: bool) -> Result<ExecutionResult<HaltReason>> {
        let mut evm = Context::mainnet()
            .with_db(&mut self.database)
            .with_block(self.block.clone())
            .modify_cfg_chained(|cfg| {
                cfg.set_spec_and_mainnet_gas_params(self.rules.spec());
                cfg.chain_id = self.chain_id;
                // The cap of EIP-7825 would stop measurements of oversized code.
                cfg.tx_gas_limit_cap = Some(self.rules.gas_limit());
                if let Some(limit) = self.code_size_limit {
                    cfg.limit_contract_code_size = Some(limit);
                    cfg.limit_contract_initcode_size = Some(2 * limit);
                }
            })
            .build_mainnet();
        let executed = evm.transact(tx).map_err(refused)?;
        if commit {
            self.database.commit(executed.state);
        }
        Ok(executed.result)
    }

    fn load(&mut self, account: Address) -> Result<&mut revm::database::DbAccount> {
        self.database.load_account(account).map_err(refused)
    }
}

fn refused(error: impl std::fmt::Display) -> ContractError {
    ContractError::Transaction(error.to_string())
}

fn outcome(result: ExecutionResult<HaltReason>) -> CallResult {
    let gas_used = result.tx_gas_used();
    match result {
        ExecutionResult::Success { logs, output, .. } => {
            CallResult { status: Status::Success, output: output.into_data(), gas_used, logs }
        }
        ExecutionResult::Revert { output, .. } => {
            CallResult { status: Status::Revert, output, gas_used, logs: Vec::new() }
        }
        ExecutionResult::Halt { reason, .. } => CallResult {
            status: Status::Halt(format!("{reason:?}")),
            output: Bytes::new(),
            gas_used,
            logs: Vec::new(),
        },
    }
}
