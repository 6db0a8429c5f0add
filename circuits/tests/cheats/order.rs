//! The order tree: leaves, places, nodes, the step of the chain. The cheater recomputes all nodes above
//! what it alters, and looks up the hashes that it needs.

use super::*;
use bastion_circuits::core::{Expr, Grid, Layout, Table};
use bastion_circuits::hash::assign_compress;
use bastion_circuits::ops::{cells, Cells};
use bastion_circuits::{core::pow2, Fr as F};

/// Cells of the head: the chain before the counts, and the number of operations.
const MIDDLE: usize = 15;
const OPERATIONS: usize = 62;

struct Cheat {
    shape: Shape,
    grid: Grid,
    c: Cells,
    ops: Vec<usize>,
    hashes: Vec<usize>,
    /// Blocks of operations by position.
    order: Vec<usize>,
}

impl Cheat {
    /// A batch of these operations, in a world where the forced exit has something to take.
    fn of(makes: &[Make]) -> Self {
        let shape = Shape::tiny();
        let trace = run(&mut world(), &context(), makes).unwrap();
        let (grid, _) = fill(&shape, &trace, &link()).unwrap();
        let layout = Layout::new(&shape);
        let active = |i: &usize| trace.ops[*i].kind != Kind::Noop;
        let order = (0..trace.ops.len()).filter(active).collect();
        let (ops, hashes) = (layout.rows_of(Table::Op), layout.rows_of(Table::Hash));
        let cheat = Self { shape, grid, c: cells(), ops, hashes, order };
        assert_eq!(cheat.names(), set(&[]));
        cheat
    }

    fn names(&self) -> BTreeSet<String> {
        let names = names(&check(&self.shape, &self.grid));
        support::record("cheats", usize::from(!names.is_empty()));
        names
    }

    fn get(&self, op: usize, cell: Expr) -> F {
        match cell {
            Expr::Cell { row, col } => self.grid.get(self.ops[op] + row as usize, col),
            other => panic!("{other:?} is no cell"),
        }
    }

    fn set(&mut self, op: usize, cell: Expr, value: F) {
        self.grid.block(self.ops[op]).set(&cell, value);
    }

    fn nudge(&mut self, op: usize, cell: Expr) {
        let value = self.get(op, cell) + F::one();
        self.set(op, cell, value);
    }

    fn hash_block(&self, inputs: [F; 2]) -> Option<usize> {
        let used = |row: &&usize| self.grid.get(**row + 2, 23) != F::zero();
        let same = |row: &&usize| [self.grid.get(**row, 0), self.grid.get(**row, 1)] == inputs;
        self.hashes.iter().filter(used).find(same).copied()
    }

    /// One look-up of `old` less.
    fn forget(&mut self, old: [F; 2]) {
        let row = self.hash_block(old).expect("it was looked up");
        let cell = bastion_circuits::hash::multiplicity();
        let count = self.grid.get(row + 2, 23);
        self.grid.block(row).set(&cell, count - F::one());
    }

    /// One look-up of `new` more.
    fn look_up(&mut self, new: [F; 2]) -> F {
        let free = |row: &&usize| self.grid.get(**row + 2, 23) == F::zero();
        let row = self.hash_block(new).or_else(|| self.hashes.iter().find(free).copied());
        let row = row.expect("a free block");
        let mut block = self.grid.block(row);
        let out = assign_compress(&mut block, new[0], new[1]);
        let count = self.grid.get(row + 2, 23);
        let cell = bastion_circuits::hash::multiplicity();
        self.grid.block(row).set(&cell, count + F::one());
        out
    }

    /// Another look-up in the place of one.
    fn replace(&mut self, old: [F; 2], new: [F; 2]) -> F {
        self.forget(old);
        self.look_up(new)
    }

    fn public(&mut self, i: usize, value: F) {
        let mut public = self.grid.public().to_vec();
        public[i] = value;
        self.grid.set_public(public);
    }

    /// Sets the children of a position's node, and the node to their hash.
    fn node(&mut self, position: usize, children: [F; 2]) -> F {
        let op = self.order[position];
        let cells = self.c.children;
        let node = self.replace(cells.map(|cell| self.get(op, cell)), children);
        for (cell, value) in cells.into_iter().zip(children) {
            self.set(op, cell, value);
        }
        self.set(op, self.c.node, node);
        node
    }

    /// Recomputes the nodes from the leaves on, and what follows from them.
    fn rebuild(&mut self) {
        let n = self.order.len();
        self.rebuild_with(n, |_, _| None);
    }

