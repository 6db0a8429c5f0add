//! Provers that lie, each stopped by the rule that its lie breaks.

use std::collections::BTreeSet;

use bastion_circuits::core::{pow2, Expr};
use halo2_proofs::halo2curves::bn256::Fq;
use num_bigint::BigUint;

use super::*;
use crate::chip::columns::{limb_rule, side, Link, IO, LIMB};
use crate::chip::grid::{base_modulus, limbs_of, to_fr};
use crate::chip::program::offset;

fn honest() -> (Sums, Layout, Inputs, Grid) {
    let (sums, inputs) = example(2);
    let layout = Layout::new(&sums, inputs.permutations.len());
    let grid = fill(&sums, &layout, &inputs);
    assert_eq!(check(&layout, &grid), BTreeSet::new());
    (sums, layout, inputs, grid)
}

/// The rules that are broken once the range table is counted again.
fn broken(layout: &Layout, grid: &mut Grid) -> BTreeSet<String> {
    witness::count(grid, layout.bus_rows());
    check(layout, grid)
}

fn expect(layout: &Layout, grid: &mut Grid, rules: &[&str]) {
    let rules: BTreeSet<String> = rules.iter().map(|r| (*r).to_string()).collect();
    assert_eq!(broken(layout, grid), rules);
}

/// Lies about chunks go on in the limbs.
fn follow(grid: &mut Grid, row: usize) {
    let none = bastion_circuits::core::Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    let missing = grid.evaluate(&limb_rule(), row, &none);
    let value = grid.get(row, LIMB) - missing;
    grid.set(row, LIMB, value);
}

fn first(layout: &Layout, kind: Kind) -> usize {
    layout.program.rows_of(kind).next().unwrap()
}

/// The rows of additions that a scalar's digit drives.
fn driven(layout: &Layout) -> Vec<usize> {
    layout
        .program
        .blocks
        .iter()
        .filter(|(step, _)| matches!(step, Step::AddWindow { .. }))
        .map(|(_, row)| *row)
        .collect()
}

fn shift(grid: &mut Grid, row: usize, cell: &Expr, by: Fr) {
    let writer = &mut grid.block(row);
    let value = writer.read(cell);
    writer.set(cell, value + by);
}

/// A point that is not on the curve, all else consistent with it.
#[test]
fn a_point_off_the_curve() {
    let (sums, mut inputs) = example(2);
    inputs.points[1].y += Fq::one();
    let layout = Layout::new(&sums, inputs.permutations.len());
    let mut grid = fill(&sums, &layout, &inputs);
    let rules = broken(&layout, &mut grid);
    // Nothing but the equation notices: doubling and adding do not read the constant 3.
    assert_eq!(rules, ["low", "high", "native"].map(|r| format!("curve.equation.{r}")).into());
}

/// The identity has no coordinates.
#[test]
fn the_identity_as_a_point() {
    let (sums, mut inputs) = example(2);
    inputs.points[0] = G1Affine::default();
    let layout = Layout::new(&sums, inputs.permutations.len());
    let mut grid = fill(&sums, &layout, &inputs);
    assert!(broken(&layout, &mut grid).contains("curve.equation.native"));
}

#[test]
fn other_coordinates_for_the_transcript() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Curve);
    for (n, rule) in ["curve.native_x", "curve.native_y"].into_iter().enumerate() {
        let mut grid = grid.clone();
        grid.set(row + n, IO, Fr::from(5));
        expect(&layout, &mut grid, &[rule]);
    }
    // Another representative of the same point has other coordinates, and the rest must follow.
    let value = grid.get(row, IO) + to_fr(&base_modulus().clone().into());
    grid.set(row, IO, value);
    expect(&layout, &mut grid, &["curve.native_x"]);
}

/// `x + p` names the same point, and the transcript would absorb it as another one: with `x + r`
/// absorbed like `x`, two points of the curve could be exchanged after the challenges.
#[test]
fn coordinates_that_are_not_the_least() {
    let (sums, mut inputs) = example(2);
    // A point whose x + p is below 2^256, and whose x + p - r is that of its endomorphism's image.
    let x = BigUint::parse_bytes(b"734653495049373973806201247608587340314828430225682852893", 10)
        .unwrap();
    let x = Fq::from_str_vartime(&x.to_string()).unwrap();
    let y = Option::<Fq>::from((x.square() * x + Fq::from(3)).sqrt()).unwrap();
    inputs.points[0] = G1Affine { x, y };
    let layout = Layout::new(&sums, inputs.permutations.len());
    let mut grid = fill(&sums, &layout, &inputs);
    expect(&layout, &mut grid, &[]);

    let row = first(&layout, Kind::Point);
    let own = Link::own(Kind::Point.rows());
    let shifted = grid::to_integer(&x) + base_modulus();
    {
        let writer = &mut grid.block(row);
        let number = columns::Number { row: 0, top: 0 };
        writer.number(number, &shifted);
        let limbs = number.limbs().map(|limb| writer.read(&limb));
        writer.limbs(&own.x, &limbs);
    }
    let found = check_block(&grid, Kind::Point, row);
    assert_eq!(found, ["x.least_low", "x.least_high"].map(String::from).into());
}

