//! A client of a node's API over HTTP.
//!
//! | module | content |
//! |---|---|
//! | `transport` | one request: TLS, limits, retries |
//! | `events` | the stream of events |
//! | `wait` | waiting for an operation |

pub mod admin;
mod events;
mod transport;
pub mod wait;

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::watcher::SignedCall;
use bastion_protocol::{Address, Fr, Index, Policy, Token};

use crate::check::{self, Rollup};
use crate::error::{ClientError, Distrust};
use crate::receipt::SignedReceipt;
use crate::types::rewards::{Rewards, Watcher, WatcherAnswer, WatcherRequest, Watchers};
use crate::types::{
    AccountProof, Accounts, Answer, Answers, Batch, Batches, Block, Blocks, Bytes, Element,
    FeeEstimate, Findings, Hash, Health, Held, Inclusion, Job, JobState, Jobs, Operation,
    Operations, SentinelStatus, Status, Submission, Version,
};
pub use admin::Admin;
pub use events::Events;
pub use transport::Options;
use transport::Transport;

/// A block as a user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockName {
    /// By its number.
    Number(u64),
    /// By its hash.
    Hash(Hash),
    /// The newest, which may be open.
    Latest,
    /// The last one that is final on L1.
    Finalized,
}

impl std::fmt::Display for BlockName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Hash(hash) => hash.fmt(f),
            Self::Latest => f.write_str("latest"),
            Self::Finalized => f.write_str("finalized"),
        }
    }
}

