//! Fills the tables of a batch.

use std::collections::HashMap;

use bastion_protocol::data::DataMode;
use bastion_protocol::Kind;
use bastion_state::executor::{BatchTrace, LimiterTrace};
use halo2_proofs::halo2curves::bn256::Fr;
use rayon::prelude::*;

use crate::core::{BlockWriter, Grid, Layout, Table, SIGNATURE_ROWS};
use crate::error::CircuitError;
use crate::head::{Head, PublicInputs};
use crate::ops::OpState;
use crate::policy::Opening;
use crate::ranges::Width;
use crate::signatures::{Check, MULTIPLES};
use crate::witness::convert::{small, to_halo2, to_state, wide};
use crate::witness::in_blob::{self, BlobLink};
use crate::witness::LookupCounts;
use crate::{accounts, blob, check, hash, head, limiter, nodes, ops, policy, ranges, signatures};
use crate::{BatchCircuit, Shape};

/// What links a batch to the block that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainedInputs {
    /// The order chain before the batch.
    pub c_in: bastion_protocol::Fr,
    /// Word polynomial before the batch.
    pub y_in: bastion_protocol::Fr,
    /// Evaluation point.
    pub r: bastion_protocol::Fr,
    /// The blob that holds L2 and owner records, if one does.
    pub blob: Option<BlobLink>,
}

impl ChainedInputs {
    /// Where L2 and owner records are.
    pub fn mode(&self) -> DataMode {
        match self.blob {
            None => DataMode::Calldata,
            Some(_) => DataMode::Blob,
        }
    }
}

/// The circuit of an executed batch.
///
/// # Errors
/// [`CircuitError::TableFull`] if the batch does not fit the shape, [`CircuitError::OutOfRange`] if
/// the trace was not made by the executor.
pub fn generate_witness(
    shape: &Shape,
    trace: &BatchTrace,
    link: &ChainedInputs,
) -> Result<BatchCircuit, CircuitError> {
    let (grid, pools) = fill(shape, trace, link)?;
    if let Some((bits, value)) = pools.out_of_range.first() {
        return Err(CircuitError::OutOfRange {
            what: "a range-checked value",
            value: format!("{value:?}"),
            bits: *bits,
        });
    }
    Ok(BatchCircuit::new(shape.clone(), grid))
}

/// The circuit of a batch, and the certainty that a proof of it exists: every rule was evaluated.
///
/// # Errors
/// Those of [`fill`], and [`CircuitError::Unprovable`] with the operation at fault.
pub fn checked(
    shape: &Shape,
    trace: &BatchTrace,
    link: &ChainedInputs,
) -> Result<BatchCircuit, CircuitError> {
    let (grid, pools) = fill(shape, trace, link)?;
    check::require(shape, trace, &grid, &pools)?;
    Ok(BatchCircuit::new(shape.clone(), grid))
}

/// The grid of a batch, whether its rules hold or not: the tests of cheating provers start here.
///
/// # Errors
/// [`CircuitError::TableFull`] if the batch does not fit the shape.
pub fn fill(
    shape: &Shape,
    trace: &BatchTrace,
    link: &ChainedInputs,
) -> Result<(Grid, LookupCounts), CircuitError> {
    let layout = Layout::new(shape);
    let mut fill = Fill {
        shape,
        trace,
        places: Table::ALL.map(|table| {
            let rows = layout.rows_of(table);
            (rows.first().copied().unwrap_or(0), rows.len())
        }),
        grid: Grid::new(layout.rows),
        pools: LookupCounts::default(),
    };
    fill.run(link)?;
    Ok((fill.grid, fill.pools))
}

struct Fill<'a> {
    shape: &'a Shape,
    trace: &'a BatchTrace,
    /// First row and number of the blocks of each table.
    places: [(usize, usize); Table::ALL.len()],
    grid: Grid,
    pools: LookupCounts,
}

type Rows = std::iter::StepBy<std::ops::Range<usize>>;

