//! `bastion receipt`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use alloy_primitives::{Address, Bytes, B256, U256};
use alloy_sol_types::SolCall;
use bastion_contract::slashing::ISlashing;
use bastion_l1::{ReadL1, RpcL1, SendL1};
use bastion_node::blobs::Blobs;
use bastion_node::history::collect_pinned;
use bastion_node::slashing::{bond, Evidence, Fault, Verdict};
use bastion_protocol::order::InclusionProof;
use bastion_protocol::times::REPORT_DELAY;
use clap::Subcommand;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::Serialize;

use crate::commands::wallet::amount;
use crate::commands::{rollup, sources};
use crate::config::Settings;
use crate::exit::{CliError, BROKEN};
use crate::output;

mod known;
mod paper;

use known::Known;
use paper::{block_of, Paper};

/// How often L1's clock is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Checks a sequencer's receipts and closings, and shows L1 those that were broken: the bond of their key is lost.
///
/// A receipt is broken if the final block has something else at its place, if an earlier final block has a later
/// time, or if there is another receipt for the same place and epoch. A blind receipt is broken too if its order was
/// revealed on L1 in time and its forfeit stands at the place; a closing, if an operation stands behind it. Whoever
/// reports it takes a part of the bond, and the rest is burned. Nobody can take a report away: it is announced as a
/// hash ten minutes before it is made.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion receipt check receipt.json --l1 URL --contract ROLLUP\n  \
bastion receipt check receipt.json --proof proof.json --l1 URL --contract ROLLUP --slashing S --owner OPERATOR\n  \
bastion receipt slash receipt.json --proof proof.json --l1 URL --contract ROLLUP --slashing S --owner OPERATOR --from 0xf39f...2266\n  \
bastion receipt slash one.json other.json --l1 URL --contract ROLLUP --slashing S --owner OPERATOR --from 0xf39f...2266 --dry-run\n\n\
The proof is one of the place (bastion proof inclusion), or of anything in an earlier block that is later than the receipt."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says who signed a receipt, whether a bond stands behind it, and whether it was broken. Sends nothing. Exit
    /// code 3 if it was broken, or if the proof does not hold.
    Check {
        #[command(flatten)]
        case: Case,
        /// The contract that holds the bond.
        #[arg(long, value_name = "ADDRESS", requires = "owner")]
        slashing: Option<Address>,
        /// Whose bond: the account that put it up.
        #[arg(long, value_name = "ADDRESS", requires = "slashing")]
        owner: Option<Address>,
    },
    /// Reports a broken receipt: announces it, waits, and shows the evidence.
    Slash {
        #[command(flatten)]
        case: Case,
        /// The contract that holds the bond.
        #[arg(long, value_name = "ADDRESS")]
        slashing: Address,
        /// Whose bond: the account that put it up.
        #[arg(long, value_name = "ADDRESS")]
        owner: Address,
        /// Account that reports, pays the gas and gets the reward; the node must hold its key.
        #[arg(long, value_name = "ADDRESS")]
        from: Address,
        /// The salt of an earlier run that was interrupted: its announcement counts.
        #[arg(long, value_name = "HEX")]
        salt: Option<B256>,
        /// Prints the calls and sends none.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Case {
    /// The receipt, blind receipt or closing; two, if they are for one place or batch.
    #[arg(required = true, num_args = 1..=2, value_name = "RECEIPT")]
    receipts: Vec<PathBuf>,
    /// A proof of inclusion.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    on_l1: rollup::Args,
    #[command(flatten)]
    sources: sources::Args,
}

/// What a case shows.
struct Found {
    l1: RpcL1,
    signer: Address,
    /// None if the promise was kept, or nothing was shown about it.
    evidence: Option<Evidence>,
    known: Known,
    exit_root: B256,
    compared: bool,
    /// Blocks were taken back since it was signed, which may have made it void.
    reverted: bool,
}

