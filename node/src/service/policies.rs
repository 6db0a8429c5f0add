//! The policies that a node can follow, and how one is tightened.

use std::path::{Path, PathBuf};

use alloy_primitives::aliases::U40;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bastion_contract::governance::IGovernance;
use bastion_l1::ReadL1;
use bastion_protocol::{Fr, Policy, Token, TokenLimits};
use bastion_sentinel::response::tightened;
use tracing::warn;

use crate::error::NodeError;
use crate::sequencer::Service;
use crate::settle::to_u256;

/// The policies that a node can follow.
pub struct Policies {
    /// The rollup's governance.
    pub governance: Address,
    /// The root of the one in force.
    pub root: Fr,
    /// Who is told of a new one.
    pub service: Service,
    known: Vec<Policy>,
    /// Files of policies, and folders of such files.
    files: Vec<PathBuf>,
}

impl Policies {
    /// The policy `first` of the manifest, and those of the operator's files and folders.
    ///
    /// # Errors
    /// If a file cannot be read, or its policy cannot be proven or enforced.
    pub fn new(
        governance: Address,
        first: Policy,
        files: Vec<PathBuf>,
        service: Service,
    ) -> Result<Self, NodeError> {
        let root = first.root();
        let known = read(&first, &files)?;
        Ok(Self { governance, root, service, known, files })
    }

    /// The one in force, if the operator has it.
    pub fn current(&self) -> Option<&Policy> {
        self.known.iter().find(|policy| policy.root() == self.root)
    }

    /// The policy with a root. If none has it, the files are read again: a policy that is tightened in an
    /// emergency needs no restart.
    pub fn find(&mut self, root: U256) -> Option<&Policy> {
        let place = |known: &[Policy]| known.iter().position(|p| to_u256(&p.root()) == root);
        if place(&self.known).is_none() {
            for file in &self.files {
                // One that is no policy does not hide the others.
                let found = files_of(file).unwrap_or_else(|error| {
                    warn!(%error, "policies cannot be looked for");
                    Vec::new()
                });
                for file in found {
                    match read_one(&file) {
                        Ok(policy) => self.known.push(policy),
                        Err(error) => warn!(%error, "a policy cannot be read"),
                    }
                }
            }
            // What was known stays first; the same file twice is one policy.
            let mut roots = Vec::new();
            self.known.retain(|policy| {
                let root = policy.root();
                let fresh = !roots.contains(&root);
                roots.push(root);
                fresh
            });
        }
        place(&self.known).and_then(|place| self.known.get(place))
    }
}

/// Reads the policies of files and folders; the manifest's comes first.
///
/// # Errors
/// As [`Policies::new`].
pub fn read(first: &Policy, files: &[PathBuf]) -> Result<Vec<Policy>, NodeError> {
    let mut known = vec![first.clone()];
    for path in files {
        for file in files_of(path)? {
            known.push(read_one(&file)?);
        }
    }
    Ok(known)
}

/// A file, or all files `*.json` of a folder.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, NodeError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| NodeError::Io { path: path.display().to_string(), source };
    let entries = std::fs::read_dir(path).map_err(io)?;
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(io)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn read_one(path: &Path) -> Result<Policy, NodeError> {
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| NodeError::Io { path: shown.clone(), source })?;
    let policy: Policy = serde_json::from_slice(&bytes)
        .map_err(|e| NodeError::Malformed { path: shown, why: e.to_string() })?;
    policy.check()?;
    Ok(policy)
}

/// The root of the policy that governance has in force.
///
/// # Errors
/// If L1 does not answer, or not with a root.
pub fn root_on_l1(l1: &mut impl ReadL1, governance: Address) -> Result<Option<U256>, NodeError> {
    let call = IGovernance::policyRootCall {};
    let answer = l1.view(governance, call.abi_encode().into())?;
    Ok(IGovernance::policyRootCall::abi_decode_returns(&answer).ok())
}

/// A tightening that the governor may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tightening {
    /// The policy after it.
    pub policy: Policy,
    /// What the governor calls governance with (protocol section 10.8).
    pub call: Bytes,
}

/// Lets `percent` less of a token leave, in the long run and at once.
///
/// # Errors
/// [`NodeError::NotTighter`] if nothing would change: the rate is 1 already, or `percent` is too small.
pub fn tighten(policy: &Policy, token: Token, percent: u8) -> Result<Tightening, NodeError> {
    let next = tightened(policy, token, percent);
    let (path, limits) = policy.limits_tree().path(token);
    let tighter = next.limits_of(token);
    if tighter == limits {
        return Err(NodeError::NotTighter { token, rate: limits.rate, percent });
    }
    // Times of a policy that was checked are below 2^40.
    let sol = |limits: TokenLimits| IGovernance::Limits {
        rate: limits.rate,
        burstSeconds: U40::saturating_from(limits.burst_seconds),
        maxDelay: U40::saturating_from(limits.max_delay),
    };
    let call = IGovernance::tightenPolicyCall {
        current: IGovernance::Policy {
            guardianKeyhash: to_u256(&policy.guardian_keyhash),
            maxFreeze: U40::saturating_from(policy.max_freeze),
            cooldown: U40::saturating_from(policy.cooldown),
            feeKeyhash: to_u256(&policy.fee_keyhash),
            feeExit: Address::from(policy.fee_exit.0),
            limitsRoot: to_u256(&policy.limits_tree().root()),
        },
        maxFreeze: U40::saturating_from(next.max_freeze),
        cooldown: U40::saturating_from(next.cooldown),
        token,
        limits: sol(limits),
        tighter: sol(tighter),
        path: path.map(|sibling| to_u256(&sibling)),
    };
    Ok(Tightening { policy: next, call: call.abi_encode().into() })
}