    /// The same for a tree that claims `claimed` operations, with nodes of the cheater's choice (by
    /// number and what is there).
    fn rebuild_with(&mut self, claimed: usize, choose: impl Fn(usize, F) -> Option<F>) {
        let n = self.order.len();
        let mut nodes = vec![F::zero(); 2 * n.max(claimed) + 2];
        nodes[0] = self.grid.public()[2];
        for position in 0..n {
            nodes[claimed + position] = self.get(self.order[position], self.c.leaf);
        }
        for j in (0..n).rev() {
            let children = [nodes[2 * j], nodes[2 * j + 1]];
            nodes[j] = self.node(j, children);
            if let Some(other) = choose(j, nodes[j]) {
                // No block has this hash, so nothing is looked up.
                self.forget(children);
                self.set(self.order[j], self.c.node, other);
                nodes[j] = other;
            }
        }
        self.finish(nodes[0]);
    }

    /// Ends the chain: the value before the counts, and `c_out`.
    fn finish(&mut self, middle: F) {
        let old = self.grid.get(0, MIDDLE);
        let counts = self.counts();
        let c_out = self.replace([old, counts], [middle, counts]);
        self.grid.overwrite(0, MIDDLE, middle);
        self.public(3, c_out);
    }

    fn counts(&self) -> F {
        let cell = |n: usize| self.grid.get(n / 25, n % 25);
        let counts = (0..4).map(|i| cell(20 + i) * pow2(16 * i as u32)).sum::<F>();
        counts + cell(OPERATIONS) * pow2(64)
    }

    /// Claims another number of operations, in the head and to all operations.
    fn claim(&mut self, operations: u64) {
        let before = [self.grid.get(0, MIDDLE), self.counts()];
        self.grid.overwrite(OPERATIONS / 25, OPERATIONS % 25, operations.into());
        let c_out = self.replace(before, [before[0], self.counts()]);
        self.public(3, c_out);
        for op in 0..self.ops.len() {
            self.set(op, self.c.context.operations, operations.into());
        }
    }

    /// Another word in the place of the second or third one, with the polynomials that take it along.
    fn word(&mut self, op: usize, i: usize, value: F) {
        let c = self.c;
        let change = value - self.get(op, c.words[i]);
        self.set(op, c.words[i], value);
        if i == 1 {
            for partial in [c.y_partial[1], c.y_partial[3]] {
                let old = self.get(op, partial);
                self.set(op, partial, old + change);
            }
        }
    }

    /// The leaf again after a change of the words or of the chain that starts from `from`.
    fn leaf(&mut self, op: usize, old: [F; 3], from: usize) {
        let c = self.c;
        let [main, second, third] = [0, 1, 2].map(|i| self.get(op, c.words[i]));
        let was = [[main, old[1]], [self.get(op, c.leaf_chain[0]), old[2]]];
        if from == 0 {
            let two = self.replace(was[0], [main, second]);
            self.set(op, c.leaf_chain[0], two);
        }
        let two = self.get(op, c.leaf_chain[0]);
        let three = self.replace(was[1], [two, third]);
        self.set(op, c.leaf_chain[1], three);
        self.set(op, c.leaf, three);
    }
}

const ALL: [Make; 5] = [DEPOSIT, FORCED, TRANSFER, |_| Op::Noop, WITHDRAW];

#[test]
fn a_leaf_is_that_of_its_words() {
    // Positions of the five: 0, 1, 2, none, 3.
    for (op, rule) in [
        (0, "op.leaf_of_three_words"),
        (1, "op.leaf_of_five_words"),
        (2, "op.leaf_of_one_word"),
        (4, "op.leaf_of_three_words"),
    ] {
        let mut cheat = Cheat::of(&ALL);
        let leaf = cheat.c.leaf;
        cheat.nudge(op, leaf);
        cheat.rebuild();
        assert_eq!(cheat.names(), set(&[rule]), "{op}");
    }
    // The words of a withdrawal's exit record.
    for (i, rule) in [(1, "op.withdraw_second_word"), (2, "op.withdraw_third_word")] {
        let mut cheat = Cheat::of(&ALL);
        let old = [0, 1, 2].map(|i| cheat.get(4, cheat.c.words[i]));
        cheat.word(4, i, old[i] + F::one());
        cheat.leaf(4, old, 0);
        cheat.rebuild();
        assert_eq!(cheat.names(), set(&[rule]));
    }
    // Hashes on the way to a leaf.
    for (i, rule) in [(0, "op.leaf_second"), (1, "op.leaf_third")] {
        let mut cheat = Cheat::of(&ALL);
        let c = cheat.c;
        let [main, second, third] = [0, 1, 2].map(|i| cheat.get(0, c.words[i]));
        let [two, three] = c.leaf_chain.map(|cell| cheat.get(0, cell));
        match i {
            0 => {
                cheat.forget([main, second]);
                cheat.nudge(0, c.leaf_chain[0]);
                let other = cheat.replace([two, third], [two + F::one(), third]);
                cheat.set(0, c.leaf_chain[1], other);
                cheat.set(0, c.leaf, other);
            }
            _ => {
                cheat.forget([two, third]);
                cheat.set(0, c.leaf_chain[1], three + F::one());
                cheat.set(0, c.leaf, three + F::one());
            }
        }
        cheat.rebuild();
        assert_eq!(cheat.names(), set(&[rule]));
    }
}