/// The running point meets the summand: any slope satisfies both identities.
#[test]
fn a_sum_of_equal_points_with_a_slope_of_choice() {
    let (sums, mut inputs) = example(2);
    inputs.points[0] = (offset() + offset()).to_affine();
    // The first digit is 1: where the sum starts and the base are the same point.
    inputs.scalars[0] = pow2(250) + Fr::one();
    let layout = Layout::new(&sums, inputs.permutations.len());
    let mut grid = fill(&sums, &layout, &inputs);
    let row = driven(&layout)[0];
    let point = inputs.points[0];
    let lambda = Fq::from(12345);
    let x = lambda.square() - point.x.double();
    {
        let writer = &mut grid.block(row);
        assert_eq!(add::a().map(|l| writer.read(&l)), limbs_of(&point.x));
        add::assign_claim(writer, &lambda, &x);
    }
    let found = check_block(&grid, Kind::Add, row);
    assert!(found.contains("distinct.inverse"), "{found:?}");
    let others: Vec<_> = found.iter().filter(|r| !r.starts_with("distinct")).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// The constraints of one block that do not hold.
fn check_block(grid: &Grid, kind: Kind, row: usize) -> BTreeSet<String> {
    let none = bastion_circuits::core::Challenges { beta: Fr::zero(), gamma: Fr::zero() };
    gates()[kind as usize]
        .constraints
        .iter()
        .filter(|c| grid.evaluate(&c.poly, row, &none) != Fr::zero())
        .map(|c| c.name.clone())
        .collect()
}

/// Digits of another scalar: the copied scalar does not match.
#[test]
fn another_scalar() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Scalar);
    grid.set(row, IO, Fr::from(77));
    let (_, addition) = layout
        .program
        .blocks
        .iter()
        .find(|(step, _)| matches!(step, Step::AddWindow { term: 0, window: 50, .. }))
        .unwrap();
    assert!(*addition > 0);
    expect(&layout, &mut grid, &["scalar.end", "add.digits_after"]);
}

/// A digit that the summand does not have.
#[test]
fn a_digit_without_its_multiple() {
    let (_, layout, _, mut grid) = honest();
    let row = driven(&layout)[7];
    shift(&mut grid, row, &columns::word(0, 1), Fr::from(2));
    let rules = broken(&layout, &mut grid);
    assert!(rules.contains("add.multiple"), "{rules:?}");
    assert!(rules.contains("add.digits_after"), "{rules:?}");
}

/// A sign that is no sign scales the ordinate.
#[test]
fn a_sign_of_two() {
    let (_, layout, _, mut grid) = honest();
    let row = driven(&layout)[3];
    grid.block(row).set(&columns::word(0, 0), Fr::from(2));
    assert!(broken(&layout, &mut grid).contains("add.sign"));
}

/// Steps of the tables of multiples take neither another digit nor another sign.
#[test]
fn another_digit_in_a_table() {
    let (_, layout, _, grid) = honest();
    let row = first(&layout, Kind::Add);
    for (column, rule) in [(0, "add.fixed_sign"), (1, "add.fixed_digit")] {
        let mut grid = grid.clone();
        let value = if column == 0 { Fr::one() } else { Fr::from(9) };
        grid.block(row).set(&columns::word(0, column), value);
        assert!(broken(&layout, &mut grid).contains(rule), "{rule}");
    }
}

/// A multiple that nobody offered, or offered less often than it is used.
#[test]
fn offers_are_counted() {
    let (_, layout, _, mut grid) = honest();
    for (kind, rule) in [
        (Kind::Point, "point.offer"),
        (Kind::Constant, "constant.offer"),
        (Kind::Double, "double.offer"),
    ] {
        let mut grid = grid.clone();
        shift(&mut grid, first(&layout, kind), &add::uses(), Fr::one());
        expect(&layout, &mut grid, &[rule, "add.multiple"]);
    }
    shift(&mut grid, first(&layout, Kind::Add), &add::uses(), Fr::one());
    expect(&layout, &mut grid, &["add.offer", "add.multiple"]);
}

/// One limb takes what another gives: equal modulo r, another number.
#[test]
fn limbs_that_overflow() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Double);
    let own = Link::own(Kind::Double.rows());
    shift(&mut grid, row, &own.x[0], pow2(80));
    shift(&mut grid, row, &own.x[1], -Fr::one());
    let rules = broken(&layout, &mut grid);
    assert!(rules.contains("double.x.limb0") && rules.contains("double.x.limb1"));

    // The same among the public limbs of the result.
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Output);
    shift(&mut grid, row, &output::public_limb(0), pow2(88));
    shift(&mut grid, row, &output::public_limb(1), -Fr::one());
    expect(&layout, &mut grid, &["output.x.public0", "output.x.public1"]);
}

