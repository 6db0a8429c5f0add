//! Permuted operations in the circuit: executed again they are a batch like any other, and not the proven one.

use bastion_circuits::check::{check, names};
use bastion_circuits::witness::{checked, fill, ChainedInputs};
use bastion_circuits::{Fr, Shape};
use bastion_node::block::Block;
use bastion_state::executor::{
    order_chain, posted_data, BatchBuilder, BatchTrace, OpTrace, OrderTrace, Quotes,
};
use bastion_state::state::State;

/// Executes the block's operations in another order, with the same quotes.
fn execute(block: &Block, positions: &[Vec<usize>]) -> Vec<BatchTrace> {
    let mut state = State::new();
    let batches = block.batches.iter().zip(positions).map(|(honest, positions)| {
        let mut quotes = Quotes::default();
        for quoted in honest.ops.iter().filter_map(|op| op.quote) {
            quotes.insert(quoted.quote, quoted.surplus);
        }
        let context = honest.context.clone();
        let mut batch = BatchBuilder::with_quotes(&mut state, context, quotes).unwrap();
        for position in positions {
            assert!(batch.push(&honest.ops[*position].op, |_| true).unwrap());
        }
        batch.finish().unwrap()
    });
    batches.collect()
}

/// What an order is filled by: everything but the sums before and after it.
fn fill_of(op: &OpTrace) -> Option<OrderTrace> {
    let flows = Default::default();
    op.order.map(|order| OrderTrace { before: flows, after: flows, ..order })
}

/// How the batches of the block come out in another order.
pub struct Reexecuted {
    /// Batches whose order is another one.
    pub changed: usize,
    /// Names of the rules that their witnesses break under the proven statement.
    pub broken: Vec<String>,
}

/// The proven block, and the statement of each batch in the circuit.
pub struct Proven {
    block: Block,
    links: Vec<ChainedInputs>,
    statements: Vec<Vec<Fr>>,
}

impl Proven {
    pub fn new(block: Block) -> Self {
        let links = block.links().unwrap();
        let public = |(batch, link)| {
            let (grid, _) = fill(&Shape::tiny(), batch, link).unwrap();
            assert!(check(&Shape::tiny(), &grid).is_empty());
            grid.public().to_vec()
        };
        let statements = block.batches.iter().zip(&links).map(public).collect();
        Self { block, links, statements }
    }

    /// Executes the operations in another order. The result must be valid, with the same root, prices and
    /// fills; under the statement that was proven, the circuit must refuse each batch that is another one.
    pub fn reexecute(&self, positions: &[Vec<usize>]) -> Reexecuted {
        let shape = Shape::tiny();
        let traces = execute(&self.block, positions);
        let mut found = Reexecuted { changed: 0, broken: Vec::new() };
        let mut own = self.links[0];
        for (i, (trace, positions)) in traces.iter().zip(positions).enumerate() {
            let honest = &self.block.batches[i];
            assert_eq!((trace.old_root, trace.new_root), (honest.old_root, honest.new_root));
            for (op, position) in trace.ops.iter().zip(positions) {
                assert_eq!(fill_of(op), fill_of(&honest.ops[*position]));
            }
            checked(&shape, trace, &own).unwrap();
            own = behind(trace, own);
            if positions.iter().copied().eq(0..honest.ops.len()) {
                continue;
            }
            let (mut grid, _) = fill(&shape, trace, &self.links[i]).unwrap();
            grid.set_public(self.statements[i].clone());
            let broken = names(&check(&shape, &grid));
            assert!(!broken.is_empty(), "batch {i}: {positions:?}");
            found.changed += 1;
            found.broken.extend(broken);
        }
        found
    }
}

/// What links the batch after this one.
fn behind(trace: &BatchTrace, link: ChainedInputs) -> ChainedInputs {
    let y_in = posted_data(&trace.ops).evaluate(link.y_in, link.r);
    ChainedInputs { c_in: order_chain(link.c_in, &trace.ops), y_in, ..link }
}
