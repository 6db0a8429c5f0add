//! What an operation costs, counted on filled grids.

use std::collections::BTreeMap;
use std::fmt;

use bastion_protocol::keys::SecretKey;
use bastion_protocol::kinds::ToField;
use bastion_protocol::ops::{Action, Body, Op};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::Kind;
use bastion_protocol::{Account, Address, Fr, Index};
use bastion_state::executor::{BatchBuilder, BatchContext, BatchTrace, Footprint};
use bastion_state::state::State;
use serde::Serialize;

use crate::blob;
use crate::core::{Layout, Selector, Table, WIDTH};
use crate::error::CircuitError;
use crate::shape::Slots;
use crate::shape::POPULATION;
use crate::witness::{fill, needs, ChainedInputs};
use crate::Shape;

/// Advice columns: the first phase's and the bus.
const COLUMNS: usize = WIDTH + 1;

/// Rows and cells of one table in the measured batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableCost {
    /// Blocks in use.
    pub blocks: usize,
    /// Blocks of the shape.
    pub capacity: usize,
    /// Rows in use.
    pub rows: usize,
    /// Advice cells of one block, its bus cells included.
    pub cells_per_block: usize,
    /// Advice cells in use.
    pub cells: usize,
}

/// What one operation costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationCost {
    /// Advice cells in all tables, its share of Merkle nodes included.
    pub advice_cells: usize,
    /// Posted bytes.
    pub data_bytes: usize,
}

/// The measured batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferBatch {
    /// Transfers in it.
    pub transfers: usize,
    /// Advice cells in use, per transfer.
    pub advice_cells_per_transfer: usize,
    /// All cells of the rows in use, per transfer.
    pub row_cells_per_transfer: usize,
    /// All cells of the circuit (columns times 2^k), per transfer.
    pub circuit_cells_per_transfer: usize,
}

/// Costs of a shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CostReport {
    /// The shape.
    pub shape: Shape,
    /// Advice columns.
    pub advice_columns: usize,
    /// Fixed columns.
    pub fixed_columns: usize,
    /// Commitments that the aggregator handles for each proof.
    pub commitments: usize,
    /// Rows in use by a full shape.
    pub rows: usize,
    /// By operation.
    pub operations: BTreeMap<Kind, OperationCost>,
    /// By table, in a full batch of transfers between random pairs out of 2^20 accounts.
    pub tables: BTreeMap<Table, TableCost>,
    /// That batch.
    pub transfer_batch: TransferBatch,
}

/// Measures a shape on a full batch of transfers between random pairs out of 2^20 accounts.
///
/// # Errors
/// If the shape cannot hold a transfer.
pub fn report(shape: &Shape) -> Result<CostReport, CircuitError> {
    let trace = transfer_batch(shape);
    let link =
        ChainedInputs { c_in: Fr::from(0u64), y_in: Fr::from(0u64), r: Fr::from(2u64), blob: None };
    let (grid, pools) = fill(shape, &trace, &link)?;
    let transfers = trace.ops.len();
    let layout = Layout::new(shape);
    let signatures = transfers.min(shape.slots.signatures);
    let used = |table: Table| match table {
        Table::Head => 1,
        Table::Op => transfers,
        Table::Account | Table::Unpack => trace.accounts.len(),
        Table::Node => trace.nodes.len(),
        Table::Signature => signatures,
        Table::Window => signatures * 64,
        Table::Half => signatures * 2,
        Table::Compress => 0,
        Table::Hash => pools.hashes.len(),
        Table::Range40 => pools.ranges40.len(),
        Table::Range128 => pools.ranges128.len(),
        Table::Limiter | Table::Policy | Table::Order | Table::Quote => 0,
        // What every batch has, whether its data are in a blob or not.
        Table::Blob => 1,
        Table::Powers => blob::QUARTERS,
        Table::Bits10 => blob::bits10::BLOCKS,
        Table::Slots | Table::Horner | Table::Limbs | Table::Split => 0,
    };
    let mut tables = BTreeMap::new();
    for table in Table::ALL {
        let rows = layout.rows_of(table);
        let Some(first) = rows.first().filter(|_| table != Table::Compress) else {
            continue;
        };
        let cells_per_block = grid.assigned_in(*first, table.rows()) + table.rows();
        let blocks = used(table);
        tables.insert(
            table,
            TableCost {
                blocks,
                capacity: rows.len(),
                rows: blocks * table.rows(),
                cells_per_block,
                cells: blocks * cells_per_block,
            },
        );
    }
    let cells: usize = tables.values().map(|t| t.cells).sum();
    let rows: usize = tables.values().map(|t| t.rows).sum();
    let per = |n: usize| n.div_ceil(transfers.max(1));
    let nodes_per_account = trace.nodes.len() as f64 / trace.accounts.len().max(1) as f64;
    let fixed_columns = Selector::columns().len() + 2;
    Ok(CostReport {
        advice_columns: COLUMNS,
        fixed_columns,
        // Quotient pieces, the random polynomial and two openings come on top of the columns.
        commitments: COLUMNS + fixed_columns + 4 + 1 + 2,
        rows: layout.rows,
        operations: Kind::ALL
            .into_iter()
            .map(|kind| (kind, operation(kind, &tables, nodes_per_account)))
            .collect(),
        tables,
        transfer_batch: TransferBatch {
            transfers,
            advice_cells_per_transfer: per(cells),
            row_cells_per_transfer: per(rows * COLUMNS),
            circuit_cells_per_transfer: per(COLUMNS << shape.k),
        },
        shape: shape.clone(),
    })
}

