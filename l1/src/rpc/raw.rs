//! Transactions that were signed here: what preparing, sending and following them takes.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, Bytes, B256, U256};
use alloy::rpc::types::TransactionRequest;

use super::client::Client;
use super::forms::{BlockFees, FeeHistory, Mined, Quantity};
use super::RpcL1;
use crate::error::L1Error;
use crate::fault::SendFault;
use crate::types::{Call, Market, Receipt};

const RECEIPT: &str = "eth_getTransactionReceipt";
const HISTORY: &str = "eth_feeHistory";
/// Blocks whose tips are looked at.
const BLOCKS: u64 = 10;
/// The percentile of their tips.
const PERCENTILE: f64 = 20.0;

impl RpcL1 {
    /// Sends a signed transaction. That the node knows it already is no error.
    ///
    /// # Errors
    /// If the node refuses it ([`SendFault`] says why), or does not answer: then it may still have taken
    /// it.
    pub fn send_raw(&mut self, raw: &Bytes) -> Result<(), L1Error> {
        match self.client.ask::<B256>("eth_sendRawTransaction", (raw,)) {
            Ok(_) => Ok(()),
            Err(error) if SendFault::of_error(&error) == Some(SendFault::Known) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where a transaction is in the chain as it is now, if it is.
    ///
    /// # Errors
    /// If the node does not answer, or tells of another transaction.
    pub fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, L1Error> {
        let Some(mined) = self.client.ask::<Option<Mined>>(RECEIPT, (transaction,))? else {
            return Ok(None);
        };
        if mined.transaction_hash != transaction {
            let why = format!("a receipt of another transaction than {transaction}");
            return Err(self.client.malformed(RECEIPT, why, &format!("{mined:?}")));
        }
        Ok(Some(Receipt {
            transaction,
            block: mined.block_number.0,
            block_hash: mined.block_hash,
            succeeded: mined.status.0 == 1,
            gas_used: mined.gas_used.0,
            gas_price: wei(&self.client, RECEIPT, mined.effective_gas_price)?,
            blob_cost: match (mined.blob_gas_used, mined.blob_gas_price) {
                (Some(used), Some(price)) => used.0.saturating_mul(price.0),
                _ => U256::ZERO,
            },
        }))
    }

    /// Makes a call without effect on the latest state, as its sender.
    ///
    /// # Errors
    /// [`L1Error::Reverted`] with the contract's named error if it reverts.
    pub fn simulate(&mut self, call: &Call) -> Result<(), L1Error> {
        let call = (request(call), BlockNumberOrTag::Latest);
        self.client.ask::<Bytes>("eth_call", call).map(|_| ())
    }

    /// The gas that a call takes on the latest state.
    ///
    /// # Errors
    /// [`L1Error::Reverted`] if it reverts.
    pub fn estimate(&mut self, call: &Call) -> Result<u64, L1Error> {
        self.client.small("eth_estimateGas", (request(call),))
    }

    /// Transactions that an account had sent as of a block.
    ///
    /// # Errors
    /// If the node does not answer, or no longer has the state of the block.
    pub fn nonce_at(&mut self, account: Address, block: u64) -> Result<u64, L1Error> {
        let block = BlockNumberOrTag::Number(block);
        self.client.small("eth_getTransactionCount", (account, block))
    }

    /// What others pay.
    ///
    /// # Errors
    /// [`L1Error::NoBaseFee`] on a chain without EIP-1559, or if the node does not answer.
    pub fn market(&mut self) -> Result<Market, L1Error> {
        let asked = (U256::from(BLOCKS), BlockNumberOrTag::Latest, [PERCENTILE]);
        let history: FeeHistory = self.client.ask(HISTORY, asked)?;
        let base_fee = match history.base_fee_per_gas.last() {
            Some(fee) if !fee.0.is_zero() => wei(&self.client, HISTORY, *fee)?,
            // Zeros stand for blocks from before the fee, too.
            _ => self.base_fee()?,
        };
        let mut tips = Vec::new();
        for tip in history.reward.iter().flatten().filter_map(|tips| tips.first()) {
            tips.push(wei(&self.client, HISTORY, *tip)?);
        }
        // Empty blocks tell nothing.
        tips.retain(|tip| *tip > 0);
        tips.sort_unstable();
        let tip = tips.get(tips.len() / 2).copied().unwrap_or(0);
        // The last one is that of the next block, like the base fee.
        let blob_fee = match history.base_fee_per_blob_gas.last() {
            Some(fee) => wei(&self.client, HISTORY, *fee)?,
            None => 0,
        };
        Ok(Market { base_fee, tip, blob_fee })
    }

    fn base_fee(&self) -> Result<u128, L1Error> {
        const BLOCK: &str = "eth_getBlockByNumber";
        let latest = (BlockNumberOrTag::Latest, false);
        let block: Option<BlockFees> = self.client.ask(BLOCK, latest)?;
        let fee = block.and_then(|block| block.base_fee_per_gas);
        let fee = fee.ok_or_else(|| L1Error::NoBaseFee { host: self.client.host().into() })?;
        wei(&self.client, BLOCK, fee)
    }

    /// The chain id and the latest block's number as the node tells them now.
    pub(super) fn now_at(&self) -> Result<(u64, u64), L1Error> {
        let chain_id = self.client.small("eth_chainId", ())?;
        Ok((chain_id, self.client.small("eth_blockNumber", ())?))
    }
}

fn wei(client: &Client, method: &str, price: Quantity) -> Result<u128, L1Error> {
    u128::try_from(price.0).map_err(|_| {
        let why = "a price for gas of more than 128 bits".into();
        client.malformed(method, why, &price.0.to_string())
    })
}

fn request(call: &Call) -> TransactionRequest {
    let mut request = TransactionRequest::default().from(call.from).value(call.value);
    request.to = call.to.map(Into::into);
    // Nodes want to be told that a contract is created.
    if call.to.is_none() {
        request.to = Some(alloy::primitives::TxKind::Create);
    }
    request.input = call.input.clone().into();
    if !call.blobs.is_empty() {
        request.blob_versioned_hashes = Some(call.blobs.clone());
    }
    request.normalize_data();
    request
}
