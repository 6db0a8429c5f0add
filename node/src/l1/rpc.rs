//! A node over JSON-RPC, with accounts that the node holds (anvil, hardhat).

use std::time::{Duration, Instant};

use alloy_primitives::{hex, Address, Bytes, LogData, B256, U256};
use bastion_contract::rollup::describe_revert;
use serde_json::{json, Value};

use crate::error::NodeError;
use crate::l1::{Transaction, L1};

/// How long a transaction may wait for its receipt.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(120);
/// Blocks in one request for logs; what public nodes commonly allow.
const LOG_RANGE: u64 = 10_000;

/// A node.
pub struct RpcL1 {
    url: String,
    chain_id: u64,
    /// Block from which on history is read.
    since: u64,
    agent: ureq::Agent,
}

impl RpcL1 {
    /// Connects to a node.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn connect(url: &str) -> Result<Self, NodeError> {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .build()
            .into();
        let mut l1 = Self {
            url: url.into(),
            chain_id: 0,
            since: 0,
            agent,
        };
        l1.chain_id = quantity(&l1.call("eth_chainId", json!([]))?)?.saturating_to();
        Ok(l1)
    }

    /// Reads history from a block on, such as that of the deployment, instead of from the first.
    #[must_use]
    pub fn since(self, block: u64) -> Self {
        Self {
            since: block,
            ..self
        }
    }

    /// The logs of a contract, in order, each with its transaction and block.
    fn logs(&self, contract: Address) -> Result<Vec<(Value, LogData)>, NodeError> {
        let last: u64 = quantity(&self.call("eth_blockNumber", json!([]))?)?.saturating_to();
        let mut logs = Vec::new();
        let mut from = self.since;
        while from <= last {
            let to = (from + LOG_RANGE - 1).min(last);
            let range = json!([{
                "address": contract,
                "fromBlock": format!("{from:#x}"),
                "toBlock": format!("{to:#x}"),
            }]);
            let mut found = self.call("eth_getLogs", range)?;
            for log in found.as_array_mut().map(std::mem::take).unwrap_or_default() {
                let topics = log["topics"].as_array().into_iter().flatten();
                let topics = topics.map(word).collect::<Result<Vec<_>, _>>()?;
                let data = bytes(&log["data"])?;
                logs.push((log, LogData::new_unchecked(topics, data)));
            }
            from = to + 1;
        }
        Ok(logs)
    }

    fn call(&self, method: &str, params: Value) -> Result<Value, NodeError> {
        let failed = |why: String| NodeError::L1(format!("{method} at {}: {why}", self.url));
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut response = self
            .agent
            .post(&self.url)
            .send_json(&request)
            .map_err(|e| failed(e.to_string()))?;
        let mut answer: Value = response
            .body_mut()
            .read_json()
            .map_err(|e| failed(e.to_string()))?;
        if let Some(error) = answer.get("error").filter(|e| !e.is_null()) {
            let data = error["data"].as_str().and_then(|d| hex::decode(d).ok());
            return Err(failed(match data {
                Some(data) if !data.is_empty() => format!("reverted: {}", describe_revert(&data)),
                _ => error["message"]
                    .as_str()
                    .unwrap_or("no message")
                    .to_string(),
            }));
        }
        Ok(answer["result"].take())
    }

    fn transact(&self, tx: Value) -> Result<Value, NodeError> {
        // The estimate names the reason of a revert, which a receipt does not.
        let gas = quantity(&self.call("eth_estimateGas", json!([tx]))?)?;
        let mut tx = tx;
        tx["gas"] = json!(format!("{:#x}", gas + gas / U256::from(5)));
        let hash = self.call("eth_sendTransaction", json!([tx]))?;
        let start = Instant::now();
        loop {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash]))?;
            if !receipt.is_null() {
                if receipt["status"] == json!("0x1") {
                    return Ok(receipt);
                }
                return Err(NodeError::L1(format!("transaction {hash} reverted")));
            }
            if start.elapsed() > RECEIPT_TIMEOUT {
                return Err(NodeError::L1(format!(
                    "transaction {hash} has no receipt yet"
                )));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Lets the node sign for an account it does not know, where it can.
    fn impersonate(&self, account: Address) {
        // A node that is no development node refuses, and the transaction says so.
        let _ = self.call("anvil_impersonateAccount", json!([account]));
    }
}

