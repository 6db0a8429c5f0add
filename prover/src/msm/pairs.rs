//! Sums of pairs of points, many at once.

use halo2_proofs::halo2curves::bn256::Fq;
use halo2_proofs::halo2curves::ff::Field;

use super::{Form, Point};
use crate::lanes::{self, Engine, Kernel, Lanes, WIDTH};

/// Pairs that share an inversion: what they take stays in the second-level cache.
const CHUNK: usize = 1 << 10;

/// Coordinates of one operand of each pair.
struct Side {
    x: Vec<Fq>,
    y: Vec<Fq>,
}

impl Side {
    fn new() -> Self {
        Self { x: vec![Fq::ZERO; CHUNK], y: vec![Fq::ZERO; CHUNK] }
    }

    #[inline(always)]
    fn set(&mut self, at: usize, point: &Point) {
        self.x[at] = point.x;
        self.y[at] = point.y;
    }
}

/// Collects pairs, adds them when there are enough, and puts each sum in its place.
pub(super) struct Pairs {
    form: Form,
    left: Side,
    right: Side,
    places: Vec<usize>,
}

impl Pairs {
    pub(super) fn new(form: Form) -> Self {
        Self { form, left: Side::new(), right: Side::new(), places: Vec::with_capacity(CHUNK) }
    }

    /// Puts `a + b` in `points[place]`, now or at the latest when [`Self::finish`] is called.
    #[inline(always)]
    pub(super) fn add(&mut self, a: &Point, b: &Point, place: usize, points: &mut [Point]) {
        let (of_a, of_b) = (a.lowest(), b.lowest());
        if of_a == of_b || of_a == 0 || of_b == 0 {
            if let Some(sum) = self.special(a, b) {
                points[place] = sum;
                return;
            }
        }
        let at = self.places.len();
        self.left.set(at, a);
        self.right.set(at, b);
        self.places.push(place);
        if self.places.len() == CHUNK {
            self.finish(points);
        }
    }

    /// The sum, if the formula for two points of different abscissas does not apply.
    #[inline(never)]
    fn special(&self, a: &Point, b: &Point) -> Option<Point> {
        if a.is_identity() {
            return Some(*b);
        }
        if b.is_identity() {
            return Some(*a);
        }
        if a.x != b.x {
            return None;
        }
        if a.y != b.y {
            return Some(Point::IDENTITY);
        }
        // The curve has no point of order two, so that y is not zero.
        let Form { lift, drop } = self.form;
        let (x, y) = (a.x * drop, a.y * drop);
        let inverse = y.double().invert().unwrap_or(Fq::ZERO);
        let slope = x.square() * Fq::from(3) * inverse;
        let sum = slope.square() - x.double();
        Some(Point { x: sum * lift, y: (slope * (x - sum) - y) * lift })
    }

    /// Puts all sums that are still to come in their places.
    pub(super) fn finish(&mut self, points: &mut [Point]) {
        let count = self.places.len();
        let padded = count.next_multiple_of(WIDTH);
        for at in count..padded {
            // Any pair with different abscissas.
            self.left.x[at] = Fq::ZERO;
            self.right.x[at] = Fq::ONE;
        }
        lanes::run(Addition {
            left: &mut self.left,
            right: &self.right,
            count: padded,
            lift: self.form.lift,
        });
        for (at, place) in self.places.drain(..).enumerate() {
            points[place] = Point { x: self.left.x[at], y: self.left.y[at] };
        }
    }
}

/// Adds `right` to `left`, pair by pair. Abscissas differ.
struct Addition<'a> {
    left: &'a mut Side,
    right: &'a Side,
    count: usize,
    lift: Fq,
}

impl Kernel for Addition<'_> {
    type Output = ();

    #[inline(always)]
    fn run<E: Engine>(self) {
        add::<E::Coordinates>(self);
    }
}

/// `λ = (y₂ - y₁)/(x₂ - x₁)`, `x₃ = λ² - x₁ - x₂`, `y₃ = λ·(x₁ - x₃) - y₁`, with Montgomery's trick in
/// each lane: the product of all differences is inverted and taken apart from the end.
#[inline(always)]
fn add<L: Lanes<Field = Fq>>(addition: Addition<'_>) {
    let Addition { left, right, count, lift } = addition;
    let one = L::constant(&Fq::ONE);
    let mut product = L::splat(&one);
    let mut differences = Vec::with_capacity(count / WIDTH);
    let mut products = Vec::with_capacity(count / WIDTH);
    for at in (0..count).step_by(WIDTH) {
        let difference = L::load(&right.x[at..]).sub(L::load(&left.x[at..]), 1);
        products.push(product);
        differences.push(difference);
        product = product.mul(difference);
    }
    let mut lanes = [Fq::ZERO; WIDTH];
    product.store_canonical(&mut lanes);
    let mut inverse = L::load(&inverses(lanes, lift));
    for (i, (difference, product)) in differences.into_iter().zip(products).enumerate().rev() {
        let at = i * WIDTH;
        let (x1, x2) = (L::load(&left.x[at..]), L::load(&right.x[at..]));
        let (y1, y2) = (L::load(&left.y[at..]), L::load(&right.y[at..]));
        let slope = y2.sub(y1, 1).mul(inverse.mul(product));
        inverse = inverse.mul(difference);
        let x3 = slope.square().sub(x1, 1).sub(x2, 1);
        let y3 = slope.mul(x1.sub(x3, 4)).sub(y1, 1);
        x3.store_canonical(&mut left.x[at..]);
        y3.store_canonical(&mut left.y[at..]);
    }
}

/// Inverses of numbers in lanes' form, in that form. None is zero.
fn inverses(lanes: [Fq; WIDTH], lift: Fq) -> [Fq; WIDTH] {
    let mut before = [Fq::ONE; WIDTH];
    for i in 1..WIDTH {
        before[i] = before[i - 1] * lanes[i - 1];
    }
    let all = before[WIDTH - 1] * lanes[WIDTH - 1];
    let mut inverse = all.invert().unwrap_or(Fq::ZERO);
    let mut out = lanes;
    for i in (0..WIDTH).rev() {
        // What stands here is the number times the lift, and so must its inverse.
        out[i] = inverse * before[i] * lift.square();
        inverse *= lanes[i];
    }
    out
}