impl Case {
    fn look(&self, slashing: Option<Address>) -> eyre::Result<Found> {
        let papers: Vec<Paper> =
            self.receipts.iter().map(|path| Paper::read(path)).collect::<Result<_, CliError>>()?;
        let proof: Option<InclusionProof> =
            self.proof.as_deref().map(|path| read("proof of inclusion", path)).transpose()?;
        if papers.len() == 2 && proof.is_some() {
            let why =
                "two receipts for one place need no proof: give one receipt, or leave --proof out";
            return Err(CliError::Usage(why.into()).into());
        }
        let mut l1 = self.on_l1.connect()?;
        let at = (l1.chain_id(), self.on_l1.contract);
        let (mut evidence, mut root) = (None, B256::ZERO);
        let (mut known, mut reverted) = (Known::NotCompared, false);
        match (&papers[..], &proof) {
            ([first, second], _) => {
                evidence = first.and(second, at)?;
                known = if evidence.is_some() { Known::Broken } else { Known::Agree };
            }
            ([paper, ..], Some(proof)) => {
                // Only what stands behind a closing is read from the data.
                let mut blobs = match paper {
                    Paper::Closing(_) => self.sources.open()?,
                    _ => Blobs::none(),
                };
                let (history, _) = collect_pinned(&mut l1, self.on_l1.contract, &mut blobs)?;
                let block = block_of(&history, proof.block)?;
                (evidence, known) = paper.against(proof, block, (&mut l1, slashing), at)?;
                (root, reverted) = (block.exit_root.into(), history.reverts > paper.epoch());
            }
            _ => {}
        }
        let first = papers.first().ok_or_else(|| CliError::Usage("no receipt".into()))?;
        let signer = first.signer(at)?;
        let compared = proof.is_some() || papers.len() == 2;
        Ok(Found { l1, signer, evidence, known, exit_root: root, compared, reverted })
    }
}

