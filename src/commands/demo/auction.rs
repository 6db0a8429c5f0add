//! `bastion demo auction`

use std::time::Instant;

use alloy_primitives::keccak256;
use bastion_circuits::{cost, Shape};
use bastion_l1::{DevChain, EmbeddedL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block::Block;
use bastion_node::deploy::Roles;
use bastion_node::devnet::{dev_exit, dev_policy};
use bastion_node::market::{
    compare, reorder, sign_false, summary, Blinds, Compared, Dispute, Market, Operator, Play,
    Reordered, Size, Summary,
};
use bastion_node::pipeline::{BlockProver, Cache, Timings};
use bastion_node::posting::Posting;
use bastion_node::recommend::MemoryPlan;
use bastion_node::sequencer::ReceiptSigner;
use bastion_node::settle::RollupClient;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::{field, Address, Kind};
use bastion_prover::srs::{SrsChoice, SrsOrigin};
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use eyre::eyre;
use serde::Serialize;

use super::{audit, history, Audited, BLOB_GAS, EMBEDDED_TIME};
use crate::config::{self, Settings};
use crate::exit::CliError;
use crate::output;

mod text;

/// An auction is a batch, and this block is one.
const BATCHES: usize = 1;
/// The operator's bond, in wei.
const BOND: u128 = 4_000_000_000_000_000_000;

/// Clears a market of signed orders at one price a token, proves it, and settles it on an embedded L1.
///
/// Traders deposit five tokens and sign orders; the operator signs a receipt for each place. Some orders are blind: the
/// operator does not know them before it has closed the batch, and a trader whom it does not hear reveals his on L1.
/// One auction clears all orders, and its batch is proved, verified by the contract and audited from what L1 holds. The
/// same orders are cleared again in random orders, which must change nothing. Then the operator lies: it signs a receipt
/// for an order that it left out, and a stranger takes its bond with the receipt and what L1 holds.
/// If the cache holds no reference string, an UNSAFE one is made.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion demo auction\n  bastion demo auction --shape tiny --orders 2\n  bastion demo auction --orders 120 --seed 7 --json"
)]
pub(crate) struct Args {
    /// Shape: tiny takes 2 orders, market 200 and more.
    #[arg(long, default_value = "market", value_parser = config::shape)]
    shape: Shape,
    /// Orders; 200 by default, or as many as the shape takes.
    #[arg(long, value_name = "N")]
    orders: Option<usize>,
    /// How many of them are hidden until the batch is closed, at most one of each account; a quarter by default, and
    /// none if the shape has no room.
    #[arg(long, value_name = "N")]
    blind: Option<usize>,
    /// Which random orders.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// In how many other orders they are cleared again.
    #[arg(long, value_name = "N", default_value_t = 100)]
    reorder: usize,
    /// Where L2 records are posted: blob, or calldata.
    #[arg(long, value_name = "MODE", default_value_t = DataMode::Blob)]
    data_mode: DataMode,
}

/// Gas by part.
#[derive(Serialize)]
struct Gas {
    /// All deposits together.
    deposits: u64,
    commit: u64,
    /// The proof, and moving the root.
    prove: u64,
    /// Gas that the blobs are worth at the least price that they have (EIP-7918); 0 without any.
    blob: u64,
    /// Commit, prove and blob, for each order.
    per_order: u64,
    /// Creation of the contract that holds the bond.
    slashing: u64,
    bond: u64,
}

/// What an order costs in the circuit and in posted data.
#[derive(Serialize)]
struct Cost {
    /// Advice cells of an order with its own two accounts and its signature.
    cells_per_order: usize,
    /// All cells of the circuit, for each order of this batch.
    circuit_cells_per_order: usize,
    posted_bytes_per_order: usize,
}

#[derive(Serialize)]
struct Report {
    shape: String,
    traders: usize,
    deposits: usize,
    #[serde(flatten)]
    auction: Summary,
    operations: usize,
    reordered: Reordered,
    blind: Blinds,
    receipts: Compared,
    new_root: String,
    finalized_root: String,
    contract: String,
    data_mode: DataMode,
    data_bytes: usize,
    proof_bytes: usize,
    srs: String,
    unsafe_dev_srs: bool,
    setup_seconds: f64,
    /// Signatures, prices, fills, tree.
    execute_seconds: f64,
    timings: Timings,
    gas: Gas,
    cost: Cost,
    audit: Audited,
    dispute: Dispute,
    total_seconds: f64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let start = Instant::now();
    let shape = &args.shape;
    let size = Size::seeded(shape, args.orders, args.blind, args.seed)
        .map_err(|e| CliError::Usage(e.to_string()))?;
    MemoryPlan::new(shape, BATCHES).require(settings.memory)?;
    let mut chain = EmbeddedL1::new(EMBEDDED_TIME);
    let l1: &mut dyn DevChain = &mut chain;
    let progress = output::progress(settings);
    let cache = Cache::new(&settings.cache_dir);
    cache.check_compiler(shape, BATCHES)?;
    let prover = BlockProver::open(shape, BATCHES, &cache, SrsChoice::HeldOrUnsafeDev, &progress)?;
    let verifier = &prover.verifier(&cache)?;
    let setup_seconds = start.elapsed().as_secs_f64();