/// Pieces of a limb that do not make it up.
#[test]
fn a_cut_at_another_place() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Output);
    // 1 less above in limb 1, and what is public follows.
    shift(&mut grid, row, &Expr::cell(1, 0), -Fr::one());
    follow(&mut grid, row + 1);
    shift(&mut grid, row, &output::public_limb(1), -Fr::one());
    expect(&layout, &mut grid, &["output.x.cut0"]);
    // 256 more below mend it: the public words are no longer those that verifiers accept.
    shift(&mut grid, row, &Expr::cell(0, 0), Fr::from(256));
    follow(&mut grid, row);
    shift(&mut grid, row, &output::public_limb(0), pow2(88));
    expect(&layout, &mut grid, &[]);
    assert!(grid.get(row, IO).to_bytes()[11..].iter().any(|byte| *byte != 0));
}

/// A chunk that is no chunk, in a limb that comes out right; a limb that is not its chunks'.
#[test]
fn chunks_out_of_range() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Double);
    shift(&mut grid, row, &Expr::cell(0, 0), Fr::from(1 << 16));
    shift(&mut grid, row, &Expr::cell(0, 1), -Fr::one());
    expect(&layout, &mut grid, &["range.chunk"]);
    // A count that is off.
    let (_, layout, _, mut grid) = honest();
    let value = grid.get(9, columns::COUNT) + Fr::one();
    grid.set(9, columns::COUNT, value);
    let found = check(&layout, &grid);
    assert_eq!(found, ["range.chunk".to_string()].into());
    // Chunks that nothing else reads: of a narrow limb, and the side chunk of a wide one.
    for (at, column) in [(0, 1), (double::TANGENT, columns::SIDE)] {
        let (_, layout, _, mut grid) = honest();
        let value = if grid.get(row + at, column) == Fr::one() { 2 } else { 1 };
        grid.set(row + at, column, Fr::from(value));
        expect(&layout, &mut grid, &["bus.limb"]);
    }
}

/// The side chunk of a narrow limb is no part of it, but the highest limb of a number.
#[test]
fn another_highest_limb() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Entry);
    let value = if grid.get(row, columns::SIDE) == Fr::one() { 2 } else { 1 };
    grid.block(row).set(&side(0), Fr::from(value));
    let rules = broken(&layout, &mut grid);
    assert!(rules.contains("entry.y.limb3"), "{rules:?}");
}

/// Parts of an ordinate that are not those of the line: each later block trusts them.
#[test]
fn another_ordinate() {
    for kind in [Kind::Add, Kind::Double] {
        for part in 0..3 {
            let (_, layout, _, mut grid) = honest();
            let row = first(&layout, kind);
            let own = Link::own(kind.rows());
            shift(&mut grid, row, &own.y[part], Fr::one());
            let rule = format!("{}.y.{}", kind.name(), ["low", "high", "native"][part]);
            let rules = broken(&layout, &mut grid);
            assert!(rules.contains(&rule), "{rule}: {rules:?}");
        }
    }
}

/// A multiple with its abscissa, and the ordinate of another one.
#[test]
fn another_ordinate_of_a_multiple() {
    let (_, layout, _, grid) = honest();
    let row = driven(&layout)[7];
    for part in add::b().all() {
        let mut grid = grid.clone();
        shift(&mut grid, row, &part, Fr::one());
        assert!(broken(&layout, &mut grid).contains("add.multiple"));
    }
}

/// A point of the verifying key that is another one.
#[test]
fn another_constant() {
    let (_, layout, _, grid) = honest();
    let row = first(&layout, Kind::Constant);
    let own = Link::own(Kind::Constant.rows());
    for (n, rule) in ["words.word0", "words.word1"].into_iter().enumerate() {
        let mut grid = grid.clone();
        shift(&mut grid, row, &own.x[n], Fr::one());
        assert!(broken(&layout, &mut grid).contains(rule), "{rule}");
    }
}

/// Quotients of another multiple of p: the carries cannot follow.
#[test]
fn a_result_that_is_off_by_the_scalar_order() {
    let (_, layout, _, mut grid) = honest();
    let row = first(&layout, Kind::Double);
    // The quotient of `square`: one more, and the native equation is mended by x - p modulo r.
    shift(&mut grid, row + double::SQUARE, &Expr::cell(0, 0), Fr::one());
    follow(&mut grid, row + double::SQUARE);
    let rules = broken(&layout, &mut grid);
    assert!(rules.contains("double.square.low"), "{rules:?}");
}

#[test]
fn another_output_of_the_permutation() {
    let (_, layout, _, mut grid) = honest();
    for lane in 0..permutation::T {
        let mut grid = grid.clone();
        let (at, column) = permutation::output(lane);
        grid.set(layout.permutation(0) + at, column, Fr::from(3));
        expect(&layout, &mut grid, &[&format!("load.word{lane}")]);
    }
    let (at, column) = permutation::input(2);
    grid.set(layout.permutation(1) + at, column, Fr::from(3));
    expect(&layout, &mut grid, &["load.word2"]);
}
