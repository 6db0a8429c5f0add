//! Errors of this crate.

mod asked;
mod class;

use bastion_aggregator::AggregatorError;
use bastion_audit::blob::DataFault;
use bastion_circuits::CircuitError;
use bastion_contract::ContractError;
use bastion_l1::L1Error;
use bastion_protocol::blob::BlobError;
use bastion_protocol::proofs::ProofError;
use bastion_protocol::records::RecordError;
use bastion_protocol::Index;
use bastion_protocol::{CircuitId, ProtocolError};
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::ProverError;
use bastion_state::executor::Rejection;
use bastion_state::StateError;

use crate::jobs::JobError;

/// Why the pipeline stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A line of the input.
    #[error("line {line} of the input: {why}")]
    Input {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An operation that an empty batch cannot hold.
    #[error("{place} does not fit an empty batch of shape `{shape}`: use a larger shape")]
    DoesNotFit {
        /// Where it stands in the input.
        place: String,
        /// The shape.
        shape: String,
    },
    /// A size that the demo's market cannot have.
    #[error(transparent)]
    Market(#[from] crate::market::SizeError),
    /// A batch that no proof exists of, found before any proving.
    #[error("batch {batch} of the block: {why}")]
    Unprovable {
        /// Number of the batch in its block.
        batch: usize,
        /// The operation at fault, and the rules that it breaks.
        why: CircuitError,
    },
    /// An operation that got no receipt, where all must have one.
    #[error("an operation got no receipt: {0}")]
    Declined(crate::sequencer::Decline),
    /// An account that cannot be frozen, or unfrozen, now.
    #[error("account {account} cannot be frozen or unfrozen: {why}")]
    Freeze {
        /// The account.
        account: Index,
        /// Why.
        why: String,
    },
    /// The sentinel cannot go on.
    #[error(transparent)]
    Sentinel(#[from] bastion_sentinel::SentinelError),
    /// A call about rewards is refused.
    #[error(transparent)]
    Treasury(#[from] bastion_sentinel::rewards::TreasuryError),
    /// A policy that would not become tighter.
    #[error("{percent} % less of token {token} is no tighter than its rate of {rate} a second: give a larger percentage, or another token")]
    NotTighter {
        /// The token.
        token: bastion_protocol::Token,
        /// Its rate, in units a second.
        rate: u64,
        /// By how much it was to fall.
        percent: u8,
    },
    /// There are no rewards.
    #[error("this node has no rewards for watchers: name their file in sentinel.rewards")]
    NoRewards,
    /// Rewards that do not go on from the log of findings.
    #[error("rewards: {why}")]
    Rewards {
        /// What does not fit, and what helps.
        why: String,
    },
    /// Nothing is shared with other chains.
    #[error(
        "this node shares nothing with other chains: name the file of the feed in sentinel.feed"
    )]
    NoFeed,
    /// Intelligence cannot be shared.
    #[error(transparent)]
    Sharing(Box<bastion_sentinel::sharing::SharingError>),
    /// The sentinel cannot respond.
    #[error(transparent)]
    Response(#[from] bastion_sentinel::response::ResponseError),
    /// The context itself is refused.
    #[error("{0}")]
    Rejected(Rejection),
    /// A file of a block folder is missing.
    #[error("{path} is missing: give the folder that `bastion prove` wrote to --out, or make one")]
    Missing {
        /// The file.
        path: String,
    },
    /// No reference string.
    #[error("{why}: {remedy}")]
    NoSrs {
        /// Which is needed, and what is there.
        why: String,
        /// The command that helps.
        remedy: String,
    },
    /// The folder for new blocks already holds some.
    #[error("{path} already holds the blocks of a finished run: choose another folder")]
    FolderInUse {
        /// The folder.
        path: String,
    },
    /// A chain whose money a development SRS would put at risk.
    #[error("chain {chain_id} is no development chain, and whoever made the reference string {srs} may forge proofs under it: use the result of a ceremony")]
    UnsafeSrs {
        /// The chain.
        chain_id: u64,
        /// Identity of the SRS.
        srs: String,
    },
    /// A policy that no rollup can be run under.
    #[error("policy: {0}")]
    Policy(String),
    /// The documents of the second verifier are missing.
    #[error("no verifier's documents in {dir}: run `bastion setup --shape {shape}` with the reference string of the proofs, or point --cache-dir at the cache that made them")]
    NoDocuments {
        /// The folder.
        dir: String,
        /// The shape.
        shape: String,
    },
    /// A file of a block folder cannot be read as what it is.
    #[error("{path}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A proof, public input or data byte is not what was proven.
    #[error("block {block}: {what} does not match the proof; the folder was changed after it was proven (or the file of one of its blobs was left out)")]
    Tampered {
        /// Number of the block.
        block: usize,
        /// What differs.
        what: &'static str,
    },
    /// The second verifier refuses a proof.
    #[error("block {block}: {proof} does not hold: {why}")]
    Refused {
        /// Number of the block.
        block: usize,
        /// Which proof.
        proof: String,
        /// Why.
        why: bastion_audit::Refused,
    },
    /// A verifier's document is not usable.
    #[error(transparent)]
    Document(#[from] bastion_audit::BadDescription),
    /// A folder that was made for something else.
    #[error("{what} is {found}, expected {expected}: use the version that made the folder, or prove again")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What the folder says.
        found: String,
        /// What this build says.
        expected: String,
    },
    /// A manifest that calls its reference string another kind than it is.
    #[error("the manifest says unsafe_dev_srs = {says}, and the reference string {srs} is {}: the manifest was changed; {}", kind(*.says), if *.says { "the proofs are of a ceremony's string" } else { "whoever made the string may forge the proofs" })]
    WrongMark {
        /// What the manifest says.
        says: bool,
        /// Identity of the string.
        srs: String,
    },
    /// What L1 tells does not fit together.
    #[error("history of {contract}: {why} (is it a Bastion rollup, and does the node keep all of its history?)")]
    History {
        /// The contract.
        contract: String,
        /// What does not fit.
        why: String,
    },
    /// The node tells of less than the contract counts.
    #[error("history of {contract}: it counts {counted} {what}, the node's logs show {found}: the node has lost logs, or does not keep all of history, or history is not read from the contract's deployment on (--deployed-at); use an archive node")]
    Incomplete {
        /// The contract.
        contract: String,
        /// Of what there is less.
        what: &'static str,
        /// What the contract counts.
        counted: String,
        /// What the logs show.
        found: String,
    },
    /// Another contract passed a call on, and it cannot be found.
    #[error("block {block}: the call of {call} stands nowhere in the calldata of transaction {transaction} so that it gives what the contract recorded, and its trace gives none either: {why}; use a node with trace_transaction or debug_traceTransaction")]
    NoCall {
        /// Number of the block.
        block: usize,
        /// The function.
        call: &'static str,
        /// The transaction.
        transaction: String,
        /// What the traces gave.
        why: String,
    },
    /// Another state of a contract than the folder needs.
    #[error("{contract}: {why}")]
    Deployed {
        /// The contract.
        contract: String,
        /// What differs, and the remedy.
        why: String,
    },
    /// An owner that no posted data tells.
    #[error("the owner of account {index} does not occur in the data: was the state rebuilt from all blocks?")]
    UnknownOwner {
        /// The account.
        index: Index,
    },
    /// An exit that a block does not have.
    #[error("block {block} has no exit {position}")]
    NoSuchExit {
        /// Number of the block.
        block: u64,
        /// Position among its exits.
        position: u64,
    },
    /// A queue entry that is no deposit.
    #[error("queue entry {entry} is no deposit")]
    NoSuchDeposit {
        /// Number of the entry.
        entry: u64,
    },
    /// A state that is older than the contract's.
    #[error("the rebuilt root is {ours}, the contract's is {contract}: what L1 tells of the rollup is not complete yet; try again when its last blocks are final")]
    Behind {
        /// Of the rebuilt state.
        ours: String,
        /// Of the contract.
        contract: String,
    },
    /// Nothing that lets exodus begin.
    #[error("exodus cannot begin: {why}")]
    NoExodus {
        /// Why.
        why: String,
    },
    /// Speed cannot be measured.
    #[error("the speed of this machine cannot be measured: {0}")]
    Measuring(String),
    /// A number of batches that no block has.
    #[error("a block has {least} to {most} batches, not {batches}")]
    NoSuchBlock {
        /// The number.
        batches: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// No shape fits the machine.
    #[error("no shape fits into {memory}: a block of shape `{shape}`, the least demanding, takes {needed}; give more memory (--memory, BASTION_MEMORY)")]
    NothingFits {
        /// Memory that proving may use.
        memory: MemoryBudget,
        /// The least demanding shape.
        shape: String,
        /// What it takes.
        needed: MemoryBudget,
    },
    /// A block that the machine has no memory for.
    #[error("{what} of {batches} batches of shape `{shape}` needs about {needed}, but the limit is {budget}: raise it (--memory, BASTION_MEMORY), or use fewer batches (--batches) or a smaller shape (`bastion shapes` compares them)")]
    TooLittleMemory {
        /// What does not fit.
        what: &'static str,
        /// Batches of the block.
        batches: usize,
        /// Their shape.
        shape: String,
        /// What it takes.
        needed: MemoryBudget,
        /// What it may take.
        budget: MemoryBudget,
    },
    /// The manifest of a folder says another number of blocks than the folder holds.
    #[error("{path} names {named} blocks, the folder holds {held}: a file was lost or added; if proving was cut short, run the same `bastion prove` again")]
    BlockCount {
        /// The manifest.
        path: String,
        /// Blocks that it names.
        named: usize,
        /// Blocks of which the folder holds files.
        held: usize,
    },
    /// A file in a folder of blocks that is no block's.
    #[error("{path} is no file of the folder's blocks: move it elsewhere")]
    Foreign {
        /// The file.
        path: String,
    },
    /// An input that cannot be read as one.
    #[error("{path}: {why}")]
    Unreadable {
        /// The input.
        path: String,
        /// What is wrong with it, and the remedy.
        why: String,
    },
    /// A contract answers a call in another form than its interface.
    #[error("L1: {contract}: {call}: {why}: is it a Bastion rollup?")]
    Answer {
        /// The contract.
        contract: String,
        /// The function.
        call: &'static str,
        /// What is wrong with the answer.
        why: String,
    },
    /// Roles without an operator.
    #[error("there is no operator to deploy from: name one")]
    NoOperator,
    /// A verifier that leaves other code than it names.
    #[error("the verifier deployed at {address} has other code than its artifact says: make it again with `bastion setup`")]
    VerifierCode {
        /// Its address in the rehearsal.
        address: String,
    },
    /// A payment of exodus that the contract refuses.
    #[error("{what} is not paid: {why}")]
    NotPaid {
        /// What is due.
        what: String,
        /// Why it is refused.
        why: String,
    },
    /// Of the L1.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// Of the aggregator.
    #[error(transparent)]
    Aggregator(#[from] AggregatorError),
    /// Of the contracts.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// Records that make no blob, or a blob without records.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Bytes or values that the protocol does not know.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Of the state.
    #[error(transparent)]
    State(#[from] StateError),
    /// Of the circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Bytes that are no proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The sequencer's log.
    #[error("the sequencer's log {path}: {why}")]
    Log {
        /// Its folder.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Log and state store do not fit one another.
    #[error(
        "the sequencer's log does not fit its state store: {why}: restore both from one backup"
    )]
    LogBroken {
        /// What does not fit.
        why: String,
    },
    /// The log may be older than what was promised.
    #[error(
        "the sequencer's log was restored from a copy, and receipts may have been given for places from block \
         {from} on that it does not have: nothing is signed before the contract has taken back block {from} once \
         more, in L1 blocks that are final (`bastion l1 new-epoch` prints the calls; docs/operate.md, section 9.2)"
    )]
    Restored {
        /// The first such block.
        from: u64,
    },
    /// A receipt, or what is shown with it, shows nothing.
    #[error("the receipt: {why}")]
    Receipt {
        /// What is wrong.
        why: String,
    },
    /// A proof of inclusion that shows nothing: its path leads elsewhere, or it is of no block of L1.
    #[error("the proof of inclusion does not hold: {0}; make one by `bastion proof inclusion`")]
    Unproven(String),
    /// The sequencer could not write its log.
    #[error("the sequencer has stopped, because its log could not be written: see the error before, then start it again")]
    Stopped,
    /// The sequencer refused a request of a measurement.
    #[error("measuring the load: {why}")]
    Load {
        /// Its words.
        why: String,
    },
    /// Entries of the L1 queue were left out.
    #[error("the L1 queue was read up to entry {expected}, the next given is {got}: read the entries between them")]
    QueueGap {
        /// The next entry.
        expected: u64,
        /// The entry given.
        got: u64,
    },
    /// A database of the node.
    #[error("the database {path}: {why}")]
    Database {
        /// Its folder.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// Proving jobs.
    #[error(transparent)]
    Job(#[from] JobError),
    /// Bytes that are no input of a job.
    #[error("the input of a job: {why}: it was written by another version; cancel the job, or use that version")]
    JobInput {
        /// What is wrong.
        why: String,
    },
    /// A job of a circuit whose keys are not here.
    #[error("there are no keys of circuit {circuit} here: run `bastion setup` with the coordinator's shape and number of batches (`bastion status` shows them), from the same reference string")]
    NoKeys {
        /// The circuit.
        circuit: CircuitId,
    },
    /// Verifiers of several circuits, of which one is to be chosen.
    #[error("{dir} has several folders {prefix}*: they are of different versions or reference strings; move away those that are not meant")]
    SeveralVerifiers {
        /// The folder that holds them.
        dir: String,
        /// How their names begin.
        prefix: String,
    },
    /// A replay.
    #[error("the replay stops: {why}")]
    Replay {
        /// Why.
        why: String,
    },
    /// A node, as its clients see it.
    #[error(transparent)]
    Client(#[from] bastion_client::error::ClientError),
    /// The NATS server.
    #[error("NATS at {host}: {why}")]
    Nats {
        /// Host and port.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// There is no data folder of a node.
    #[error("{path} is no data folder of a node: see `rollup.data-dir`, which counts from the folder in which the command runs")]
    NoData {
        /// Where it was sought.
        path: String,
    },
    /// A folder is no backup.
    #[error("{path} is no backup: it has no backup.json, which `bastion db backup` writes last")]
    NoBackup {
        /// The folder.
        path: String,
    },
    /// A folder is in the place of one that would be made.
    #[error("{path} is there already: move it away and keep it, then run this again")]
    InTheWay {
        /// The folder.
        path: String,
    },
    /// No node can go on from what L1 has.
    #[error("no node can go on from L1 as it is: {why}")]
    CannotGoOn {
        /// Why, and what is to be done.
        why: String,
    },
    /// There is no manifest of a rollup.
    #[error("{path} is missing: `bastion l1 deploy` writes it; or name another one in `rollup.manifest`")]
    NoManifest {
        /// Where it was sought.
        path: String,
    },
    /// A key of the operator.
    #[error("{what}: {why}")]
    Key {
        /// Which.
        what: &'static str,
        /// What is wrong; never the key.
        why: String,
    },
    /// A part of the node ended by a fault of this code.
    #[error("the {part} panicked, which is a fault of this program: see the log, and start the node again")]
    Panicked {
        /// The part.
        part: String,
    },
    /// Sizes of blocks that are none.
    #[error("blocks of {sizes:?} batches: give at least one size, ascending, each at least 1")]
    Sizes {
        /// The sizes.
        sizes: Vec<u32>,
    },
    /// A block of a size that no circuit proves.
    #[error("there is no circuit for blocks of {batches} batches: run `bastion setup --batches {batches}`, or choose another size")]
    NoBlockCircuit {
        /// The size.
        batches: u32,
    },
    /// Bytes that are no key.
    #[error("the sequencer's key is no secp256k1 secret: give 32 bytes, not zero and below the group's order")]
    SequencerKey,
    /// Nobody who was asked has a blob.
    #[error("the blob {hash} was not found: {why}. L1 keeps blobs for about 18 days: ask a beacon node that keeps them longer (--beacon), the operator's node, or whoever archives the rollup's blobs (--blobs)")]
    NoBlob {
        /// Its versioned hash.
        hash: String,
        /// What each who was asked said.
        why: String,
    },
    /// Bytes that are given out for a blob.
    #[error("{from} has no blob {hash}, but something else by its name: {why}; ask others (--beacon, --blobs)")]
    BadBlob {
        /// The versioned hash.
        hash: String,
        /// Who gave them.
        from: String,
        /// What is wrong with them.
        why: String,
    },
    /// Data of a block that cannot be read.
    #[error("block {block}: {fault}")]
    Data {
        /// Number of the block.
        block: u64,
        /// Why.
        fault: Box<DataFault>,
    },
    /// Records of a block's data that are none.
    #[error("block {block}: {why}: this is a final block, so this program is older than the contract's rules or has a mistake")]
    Records {
        /// Number of the block.
        block: u64,
        /// Why.
        why: RecordError,
    },
    /// Of the prover.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// There is no proof of inclusion.
    #[error(transparent)]
    Inclusion(#[from] crate::inclusion::InclusionError),
    /// Of reading or writing a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// The kind of a reference string that is wrongly called unsafe, or wrongly not.
fn kind(called_unsafe: bool) -> &'static str {
    match called_unsafe {
        true => "a ceremony's",
        false => "an UNSAFE one of development",
    }
}