fn quantity(value: &Value) -> Result<U256, NodeError> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| NodeError::L1(format!("{value} is no quantity")))
}

fn word(value: &Value) -> Result<B256, NodeError> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| NodeError::L1(format!("{value} is no word")))
}

fn bytes(value: &Value) -> Result<Bytes, NodeError> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| NodeError::L1(format!("{value} is no byte string")))
}

impl L1 for RpcL1 {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn now(&mut self) -> Result<u64, NodeError> {
        let block = self.call("eth_getBlockByNumber", json!(["latest", false]))?;
        Ok(quantity(&block["timestamp"])?.saturating_to())
    }

    fn code(&mut self, account: Address) -> Result<Bytes, NodeError> {
        bytes(&self.call("eth_getCode", json!([account, "latest"]))?)
    }

    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), NodeError> {
        let receipt = self.transact(json!({ "from": from, "data": code }))?;
        let address = receipt["contractAddress"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| NodeError::L1("the receipt names no contract".into()))?;
        Ok((address, quantity(&receipt["gasUsed"])?.saturating_to()))
    }

    fn send(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<u64, NodeError> {
        self.impersonate(from);
        let value = format!("{wei:#x}");
        let tx = json!({ "from": from, "to": to, "value": value, "data": data });
        Ok(quantity(&self.transact(tx)?["gasUsed"])?.saturating_to())
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, NodeError> {
        bytes(&self.call("eth_call", json!([{ "to": to, "data": data }, "latest"]))?)
    }

    fn fund(&mut self, account: Address, wei: U256) -> Result<(), NodeError> {
        let balance = self.balance(account)?;
        // Room for gas.
        let needed = wei + U256::from(10).pow(U256::from(18));
        if balance < needed {
            self.call("anvil_setBalance", json!([account, format!("{needed:#x}")]))?;
        }
        Ok(())
    }

    fn balance(&mut self, account: Address) -> Result<U256, NodeError> {
        quantity(&self.call("eth_getBalance", json!([account, "latest"]))?)
    }

    fn advance(&mut self, seconds: u64) -> Result<(), NodeError> {
        self.call("evm_increaseTime", json!([format!("{seconds:#x}")]))?;
        self.call("evm_mine", json!([]))?;
        Ok(())
    }

    fn transactions(&mut self, contract: Address) -> Result<Vec<Transaction>, NodeError> {
        let mut found: Vec<Transaction> = Vec::new();
        let mut last = (Value::Null, Value::Null, 0);
        for (log, data) in self.logs(contract)? {
            if log["transactionHash"] == last.0 {
                if let Some(transaction) = found.last_mut() {
                    transaction.logs.push(data);
                    continue;
                }
            }
            let time = if log["blockNumber"] == last.1 {
                last.2
            } else {
                let block =
                    self.call("eth_getBlockByNumber", json!([log["blockNumber"], false]))?;
                quantity(&block["timestamp"])?.saturating_to()
            };
            let transaction =
                self.call("eth_getTransactionByHash", json!([log["transactionHash"]]))?;
            found.push(Transaction {
                to: transaction["to"]
                    .as_str()
                    .and_then(|text| text.parse().ok()),
                input: bytes(&transaction["input"])?,
                time,
                logs: vec![data],
            });
            last = (
                log["transactionHash"].clone(),
                log["blockNumber"].clone(),
                time,
            );
        }
        Ok(found)
    }
}