/// A forced exit that pays has the end of its leaf where others have a message.
#[test]
fn the_leaf_of_a_forced_exit_goes_on_with_its_exit_record() {
    for (cell, rule) in [
        (0, "op.forced_exit_goes_on"),
        (1, "op.forced_exit_fourth_word"),
        (2, "op.forced_exit_fifth_word"),
    ] {
        let mut cheat = Cheat::of(&ALL);
        let c = cheat.c;
        let values = |cheat: &Cheat| {
            [c.message_chain[0], c.x1, c.message_chain[1], c.x2].map(|cell| cheat.get(1, cell))
        };
        let [a, x1, b, x2] = values(&cheat);
        cheat.nudge(1, [c.message_chain[0], c.x1, c.x2][cell]);
        let [new_a, new_x1, _, new_x2] = values(&cheat);
        let four = cheat.replace([a, x1], [new_a, new_x1]);
        let five = cheat.replace([b, x2], [four, new_x2]);
        for (cell, value) in
            [(c.message_chain[1], four), (c.message_chain[2], five), (c.leaf, five)]
        {
            cheat.set(1, cell, value);
        }
        cheat.rebuild();
        assert_eq!(cheat.names(), set(&[rule]));
    }
}

#[test]
fn leaves_do_not_change_places() {
    // Two leaves swapped in the tree: that of a transfer and that of a withdrawal.
    let mut cheat = Cheat::of(&ALL);
    let leaf = cheat.c.leaf;
    let leaves = [2, 4].map(|op| cheat.get(op, leaf));
    cheat.set(2, leaf, leaves[1]);
    cheat.set(4, leaf, leaves[0]);
    cheat.rebuild();
    assert_eq!(cheat.names(), set(&["op.leaf_of_one_word", "op.leaf_of_three_words"]));
    // Two operations swap their positions, with all that belongs to them.
    let mut cheat = Cheat::of(&ALL);
    let position = cheat.c.position;
    cheat.set(2, position, 3.into());
    cheat.set(4, position, 2.into());
    // Their nodes' children too, then everything above.
    let children = cheat.c.children;
    for cell in children.into_iter().chain([cheat.c.node]) {
        let [a, b] = [2, 4].map(|op| cheat.get(op, cell));
        cheat.set(2, cell, b);
        cheat.set(4, cell, a);
    }
    cheat.order.swap(2, 3);
    cheat.rebuild();
    assert_eq!(cheat.names(), set(&["op.state_before", "op.state_after"]));
    // A leaf stands where the tree has that of another: it is not produced there.
    let mut cheat = Cheat::of(&ALL);
    let op = cheat.order[2];
    let [left, right] = children.map(|cell| cheat.get(op, cell));
    let node = cheat.node(2, [right, left]);
    let top = [cheat.order[1], cheat.order[0]];
    let inner = cheat.get(top[0], children[1]);
    let one = cheat.node(1, [node, inner]);
    let c_in = cheat.grid.public()[2];
    let middle = cheat.node(0, [c_in, one]);
    cheat.finish(middle);
    assert_eq!(cheat.names(), set(&["op.left_child", "op.right_child", "op.leaf_place"]));
}