/// A client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client of the node at a URL.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Self::with(url, Options::default())
    }

    /// A client with options.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn with(url: &str, options: Options) -> Result<Self, ClientError> {
        Ok(Self { transport: Transport::new(url, options)? })
    }

    /// Sends operations, and gives the answer to each. It is repeated if an answer is lost: what was
    /// accepted gets the same receipt again.
    ///
    /// # Errors
    /// [`ClientError`]; a rejected operation is an answer.
    pub async fn submit(&self, operations: &[SignedOp]) -> Result<Vec<Answer>, ClientError> {
        let bytes = operations.iter().map(|op| Bytes(Op::Signed(*op).to_bytes()).to_string());
        let submission = Submission { operations: bytes.collect() };
        let Answers { answers } =
            self.transport.post_repeatable("/v1/operations", &submission).await?;
        if answers.len() != operations.len() {
            let why = format!("{} answers to {} operations", answers.len(), operations.len());
            return Err(self.transport.malformed("POST /v1/operations", why));
        }
        Ok(answers)
    }

    /// Sends one operation, and checks that the receipt is the sequencer's and of this operation.
    ///
    /// # Errors
    /// [`ClientError::Rejected`], [`ClientError::Distrust`], and those of [`Client::submit`].
    pub async fn submit_checked(
        &self,
        operation: &SignedOp,
        rollup: &Rollup,
    ) -> Result<SignedReceipt, ClientError> {
        let hash = bastion_protocol::receipt::operation_hash(&Op::Signed(*operation));
        let mut answers = self.submit(std::slice::from_ref(operation)).await?;
        match answers.pop() {
            Some(Answer::Receipt(signed)) => {
                check::receipt(&signed, rollup, Hash(hash))?;
                Ok(signed)
            }
            Some(Answer::Held(held)) => Err(ClientError::Held(Box::new(held))),
            Some(Answer::Rejection(rejection)) => Err(ClientError::Rejected(rejection)),
            None => Err(self.transport.malformed("POST /v1/operations", "no answer".into())),
        }
    }

    /// An accepted operation.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operation(&self, hash: Hash) -> Result<Operation, ClientError> {
        self.transport.get(&format!("/v1/operations/{hash}")).await
    }

    /// The receipt of an operation.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn receipt(&self, hash: Hash) -> Result<SignedReceipt, ClientError> {
        self.transport.get(&format!("/v1/operations/{hash}/receipt")).await
    }

    /// Where an operation stands in the data of its block ([`check::inclusion`]).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn inclusion(&self, hash: Hash) -> Result<Inclusion, ClientError> {
        self.transport.get(&format!("/v1/operations/{hash}/inclusion")).await
    }

    /// An operation that is held back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn held(&self, hash: Hash) -> Result<Held, ClientError> {
        self.transport.get(&format!("/v1/sentinel/held/{hash}")).await
    }

    /// How the sentinel stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sentinel(&self) -> Result<SentinelStatus, ClientError> {
        self.transport.get("/v1/sentinel").await
    }

    /// Entries of the log of findings from a number on, at most 100.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn findings(&self, from: u64) -> Result<Findings, ClientError> {
        self.transport.get(&format!("/v1/sentinel/findings?from={from}&limit=100")).await
    }

    /// How rewards for watchers stand.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rewards(&self) -> Result<Rewards, ClientError> {
        self.transport.get("/v1/sentinel/rewards").await
    }

    /// Watchers from an account on, at most 100.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn watchers(&self, from: Index) -> Result<Vec<Watcher>, ClientError> {
        let path = format!("/v1/sentinel/rewards/watchers?from={from}&limit=100");
        let Watchers { watchers } = self.transport.get(&path).await?;
        Ok(watchers)
    }

    /// A watcher.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn watcher(&self, account: Index) -> Result<Watcher, ClientError> {
        self.transport.get(&format!("/v1/sentinel/rewards/watchers/{account}")).await
    }

    /// Sends a watcher's call. It is taken once: if an answer is lost, [`Client::watcher`] says whether it was.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn watch(&self, call: SignedCall) -> Result<WatcherAnswer, ClientError> {
        self.transport.post("/v1/sentinel/rewards/calls", &WatcherRequest::from(call)).await
    }

    /// A batch, by its number since genesis.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn batch(&self, number: u64) -> Result<Batch, ClientError> {
        self.transport.get(&format!("/v1/batches/{number}")).await
    }

    /// Blocks before a number, newest first; at most 100.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn blocks(
        &self,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<Block>, ClientError> {
        let query = query(&[("before", shown(before)), ("limit", shown(limit))]);
        let Blocks { blocks } = self.transport.get(&format!("/v1/blocks{query}")).await?;
        Ok(blocks)
    }

    /// A block.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn block(&self, name: BlockName) -> Result<Block, ClientError> {
        self.transport.get(&format!("/v1/blocks/{name}")).await
    }

    /// The batches of a block.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn batches_of(&self, block: u64) -> Result<Vec<Batch>, ClientError> {
        let Batches { batches } =
            self.transport.get(&format!("/v1/blocks/{block}/batches")).await?;
        Ok(batches)
    }

    /// An account with its proof, which is not checked yet ([`check::account`]).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn account(&self, index: Index) -> Result<AccountProof, ClientError> {
        let proof: AccountProof = self.transport.get(&format!("/v1/accounts/{index}")).await?;
        if proof.index != index {
            let why = format!("account {} was not asked for", proof.index);
            return Err(self.transport.malformed("GET /v1/accounts", why));
        }
        Ok(proof)
    }

    /// The accounts of an owner with their proofs; at most 100.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn accounts_of(&self, owner: Fr) -> Result<Vec<AccountProof>, ClientError> {
        let path = format!("/v1/accounts?owner={}", Element(owner));
        let Accounts { accounts } = self.transport.get(&path).await?;
        Ok(accounts)
    }

    /// Operations before an entry that touched an account, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operations_of(
        &self,
        index: Index,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Vec<Operation>, ClientError> {
        let query = query(&[("before", shown(before)), ("limit", shown(limit))]);
        let path = format!("/v1/accounts/{index}/operations{query}");
        let Operations { operations } = self.transport.get(&path).await?;
        Ok(operations)
    }

    /// A fee in a token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn fees(&self, token: Token) -> Result<FeeEstimate, ClientError> {
        self.transport.get(&format!("/v1/fees?token={token}")).await
    }

    /// The policy in force.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn policy(&self) -> Result<Policy, ClientError> {
        self.transport.get("/v1/policy").await
    }

    /// What the node is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn version(&self) -> Result<Version, ClientError> {
        self.transport.get("/v1/version").await
    }

    /// The rollup that the node serves, by its own word. Pass what is known from elsewhere: it must be
    /// the same.
    ///
    /// # Errors
    /// [`Distrust::OtherRollup`], and those of [`Client::version`].
    pub async fn rollup(
        &self,
        contract: Option<Address>,
        sequencer: Option<Address>,
    ) -> Result<Rollup, ClientError> {
        let version = self.version().await?;
        let known = [
            ("the contract", contract, version.contract),
            ("the sequencer", sequencer, version.sequencer),
        ];
        for (what, expected, found) in known {
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                let (found, expected) = (found.to_string(), expected.to_string());
                return Err(Distrust::OtherRollup { what, found, expected }.into());
            }
        }
        let Version { chain_id, contract, sequencer, .. } = version;
        Ok(Rollup { chain_id, contract, sequencer })
    }

    /// What the node is doing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.transport.get("/v1/status").await
    }

    /// Proving jobs, all or those in one state.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn jobs(&self, state: Option<JobState>) -> Result<Vec<Job>, ClientError> {
        let query = query(&[("state", state.map(|state| state.word().to_owned()))]);
        let Jobs { jobs } = self.transport.get(&format!("/v1/jobs{query}")).await?;
        Ok(jobs)
    }

    /// Whether the node is ready for operations.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with what is not ready.
    pub async fn ready(&self) -> Result<Health, ClientError> {
        self.transport.once("/readyz").await
    }

    /// What happens from now on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self) -> Result<Events, ClientError> {
        Events::open(&self.transport).await
    }
}

fn shown(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// A query of those parameters that have values, which are plain words.
fn query(parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let pairs: Vec<String> = given.map(|(name, value)| format!("{name}={value}")).collect();
    match pairs.is_empty() {
        true => String::new(),
        false => format!("?{}", pairs.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_what_is_given() {
        assert_eq!(query(&[("a", None), ("b", None)]), "");
        assert_eq!(query(&[("a", shown(Some(1))), ("b", shown(Some("x")))]), "?a=1&b=x");
        assert_eq!(BlockName::Latest.to_string(), "latest");
        assert_eq!(BlockName::Number(4).to_string(), "4");
    }
}