    // L1: contracts, the operator's bond, deposits.
    let mut state = State::new();
    let policy = dev_policy();
    let roles = Roles::dev(DEV_OPERATOR);
    let mut rollup = RollupClient::deploy(l1, &roles, verifier, &state.root(), &policy)?;
    let contract = Address(rollup.rollup.into_array());
    let signer = ReceiptSigner::new(&keccak256("bastion.dev.sequencer"), DEV_CHAIN_ID, contract)?;
    let operator = Operator::bonded(l1, rollup.rollup, DEV_OPERATOR, signer.address(), BOND)?;
    let context = BatchContext { domain: domain(DEV_CHAIN_ID, contract), time: l1.now()?, policy };
    let market = Market::new(size, context.domain, context.time, args.seed)?;
    let mut deposits = 0;
    for op in market.deposits() {
        deposits += rollup.enqueue(l1, op)?;
    }

    // L2: one batch.
    let execute = Instant::now();
    let old_root = state.root();
    let play = Play {
        context: &context,
        room: Posting::from(args.data_mode).room(shape, BATCHES),
        signer: &signer,
        slashing: operator.slashing,
    };
    let (trace, told) = market.play(&mut state, &play, l1)?;
    let block = Block::of_batch(old_root, &context, trace, args.data_mode)?;
    let execute_seconds = execute.elapsed().as_secs_f64();
    let batch = block.batches.first().ok_or_else(|| eyre!("the block has no batch"))?;
    let reordered = reorder(batch, args.reorder, args.seed);
    if reordered.same != reordered.tried {
        let Reordered { tried, same } = reordered;
        return Err(eyre!("prices or fills differ in {} of {tried} other orders", tried - same));
    }
    let proven = prover.prove(&block, settings.memory, &progress)?;

    // L1: the root moves, and everything is checked from there.
    let gas = rollup.settle(l1, 1, &block.header, block.posted(), &proven.proof)?;
    let finalized = rollup.state_root(l1)?;
    let new_root = field::to_hex(&block.header.new_root);
    let finalized_root = format!("{finalized:#066x}");
    if finalized_root != new_root {
        return Err(eyre!("the contract's root {finalized_root} is not the proven one {new_root}"));
    }
    let audit = audit(l1, rollup.rollup, &prover.verifier_dir(&cache), &context.policy)?;
    let history = history(l1, rollup.rollup)?;
    let address = Address(signer.address().into_array());
    let compared = compare(&history, &context.policy, &told.receipts, &told.blind, address)?;
    if compared.kept != compared.receipts {
        return Err(eyre!("L1 shows {} of {} receipts", compared.kept, compared.receipts));
    }

    // The operator promised the last order's place to another order, which is in no block.
    let last = told.receipts.iter().max_by_key(|signed| signed.receipt.place);
    let last = last.ok_or_else(|| eyre!("there are no receipts"))?;
    let lie = sign_false(&signer, last, market.left_out())?
        .ok_or_else(|| eyre!("the order that was left out has no leaf"))?;
    let stranger = dev_exit("stranger").0.into();
    let dispute = Dispute::settle(l1, &history, &context.policy, &lie, &operator, stranger)?;

    let auction = summary(batch);
    let blob = BLOB_GAS * block.blobs.len() as u64;
    let costs = cost::report(shape)?;
    let order = costs.operations.get(&Kind::Order);
    let order = order.ok_or_else(|| eyre!("the cost report has no orders"))?;
    let orders = auction.orders.max(1);
    let report = Report {
        shape: shape.name.clone(),
        traders: size.traders,
        deposits: market.deposits().len(),
        operations: batch.ops.len(),
        reordered,
        blind: told.blinds,
        receipts: compared,
        new_root,
        finalized_root,
        contract: contract.to_string(),
        data_mode: block.posted().mode(),
        data_bytes: block.data.len(),
        proof_bytes: proven.proof.proof.len(),
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        setup_seconds,
        execute_seconds,
        timings: proven.timings,
        gas: Gas {
            deposits,
            commit: gas.commit,
            prove: gas.prove,
            blob,
            per_order: (gas.total() + blob) / orders as u64,
            slashing: operator.gas[0],
            bond: operator.gas[1],
        },
        cost: Cost {
            cells_per_order: order.advice_cells,
            circuit_cells_per_order: (costs.advice_columns << shape.k).div_ceil(orders),
            posted_bytes_per_order: order.data_bytes,
        },
        auction,
        audit,
        dispute,
        total_seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, text::text)
}