/// One operation between accounts that nothing else in the batch touches; the fee account and the
/// limiter are shared by a batch and not counted.
fn operation(
    kind: Kind,
    tables: &BTreeMap<Table, TableCost>,
    nodes_per_account: f64,
) -> OperationCost {
    let per_block = |table| tables.get(&table).map_or(0, |t| t.cells_per_block);
    let n = needs(kind);
    // The account that acts, and the one that is paid.
    let d = kind.description();
    let paid = match d.to {
        ToField::Receiver | ToField::Created => 1,
        ToField::None | ToField::Token => 0,
    };
    let accounts = usize::from(d.accesses[0]) + paid;
    let signature =
        per_block(Table::Signature) + 64 * per_block(Table::Window) + 2 * per_block(Table::Half);
    let nodes = (nodes_per_account * accounts as f64 * per_block(Table::Node) as f64) as usize;
    let advice_cells = per_block(Table::Op)
        + n.signatures * signature
        + n.hashes * per_block(Table::Hash)
        + n.ranges128 * per_block(Table::Range128)
        + n.ranges40 * per_block(Table::Range40)
        + n.limiters * per_block(Table::Limiter)
        + n.orders * per_block(Table::Order)
        + n.quotes * per_block(Table::Quote)
        + accounts * (per_block(Table::Account) + per_block(Table::Unpack))
        + nodes;
    let sections = d.sections.iter();
    OperationCost { advice_cells, data_bytes: sections.map(|s| s.record_len()).sum() }
}

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(1u64),
        time: 1_700_000_000,
        policy: Policy {
            guardian_keyhash: Fr::from(1u64),
            max_freeze: 1,
            cooldown: 1,
            fee_keyhash: Fr::from(2u64),
            fee_exit: Address([2; 20]),
            default_limits: TokenLimits { rate: 1, burst_seconds: 1, max_delay: 1 },
            limits: BTreeMap::new(),
        },
    }
}

/// A batch of transfers, each between two accounts at random places, until the shape is full.
fn transfer_batch(shape: &Shape) -> BatchTrace {
    let exit = Address([7; 20]);
    let key = SecretKey::from_seed(b"bastion.cost");
    let keyhash = key.public().keyhash();
    let owner = bastion_protocol::keys::owner(keyhash, exit);
    let places = random_places(2 * shape.slots.ops);
    let accounts = places.iter().map(|index| {
        let account = Account { balance: 1_000_000_000_000, ..Account::new(owner, 0) };
        (*index, account)
    });
    let mut state = State::with_accounts(accounts, [(keyhash, exit)]).unwrap_or_default();
    let context = context();
    let domain = context.domain;
    let time = context.time;
    let Ok(mut builder) = BatchBuilder::new(&mut state, context.clone()) else {
        return empty(context);
    };
    let mut usage = Slots::empty();
    for (i, pair) in places.chunks_exact(2).enumerate() {
        let body = Body {
            account: pair[0],
            token: 0,
            nonce: 0,
            deadline: time + 3_600,
            fee: 1_000 + i as u128 % 20 * 10,
            action: Action::Transfer { to: pair[1], amount: 1_000_003 + i as u128 },
        };
        let Ok(signed) = body.sign(&key, domain, exit) else {
            break;
        };
        let mut next = usage;
        let fits = |f: &Footprint| {
            next = usage.with(f.kind, f.accounts, f.nodes, f.tokens);
            next.fits(&shape.slots)
        };
        match builder.push(&Op::Signed(signed), fits) {
            Ok(true) => usage = next,
            _ => break,
        }
    }
    builder.finish().unwrap_or_else(|_| empty(context))
}

fn empty(context: BatchContext) -> BatchTrace {
    BatchTrace {
        context,
        old_root: Fr::from(0u64),
        new_root: Fr::from(0u64),
        ops: Vec::new(),
        accounts: Vec::new(),
        nodes: Vec::new(),
    }
}

/// Distinct user indices, the same in every run (a 64-bit congruential generator).
fn random_places(n: usize) -> Vec<Index> {
    let mut seen = std::collections::BTreeSet::new();
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(n);
    while out.len() < n {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let index = (1 << 17) + ((x >> 33) % POPULATION) as Index;
        if seen.insert(index) {
            out.push(index);
        }
    }
    out
}

impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.transfer_batch;
        writeln!(
            f,
            "shape {}: k = {}, {} advice and {} fixed columns, {} commitments, {} rows in use",
            self.shape.name,
            self.shape.k,
            self.advice_columns,
            self.fixed_columns,
            self.commitments,
            self.rows
        )?;
        writeln!(
            f,
            "full batch of transfers (random pairs of 2^20 accounts): {} transfers, each {} advice cells ({} with the blanks of its rows, {} of the whole circuit)",
            t.transfers,
            t.advice_cells_per_transfer,
            t.row_cells_per_transfer,
            t.circuit_cells_per_transfer
        )?;
        writeln!(f, "\n{:<18}{:>14}{:>12}", "operation", "advice cells", "data bytes")?;
        for (kind, cost) in &self.operations {
            let name = format!("{kind:?}");
            writeln!(f, "{name:<18}{:>14}{:>12}", cost.advice_cells, cost.data_bytes)?;
        }
        writeln!(
            f,
            "\n{:<12}{:>9}{:>10}{:>9}{:>13}{:>12}",
            "table", "blocks", "capacity", "rows", "cells/block", "cells"
        )?;
        for (table, cost) in &self.tables {
            writeln!(
                f,
                "{:<12}{:>9}{:>10}{:>9}{:>13}{:>12}",
                table.name(),
                cost.blocks,
                cost.capacity,
                cost.rows,
                cost.cells_per_block,
                cost.cells
            )?;
        }
        Ok(())
    }
}