#[derive(Serialize)]
struct Checked {
    signer: Address,
    /// Wei behind the key; null if it was not asked.
    bond: Option<String>,
    /// When it may be withdrawn; null if that is not announced, or was not asked.
    leaves_at: Option<u64>,
    /// What is broken; null if nothing that was shown is.
    fault: Option<Fault>,
    /// What the contract would say to a report; null if it was not asked.
    verdict: Option<Verdict>,
    /// Whether a proof or another receipt was given.
    compared: bool,
    /// What that shows.
    known: Known,
    /// Whether the promise was broken. A receipt that is void, or may be, was not.
    broken: bool,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<ExitCode> {
    match &args.command {
        Command::Check { case, slashing, owner } => {
            check(case, slashing.as_ref().zip(owner.as_ref()), settings)
        }
        Command::Slash { case, slashing, owner, from, salt, dry_run } => {
            let report = Report { slashing: *slashing, owner: *owner, from: *from };
            slash(case, &report, *salt, *dry_run, settings)
        }
    }
}

fn check(
    case: &Case,
    asked: Option<(&Address, &Address)>,
    settings: &Settings,
) -> eyre::Result<ExitCode> {
    let mut found = case.look(asked.map(|(slashing, _)| *slashing))?;
    let (mut held, mut verdict) = (None, None);
    if let Some((slashing, owner)) = asked {
        held = Some(bond(&mut found.l1, *slashing, *owner, found.signer)?);
        if let Some(evidence) = &found.evidence {
            let said = evidence.verdict(&mut found.l1, *slashing, *owner, found.exit_root)?;
            verdict = Some(said);
        }
    }
    let fault = found.evidence.as_ref().map(|evidence| evidence.fault);
    let stands = match &verdict {
        Some(Verdict::Kept | Verdict::Void) => false,
        Some(Verdict::Broken) => true,
        // A contract that refuses the evidence, as for want of a bond, has not looked whether it is void.
        None | Some(Verdict::Refused(_)) => !found.reverted,
    };
    let broken = fault.is_some() && stands;
    let checked = Checked {
        signer: found.signer,
        bond: held.map(|(amount, _)| amount.to_string()),
        leaves_at: held.map(|(_, at)| at).filter(|at| *at != 0),
        fault,
        verdict,
        compared: found.compared,
        known: found.known,
        broken,
    };
    output::report(settings, &checked, checked_text)?;
    Ok(if broken { ExitCode::from(BROKEN) } else { ExitCode::SUCCESS })
}

fn checked_text(c: &Checked) -> String {
    let mut text = format!("signed by  {}\n", c.signer);
    if let Some(bond) = &c.bond {
        let wei = bond.parse().unwrap_or_default();
        let leaving = c.leaves_at.map_or(String::new(), |at| format!(", may leave at {at}"));
        text += &format!("bond       {}{leaving}\n", amount::shown(wei, 0));
    }
    match &c.fault {
        None => text += &format!("place      {}", c.known),
        Some(fault) if c.broken => text += &format!("BROKEN     {fault}"),
        Some(fault) => text += &format!("differs    {fault}"),
    }
    match &c.verdict {
        None if c.fault.is_some() && !c.broken => {
            text += "\nvoid       not asked, and blocks were taken back since: give --slashing and --owner";
        }
        None | Some(Verdict::Broken) => {}
        Some(Verdict::Kept) => text += "\ncontract   it was kept",
        Some(Verdict::Void) => text += "\ncontract   the receipt is void: blocks were taken back",
        Some(Verdict::Refused(why)) => text += &format!("\ncontract   refuses the evidence: {why}"),
    }
    text
}

/// Who reports what to whom.
struct Report {
    slashing: Address,
    owner: Address,
    from: Address,
}

#[derive(Serialize)]
struct Slashed {
    fault: Fault,
    signer: Address,
    slashing: Address,
    /// What an interrupted report goes on with.
    salt: B256,
    /// The call that announces the report, and the one that makes it, `wait_seconds` later.
    announce: Bytes,
    report: Bytes,
    wait_seconds: u64,
    /// Wei of the bond; a part of them is the reward.
    bond: String,
    dry_run: bool,
}

/// Why there is nothing to report, if no evidence was shown.
fn nothing(known: Known) -> CliError {
    match known {
        Known::NotCompared => {
            let why = "one receipt alone shows nothing: give a proof (--proof), or another receipt for its place";
            CliError::Usage(why.into())
        }
        known => CliError::NoFault { why: format!("what is known of the place: {known}") },
    }
}

fn slash(
    case: &Case,
    report: &Report,
    salt: Option<B256>,
    dry_run: bool,
    settings: &Settings,
) -> eyre::Result<ExitCode> {
    let Report { slashing, owner, from } = *report;
    let Found { mut l1, evidence, exit_root, known, .. } = case.look(Some(slashing))?;
    let evidence = evidence.ok_or_else(|| nothing(known))?;
    match evidence.verdict(&mut l1, slashing, owner, exit_root)? {
        Verdict::Broken => {}
        Verdict::Kept => {
            return Err(CliError::NoFault { why: "the promise was kept".into() }.into())
        }
        Verdict::Void => {
            let why = "the receipt is void, because blocks were taken back".into();
            return Err(CliError::NoFault { why }.into());
        }
        Verdict::Refused(why) => return Err(CliError::NoFault { why }.into()),
    }
    let salt = salt.unwrap_or_else(|| {
        let mut bytes = [0; 32];
        OsRng.fill_bytes(&mut bytes);
        bytes.into()
    });
    let commitment_ = evidence.commitment(from, owner, salt);
    let (amount, _) = bond(&mut l1, slashing, owner, evidence.signer)?;
    let done = Slashed {
        fault: evidence.fault,
        signer: evidence.signer,
        slashing,
        salt,
        announce: ISlashing::announceReportCall { commitment_ }.abi_encode().into(),
        report: evidence.report(owner, exit_root, salt)?,
        wait_seconds: REPORT_DELAY,
        bond: amount.to_string(),
        dry_run,
    };
    if !dry_run {
        send(&mut l1, report, commitment_, &done)?;
    }
    output::report(settings, &done, slashed_text)?;
    Ok(ExitCode::SUCCESS)
}

/// Announces the report unless that was done, waits, and reports.
fn send(l1: &mut RpcL1, report: &Report, commitment: B256, done: &Slashed) -> eyre::Result<()> {
    let Report { slashing, from, .. } = *report;
    let since = |l1: &mut RpcL1| -> eyre::Result<u64> {
        let call = ISlashing::announcedCall { commitment }.abi_encode();
        let said = l1.view(slashing, call.into())?;
        Ok(ISlashing::announcedCall::abi_decode_returns(&said)?)
    };
    if since(l1)? == 0 {
        l1.send(from, slashing, U256::ZERO, done.announce.clone())?;
    }
    let due = since(l1)?.saturating_add(REPORT_DELAY);
    tracing::warn!(
        "the report is announced and due at {due}; if this is interrupted, go on with --salt {}",
        done.salt
    );
    while l1.now()? < due {
        std::thread::sleep(LOOK);
    }
    l1.send(from, slashing, U256::ZERO, done.report.clone())?;
    Ok(())
}

fn slashed_text(s: &Slashed) -> String {
    let wei = s.bond.parse().unwrap_or_default();
    let head = format!(
        "BROKEN     {}\nsigned by  {}\nbond       {}\n",
        s.fault,
        s.signer,
        amount::shown(wei, 0)
    );
    match s.dry_run {
        false => format!("{head}The bond is gone, and the reporter has his part of it."),
        true => format!(
            "{head}Two calls of {}, the second {} seconds after the first:\nannounce   {}\nreport     {}",
            s.slashing, s.wait_seconds, s.announce, s.report
        ),
    }
}

fn read<T: serde::de::DeserializeOwned>(what: &'static str, path: &Path) -> Result<T, CliError> {
    let bad = |why: String| CliError::BadFile { what, path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))
}
