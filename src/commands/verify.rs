//! `bastion verify`

use std::path::PathBuf;
use std::time::Instant;

use bastion_l1::{EmbeddedL1, ReadL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block_store::BlockDir;
use bastion_node::deploy::{rollup_address, Roles};
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::{to_u256, BlockGas, RollupClient};
use bastion_node::NodeError;
use bastion_protocol::{field, Address};
use bastion_state::state::State;
use serde::Serialize;

use crate::commands::{documents, open, srs_line};
use crate::config::Settings;
use crate::output;

/// Verifies a folder of proven blocks.
///
/// Checks data against headers, headers against proofs, the proofs, and that the folder holds exactly
/// the blocks that its manifest names.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bastion verify out --evm\n  bastion verify out --independent")]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
    /// Verifies with the second verifier, which shares no code with the prover, from the documents
    /// that `setup` and `prove` leave in the cache.
    #[arg(long, conflicts_with = "evm")]
    independent: bool,
    /// Also replays everything on an embedded L1: deposits, commits, proofs.
    #[arg(long)]
    evm: bool,
}

#[derive(Serialize)]
struct Report {
    blocks: usize,
    root: String,
    srs: String,
    unsafe_srs: bool,
    verifier: String,
    evm: Option<EvmReport>,
    seconds: f64,
}

#[derive(Serialize)]
struct EvmReport {
    contract: String,
    finalized_root: String,
    gas: Vec<BlockGas>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    if args.independent {
        return independent(args, settings);
    }
    let (folder, manifest, verifier) = open(&args.dir, settings)?;
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    if args.evm && (manifest.chain_id, manifest.contract) != (DEV_CHAIN_ID, contract) {
        return Err(NodeError::Mismatch {
            what: "chain and contract (the embedded L1 has those of development)",
            found: format!("{}, {}", manifest.chain_id, manifest.contract),
            expected: format!("{DEV_CHAIN_ID}, {contract}"),
        }
        .into());
    }
    let start = Instant::now();
    let mut root = State::new().root();
    let mut blocks = Vec::new();
    for number in 0..manifest.blocks {
        let block = folder.read_block(number)?;
        manifest.describes(number, &block.header)?;
        verifier.checker().verify(number, &root, &block)?;
        root = block.header.new_root;
        blocks.push(block);
    }

    let mut evm = None;
    if args.evm {
        let time = blocks.last().map_or(1, |b| b.header.time);
        let mut l1 = EmbeddedL1::new(time);
        let genesis = State::new().root();
        let mut settlement = RollupClient::deploy(
            &mut l1,
            &Roles::dev(DEV_OPERATOR),
            verifier.block(),
            &genesis,
            &manifest.policy,
        )?;
        let contract = Address(settlement.rollup.into_array());
        if contract != manifest.contract || l1.chain_id() != manifest.chain_id {
            return Err(NodeError::Mismatch {
                what: "contract",
                found: manifest.contract.to_string(),
                expected: contract.to_string(),
            }
            .into());
        }
        let mut gas = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            settlement.enqueue_data(&mut l1, &block.header, block.posted())?;
            let number = number as u64 + 1;
            gas.push(settlement.settle(
                &mut l1,
                number,
                &block.header,
                block.posted(),
                &block.proof,
            )?);
        }
        let finalized = settlement.state_root(&mut l1)?;
        if finalized != to_u256(&root) {
            return Err(
                NodeError::Tampered { block: blocks.len(), what: "the finalized root" }.into()
            );
        }
        evm = Some(EvmReport {
            contract: contract.to_string(),
            finalized_root: format!("{finalized:#066x}"),
            gas,
        });
    }
    let report = Report {
        blocks: blocks.len(),
        root: field::to_hex(&root),
        unsafe_srs: manifest.unsafe_dev_srs,
        srs: manifest.srs,
        verifier: verifier.identity().to_string(),
        evm,
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        let mut out = format!(
            "{} verified in {:.1} s, root {}\nreference string {}\nverifier {}\n",
            output::count(r.blocks as u64, "block"),
            r.seconds,
            r.root,
            srs_line(&r.srs, r.unsafe_srs),
            r.verifier
        );
        if let Some(evm) = &r.evm {
            out += &format!(
                "finalized by {} on the embedded L1: {}\n",
                evm.contract, evm.finalized_root
            );
            for (i, gas) in evm.gas.iter().enumerate() {
                out += &format!(
                    "block {i}: gas {} commit, {} prove and finalize\n",
                    gas.commit, gas.prove
                );
            }
        }
        out
    })
}

#[derive(Serialize)]
struct IndependentReport {
    blocks: usize,
    proofs: usize,
    root: String,
    srs: String,
    unsafe_srs: bool,
    verifier: String,
    folder: String,
    seconds: f64,
}

fn independent(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let folder = BlockDir::new(&args.dir);
    let manifest = folder.complete()?;
    let documents = documents(&manifest, settings)?;
    let verifier = SecondVerifier::open(&documents)?;
    verifier.check(&manifest)?;
    let start = Instant::now();
    let mut root = State::new().root();
    let mut proofs = 0;
    for number in 0..manifest.blocks {
        let block = folder.read_block(number)?;
        manifest.describes(number, &block.header)?;
        verifier.verify(number, &root, &block)?;
        root = block.header.new_root;
        proofs += 1 + block.batches.len();
    }
    let report = IndependentReport {
        blocks: manifest.blocks,
        proofs,
        root: field::to_hex(&root),
        unsafe_srs: manifest.unsafe_dev_srs,
        srs: manifest.srs,
        verifier: verifier.identity().to_string(),
        folder: documents.display().to_string(),
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        format!(
            "{}, {} verified by the second verifier in {:.3} s, root {}\n\
             reference string {}\nverifier {}",
            output::count(r.blocks as u64, "block"),
            output::count(r.proofs as u64, "proof"),
            r.seconds,
            r.root,
            srs_line(&r.srs, r.unsafe_srs),
            r.verifier
        )
    })
}