#[test]
fn every_operation_has_one_place() {
    // An operation that takes no place: the next one stands at its.
    let mut cheat = Cheat::of(&ALL);
    let position = cheat.c.position;
    let [before, own] = [2, 4].map(|op| cheat.get(op, position));
    assert_eq!((before, own), (2.into(), 3.into()));
    cheat.set(3, position, before);
    cheat.set(4, position, before);
    cheat.claim(3);
    let names = cheat.names();
    let state = ["op.state_before", "op.state_after"];
    assert!(names.is_superset(&set(&state)), "{names:?}");
    // Padding does not count.
    let mut cheat = Cheat::of(&ALL);
    let last = cheat.ops.len() - 1;
    let value = cheat.get(last, position) + F::one();
    cheat.set(last, position, value);
    assert_eq!(cheat.names(), set(&["op.state_before", "op.state_after", "head.last_state"]));
}

/// Too many, too few: the number is that of the operations, whatever tree goes with it.
#[test]
fn the_number_of_operations_is_theirs() {
    for claimed in [3, 5] {
        let mut cheat = Cheat::of(&ALL);
        cheat.claim(claimed);
        cheat.rebuild_with(claimed as usize, |_, _| None);
        let names = cheat.names();
        assert!(names.is_superset(&set(&["op.state_after", "head.last_state"])), "{names:?}");
    }
    // The head says one thing and the operations another.
    let mut cheat = Cheat::of(&ALL);
    for op in 0..cheat.ops.len() {
        let cell = cheat.c.context.operations;
        cheat.set(op, cell, 5.into());
    }
    let names = cheat.names();
    assert!(names.is_superset(&set(&["op.context", "head.context"])), "{names:?}");
    // Only what the chain absorbs.
    let mut cheat = Cheat::of(&ALL);
    let [middle, counts] = [cheat.grid.get(0, MIDDLE), cheat.counts()];
    let c_out = cheat.replace([middle, counts], [middle, counts + pow2(64)]);
    cheat.public(3, c_out);
    assert_eq!(cheat.names(), set(&["head.chain_counts", "hash.produce"]));
}

#[test]
fn nodes_are_those_of_their_children() {
    for j in 0..4 {
        let mut cheat = Cheat::of(&ALL);
        cheat.rebuild_with(4, |number, node| (number == j).then(|| node + F::one()));
        assert_eq!(cheat.names(), set(&["op.tree_node"]), "{j}");
    }
    // A child that nobody produced, and one that nobody takes.
    for (side, rule) in [(0, "op.left_child"), (1, "op.right_child")] {
        let mut cheat = Cheat::of(&ALL);
        let op = cheat.order[3];
        let mut inputs = cheat.c.children.map(|cell| cheat.get(op, cell));
        inputs[side] += F::one();
        let three = cheat.node(3, inputs);
        let two = cheat.get(cheat.order[1], cheat.c.children[0]);
        let one = cheat.node(1, [two, three]);
        let c_in = cheat.grid.public()[2];
        let middle = cheat.node(0, [c_in, one]);
        cheat.finish(middle);
        assert_eq!(cheat.names(), set(&[rule, "op.leaf_place"]));
    }
}

#[test]
fn the_chain_takes_its_step() {
    // Skipped: the first operation hands on what it found.
    let mut cheat = Cheat::of(&ALL);
    let c_in = cheat.grid.public()[2];
    cheat.rebuild_with(4, |number, _| (number == 0).then_some(c_in));
    assert_eq!(cheat.names(), set(&["op.tree_node"]));
    // The head takes back what it gave, so that the first operation has nothing to take.
    let mut cheat = Cheat::of(&ALL);
    cheat.finish(c_in);
    let ends = ["head.chain_before", "head.chain_after", "op.left_child", "op.node_place"];
    assert_eq!(cheat.names(), set(&ends));
    // A step from another value.
    let mut cheat = Cheat::of(&ALL);
    let root = cheat.get(cheat.order[0], cheat.c.children[1]);
    let middle = cheat.node(0, [c_in + F::one(), root]);
    cheat.finish(middle);
    assert_eq!(cheat.names(), set(&["head.chain_before", "op.left_child"]));
    // An end that no step leads to.
    let mut cheat = Cheat::of(&ALL);
    let middle = cheat.grid.get(0, MIDDLE) + F::one();
    cheat.finish(middle);
    assert_eq!(cheat.names(), set(&["head.chain_after", "op.node_place"]));
    // A batch without operations takes no step.
    let mut cheat = Cheat::of(&[]);
    let middle = cheat.grid.get(0, MIDDLE);
    assert_eq!(middle, c_in);
    cheat.finish(middle + F::one());
    assert_eq!(cheat.names(), set(&["head.chain_before", "head.chain_after"]));
}
