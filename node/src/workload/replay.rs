//! Replays a CSV of transfers against a running node: deposits on a development L1, transfers over the API.
//!
//! The keys are derived from the addresses of the CSV, so everybody has them: this is for development
//! chains. The rollup must be fresh, because the accounts are expected where the deposits open them.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use bastion_client::check::{self, Rollup};
use bastion_client::types::{Answer, Hash};
use bastion_client::{Client, ClientError};
use bastion_l1::RpcL1;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_prover::progress::Progress;
use bastion_state::executor::{BatchBuilder, BatchContext};
use bastion_state::state::State;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::csv_import::{import_csv, CsvReport, CsvWorkload};
use crate::block::Source;
use crate::error::NodeError;
use crate::settle::RollupClient;

/// Operations that are sent in one request.
const AT_ONCE: usize = 100;
/// Time between two looks at the node.
const POLL: Duration = Duration::from_millis(500);
/// How long the operations are valid, in seconds.
const VALID: u64 = 86_400;

/// What became of a replay.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// What the import did to the rows.
    pub import: CsvReport,
    /// Transfers that have a receipt whose signature holds.
    pub receipts: usize,
    /// Block of the last one.
    pub last_block: u64,
    /// Seconds from the first transfer to the last receipt.
    pub seconds: f64,
}

/// A replay.
pub struct Replay<'a> {
    /// The node.
    pub client: &'a Client,
    /// A development L1.
    pub l1: &'a mut RpcL1,
    /// Who pays the deposits: not the operator's account, whose transactions the node manages.
    pub payer: Address,
    /// Told how far it is.
    pub progress: &'a Progress,
    /// Waits for the node's answers.
    pub runtime: &'a Runtime,
}

impl Replay<'_> {
    /// Replays a CSV, at most `limit` rows.
    ///
    /// # Errors
    /// Those of the import; if node or L1 do not answer, or the node rejects a transfer.
    pub fn run(&mut self, csv: &[u8], limit: Option<usize>) -> Result<Replayed, NodeError> {
        let rollup = self.runtime.block_on(self.client.rollup(None, None))?;
        let policy = self.runtime.block_on(self.client.policy())?;
        let now = self.runtime.block_on(self.client.status())?.time;
        let domain = domain(rollup.chain_id, rollup.contract);
        let (workload, import) = import_csv(csv, limit, true, domain, now + VALID)?;
        self.deposit(&workload, &rollup)?;
        let context = BatchContext { domain, time: now, policy };
        let signed = sign(workload, context)?;
        let start = std::time::Instant::now();
        let stage = self.progress.stage("replay", "transfers", signed.len() as u64);
        let (mut receipts, mut last_block) = (0, 0);
        for group in signed.chunks(AT_ONCE) {
            let answers = self.send(group)?;
            for (op, answer) in group.iter().zip(answers) {
                let receipt = match answer {
                    Answer::Receipt(receipt) => receipt,
                    Answer::Held(held) => {
                        return Err(NodeError::Replay {
                            why: ClientError::Held(Box::new(held)).to_string(),
                        })
                    }
                    Answer::Rejection(rejection) => {
                        return Err(NodeError::Replay { why: rejection.message })
                    }
                };
                let hash = Hash(operation_hash(&Op::Signed(*op)));
                check::receipt(&receipt, &rollup, hash).map_err(ClientError::from)?;
                receipts += 1;
                last_block = receipt.receipt.place.block;
                stage.advance();
            }
        }
        Ok(Replayed { import, receipts, last_block, seconds: start.elapsed().as_secs_f64() })
    }

    /// Makes the deposits, and waits until the node has taken them.
    fn deposit(&mut self, workload: &CsvWorkload, rollup: &Rollup) -> Result<(), NodeError> {
        let deposits = workload.deposits();
        let stage = self.progress.stage("deposit", "on L1", deposits.len() as u64);
        let contract = Address::from(rollup.contract.0);
        let mut contract =
            RollupClient::of(contract, Address::ZERO, Default::default(), self.payer);
        contract.find_tokens(self.l1)?;
        let held = self.queue_length(&contract)?;
        // After an interruption it goes on.
        for deposit in deposits.iter().skip(held) {
            contract.enqueue(self.l1, &Op::Deposit(*deposit))?;
            stage.advance();
        }
        loop {
            let status = self.runtime.block_on(self.client.status())?;
            if status.queue.taken >= deposits.len() as u64 {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
    }

    fn queue_length(&mut self, contract: &RollupClient) -> Result<usize, NodeError> {
        let call = bastion_contract::rollup::IRollup::queueLengthCall {};
        let length: U256 = contract.view(self.l1, &call)?;
        Ok(length.saturating_to())
    }

    /// Sends a group, again and again while the node is away: what it has accepted gets the same receipt.
    fn send(&self, group: &[SignedOp]) -> Result<Vec<Answer>, NodeError> {
        let mut failures = 0;
        loop {
            match self.runtime.block_on(self.client.submit(group)) {
                Ok(answers) => return Ok(answers),
                Err(error) if failures < PATIENCE => {
                    failures += 1;
                    tracing::debug!(%error, "sent again");
                    std::thread::sleep(POLL);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until a block is final; `limit` is the longest time.
    ///
    /// # Errors
    /// [`NodeError::Replay`] if it takes longer.
    pub fn wait_until_final(&self, block: u64, limit: Duration) -> Result<(), NodeError> {
        let start = std::time::Instant::now();
        let stage = self.progress.stage("finalize", format!("block {block}"), block);
        let mut seen = 0;
        while start.elapsed() < limit {
            if let Ok(status) = self.runtime.block_on(self.client.status()) {
                while seen < status.blocks.finalized.min(block) {
                    seen += 1;
                    stage.advance();
                }
                if status.blocks.finalized >= block {
                    return Ok(());
                }
            }
            std::thread::sleep(POLL);
        }
        let why = format!("block {block} was not final after {} seconds", limit.as_secs());
        Err(NodeError::Replay { why })
    }
}

/// How often a group is sent before the node is given up.
const PATIENCE: u32 = 600;

/// The transfers of a workload, as their senders sign them.
fn sign(mut workload: CsvWorkload, context: BatchContext) -> Result<Vec<SignedOp>, NodeError> {
    let mut state = State::new();
    let mut batch = BatchBuilder::new(&mut state, context).map_err(NodeError::Rejected)?;
    let mut signed = Vec::new();
    while let Some((place, op)) = workload.next(batch.state())? {
        batch
            .push(&op, |_| true)
            .map_err(|e| NodeError::Replay { why: format!("{place}: {e}") })?;
        if let Op::Signed(op) = op {
            signed.push(op);
        }
    }
    Ok(signed)
}