/// Rows from a block of a table to the next.
fn stride(table: Table) -> usize {
    match table {
        Table::Signature => SIGNATURE_ROWS,
        _ => table.rows(),
    }
}

/// Blocks that one thread fills in a row.
const CHUNK: usize = 16;

impl Fill<'_> {
    fn run(&mut self, link: &ChainedInputs) -> Result<(), CircuitError> {
        let policy = &self.trace.context.policy;
        let domain = to_halo2(self.trace.context.domain);
        let constants = head::constants(policy, domain, &mut self.pools);
        let limits = policy.limits_tree();
        let limits_root = limits.root();

        let base_counts = self.signatures()?;
        let (state, middle) = self.ops(link, constants)?;
        let places = Table::BLOB.map(|table| (table, self.places[table as usize]));
        let blob = in_blob::write(&mut self.grid, self.shape, &places, self.trace, link.blob)?;
        self.pools.out_of_range.extend(blob.out_of_range.iter().map(|(_, value)| (126, *value)));
        self.accounts(&state.last_access)?;
        self.nodes()?;
        let policy_uses = self.limiters(limits_root)?;
        let uses = (policy_uses, base_counts);
        self.head(link, (&state, middle), constants, limits_root, uses, &blob);
        self.hashes()?;
        self.ranges()
    }

    /// First rows of all blocks of a table, of which `needed` are used.
    fn rows_of(&self, table: Table, needed: usize) -> Result<Rows, CircuitError> {
        let (first, capacity) = self.places[table as usize];
        if needed > capacity {
            return Err(CircuitError::TableFull {
                table,
                needed,
                capacity,
                shape: self.shape.name.clone(),
            });
        }
        let stride = stride(table);
        Ok((first..first + stride * capacity).step_by(stride))
    }

    /// Writers for all blocks of a table, to be filled side by side.
    fn blocks(
        &mut self,
        table: Table,
        needed: usize,
    ) -> Result<impl IndexedParallelIterator<Item = BlockWriter<'_>>, CircuitError> {
        let (first, rows) = (self.places[table as usize].0, self.rows_of(table, needed)?);
        let blocks = self.grid.blocks(first, stride(table), rows.len());
        Ok(blocks.with_min_len(CHUNK))
    }

    fn signatures(&mut self) -> Result<[u64; MULTIPLES], CircuitError> {
        let checks: Vec<Check> = self
            .trace
            .ops
            .iter()
            .filter_map(|op| Some((op.signed()?, op.message?)))
            .map(|(signed, message)| Check::new(signed.key, message, &signed.signature))
            .collect();
        let blocks = self.blocks(Table::Signature, checks.len())?.enumerate();
        let filled: Vec<(LookupCounts, [u64; MULTIPLES])> = blocks
            .map(|(i, mut writer)| {
                let mut pools = LookupCounts::default();
                let id = i as u64 + 1;
                let used = signatures::assign(&mut writer, id, checks.get(i), &mut pools);
                (pools, used)
            })
            .collect();
        let mut counts = [0; MULTIPLES];
        for (pools, used) in filled {
            self.pools.absorb(pools);
            for (total, n) in counts.iter_mut().zip(used) {
                *total += n;
            }
        }
        Ok(counts)
    }

    fn ops(
        &mut self,
        link: &ChainedInputs,
        (m_domain, fee_owner): (Fr, Fr),
    ) -> Result<(OpState, Fr), CircuitError> {
        let context = &self.trace.context;
        let operations = self.trace.ops.iter().filter(|op| op.kind != Kind::Noop);
        let mut state = OpState {
            number: 0,
            leaves: Vec::new(),
            y: [Fr::zero(); 4],
            counts: [0; 4],
            last_access: HashMap::new(),
            context: [
                small(context.time),
                to_halo2(link.r),
                m_domain,
                to_halo2(context.policy.guardian_keyhash),
                small(context.policy.max_freeze),
                small(context.policy.cooldown),
                fee_owner,
                small(link.mode().flag()),
                small(operations.count() as u64),
            ],
        };
        let rows = self.rows_of(Table::Op, self.trace.ops.len())?;
        for (i, row) in rows.clone().enumerate() {
            ops::assign(
                &mut self.grid.block(row),
                self.trace.ops.get(i),
                context,
                &mut state,
                &mut self.pools,
            );
        }
        let middle = self.order(rows, to_halo2(link.c_in), &state.leaves);
        Ok((state, middle))
    }

    /// The order tree, a node to an operation; returns the chain over batches behind it.
    fn order(&mut self, rows: Rows, c_in: Fr, leaves: &[Fr]) -> Fr {
        let n = leaves.len();
        // By number; in the place of number 0, which is no node, stands the step of the chain.
        let mut nodes = vec![c_in; n];
        nodes.extend(leaves);
        let mut steps = vec![[Fr::zero(); 3]; n];
        for j in (0..n).rev() {
            let [left, right] = [nodes[2 * j], nodes[2 * j + 1]];
            nodes[j] = self.pools.compress(left, right);
            steps[j] = [left, right, nodes[j]];
        }
        let mut steps = steps.into_iter();
        for (i, row) in rows.enumerate() {
            let active = self.trace.ops.get(i).is_some_and(|op| op.kind != Kind::Noop);
            let step = if active { steps.next() } else { None };
            ops::assign_node(&mut self.grid.block(row), step.unwrap_or_default());
        }
        nodes.first().copied().unwrap_or(c_in)
    }

    fn accounts(&mut self, last_access: &HashMap<u32, u64>) -> Result<(), CircuitError> {
        let touched = &self.trace.accounts;
        let blocks = self.blocks(Table::Account, touched.len())?.enumerate();
        blocks.for_each(|(i, mut writer)| {
            let touch = touched.get(i);
            for (n, fields) in accounts::states(touch).into_iter().enumerate() {
                let mut compress = writer.inner(n * Table::Compress.rows());
                hash::assign_compress(&mut compress, fields.owner, fields.packed());
            }
            let last = touch.map(|t| (t, last_access.get(&t.index).copied().unwrap_or(0)));
            accounts::assign(&mut writer, last);
        });
        let blocks = self.blocks(Table::Unpack, touched.len())?.enumerate();
        blocks.for_each(|(i, mut writer)| {
            let touch = touched.get(i);
            let before = touch.and_then(|t| t.before.as_ref());
            accounts::assign_unpack(&mut writer, before, u64::from(touch.is_some()));
        });
        Ok(())
    }

    fn nodes(&mut self) -> Result<(), CircuitError> {
        let nodes = &self.trace.nodes;
        let blocks = self.blocks(Table::Node, nodes.len())?.enumerate();
        blocks.for_each(|(i, mut writer)| {
            let node = nodes.get(i);
            for (n, [left, right]) in nodes::inputs(node).into_iter().enumerate() {
                let mut compress = writer.inner(n * Table::Compress.rows());
                hash::assign_compress(&mut compress, left, right);
            }
            nodes::assign(&mut writer, node);
        });
        Ok(())
    }

    /// Limiter and policy blocks; returns how many look the policy context up.
    fn limiters(&mut self, limits_root: bastion_protocol::Fr) -> Result<u64, CircuitError> {
        let context = &self.trace.context;
        let uses: Vec<&LimiterTrace> =
            self.trace.ops.iter().filter_map(|op| op.limiter.as_ref()).collect();
        let rows = self.rows_of(Table::Limiter, uses.len())?;
        for (i, row) in rows.into_iter().enumerate() {
            limiter::assign(
                &mut self.grid.block(row),
                uses.get(i).copied(),
                context.time,
                limits_root,
                &mut self.pools,
            );
        }
        let mut tokens: Vec<(u16, u64)> = Vec::new();
        for used in &uses {
            match tokens.iter_mut().find(|(token, _)| *token == used.token) {
                Some((_, count)) => *count += 1,
                None => tokens.push((used.token, 1)),
            }
        }
        let tree = context.policy.limits_tree();
        let rows = self.rows_of(Table::Policy, tokens.len())?;
        for (i, row) in rows.into_iter().enumerate() {
            let opening = tokens.get(i).map(|(token, count)| {
                let (siblings, limits) = tree.path(*token);
                let opening = Opening { token: *token, limits, siblings };
                (opening, *count)
            });
            policy::assign(
                &mut self.grid.block(row),
                opening.as_ref().map(|(o, n)| (o, *n)),
                context.time,
                &mut self.pools,
            );
        }
        Ok((uses.len() + tokens.len()) as u64)
    }

    fn head(
        &mut self,
        link: &ChainedInputs,
        (state, middle): (&OpState, Fr),
        constants: (Fr, Fr),
        limits_root: bastion_protocol::Fr,
        (policy_uses, base_counts): (u64, [u64; MULTIPLES]),
        blob: &blob::Written,
    ) {
        let [blob_in, blob_out] = [blob.from, blob.to].map(|pieces| pieces.limbs());
        let context = &self.trace.context;
        let mode = link.mode();
        let sections = mode.in_calldata(state.y.map(|y| to_state(&y)));
        let y_out =
            bastion_protocol::data::batch_polynomial(link.y_in, link.r, sections, state.counts);
        let operations = state.leaves.len() as u64;
        let counts = bastion_protocol::order::counts_word(state.counts, operations);
        let c_out = self.pools.compress(middle, to_halo2(counts));
        let public = PublicInputs {
            old_root: to_halo2(self.trace.old_root),
            new_root: to_halo2(self.trace.new_root),
            c_in: to_halo2(link.c_in),
            c_out,
            y_in: to_halo2(link.y_in),
            y_out: to_halo2(y_out),
            policy_root: to_halo2(context.policy.root_with(limits_root)),
            domain: to_halo2(context.domain),
            time: small(context.time),
            r: to_halo2(link.r),
            z: wide(link.blob.map_or(0, |blob| blob.z)),
            mode: small(mode.flag()),
            blob_in_low: blob_in[0],
            blob_in_high: blob_in[1],
            blob_out_low: blob_out[0],
            blob_out_high: blob_out[1],
        };
        let head = Head {
            public,
            mode,
            policy: &context.policy,
            limits_root,
            touched: !self.trace.accounts.is_empty(),
            middle,
            operations,
            y: state.y,
            counts: state.counts,
            policy_uses,
            base_counts,
        };
        let (row, _) = self.places[Table::Head as usize];
        head::assign(&mut self.grid.block(row), &head, constants, &mut self.pools);
        self.grid.set_public(public.into_array().to_vec());
    }

    fn hashes(&mut self) -> Result<(), CircuitError> {
        let entries = std::mem::take(&mut self.pools.hashes.entries);
        let blocks = self.blocks(Table::Hash, entries.len())?.enumerate();
        blocks.for_each(|(i, mut writer)| {
            let (inputs, count) = entries.get(i).copied().unwrap_or(([[0; 32]; 2], 0));
            let [a, b] =
                inputs.map(|bytes| Option::from(Fr::from_bytes(&bytes)).unwrap_or(Fr::zero()));
            hash::assign_compress(&mut writer, a, b);
            writer.set(&hash::multiplicity(), small(count));
        });
        self.pools.hashes.entries = entries;
        Ok(())
    }

    fn ranges(&mut self) -> Result<(), CircuitError> {
        for (table, width) in [(Table::Range40, Width::Bits40), (Table::Range128, Width::Bits128)] {
            let pool = match width {
                Width::Bits40 => &mut self.pools.ranges40,
                Width::Bits128 => &mut self.pools.ranges128,
            };
            let entries = std::mem::take(&mut pool.entries);
            let blocks = self.blocks(table, entries.len())?.enumerate();
            blocks.for_each(|(i, mut writer)| {
                let (value, count) = entries.get(i).copied().unwrap_or((0, 0));
                ranges::assign(&mut writer, width, value, count);
            });
            match width {
                Width::Bits40 => self.pools.ranges40.entries = entries,
                Width::Bits128 => self.pools.ranges128.entries = entries,
            }
        }
        Ok(())
    }
}
