//! What a constraint degree of 6 would cost: the batch circuit as it is (degree 5), and the same
//! circuit in an evaluation domain of degree 6. `BASTION_BENCH_SHAPE` picks the shape.
//!
//! A hash of degree 6 would need fewer cells (circuits/src/hash/README.md); the ratio of the two
//! times here is what it would have to save.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use bastion_circuits::circuit::Columns;
use bastion_circuits::witness::{compile, Link};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_prover::keys::KeyStore;
use bastion_prover::progress::Progress;
use bastion_prover::proof::prove;
use bastion_prover::srs::Srs;
use bastion_prover::ProvableCircuit;
use bastion_state::executor::{BatchBuilder, BatchContext};
use bastion_state::ops::{Deposit, Op};
use bastion_state::state::State;
use bastion_state::{Address, Fr};
use criterion::{criterion_group, criterion_main, Criterion, SamplingMode};
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner};
use halo2_proofs::halo2curves::bn256;
use halo2_proofs::plonk::{Circuit, Column, ConstraintSystem, Error, Expression, Fixed};
use halo2_proofs::poly::Rotation;
use rand::rngs::OsRng;

/// The batch circuit with one more constraint: of degree 6, and always true. It is over a column that
/// is not constant, or the quotient would have no fifth piece, and no commitment may be the identity.
#[derive(Clone)]
struct Degree6(BatchCircuit);

impl Circuit<bn256::Fr> for Degree6 {
    type Config = (Columns, Column<Fixed>);
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Shape;

    fn without_witnesses(&self) -> Self {
        Self(self.0.without_witnesses())
    }

    fn params(&self) -> Shape {
        self.0.params()
    }

    fn configure_with_params(meta: &mut ConstraintSystem<bn256::Fr>, shape: Shape) -> Self::Config {
        let columns = BatchCircuit::configure_with_params(meta, shape);
        let bits = meta.fixed_column();
        meta.create_gate("degree 6", |meta| {
            let x = meta.query_fixed(bits, Rotation::cur());
            let minus_one = x.clone() - Expression::Constant(bn256::Fr::one());
            vec![(0..5).fold(x, |product, _| product * minus_one.clone())]
        });
        meta.set_minimum_degree(6);
        (columns, bits)
    }

    fn configure(meta: &mut ConstraintSystem<bn256::Fr>) -> Self::Config {
        Self::configure_with_params(meta, Shape::default())
    }

    fn synthesize(
        &self,
        (columns, bits): Self::Config,
        mut layouter: impl Layouter<bn256::Fr>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "bits",
            |mut region| {
                region.assign_fixed(bits, 1, bn256::Fr::one());
                Ok(())
            },
        )?;
        self.0.synthesize(columns, layouter)
    }
}

impl ProvableCircuit for Degree6 {
    const KIND: &'static str = "batch-degree-6";
    const CODE_VERSION: u32 = BatchCircuit::CODE_VERSION;

    fn shape_name(shape: &Shape) -> String {
        BatchCircuit::shape_name(shape)
    }

    fn k(shape: &Shape) -> u32 {
        BatchCircuit::k(shape)
    }

    fn num_instances(shape: &Shape) -> usize {
        BatchCircuit::num_instances(shape)
    }

    fn for_keygen(shape: &Shape) -> Self {
        Self(BatchCircuit::for_keygen(shape))
    }

    fn public_inputs(&self) -> Vec<bn256::Fr> {
        ProvableCircuit::public_inputs(&self.0)
    }
}

fn circuit(shape: &Shape) -> BatchCircuit {
    let mut state = State::new();
    let context = BatchContext {
        domain: Fr::from(1u64),
        time: 1_700_000_000,
        policy: bastion_node::dev::dev_policy(),
    };
    let mut builder = BatchBuilder::new(&mut state, context).unwrap();
    let deposit = Op::Deposit(Deposit {
        token: 0,
        amount: 5,
        keyhash: Fr::from(3u64),
        exit: Address([1; 20]),
    });
    builder.push(&deposit, |_| true).unwrap();
    let link = Link {
        c_in: Fr::from(0u64),
        y_in: Fr::from(0u64),
        r: Fr::from(2u64),
    };
    compile(shape, &builder.finish(), &link).unwrap()
}

fn degrees(c: &mut Criterion) {
    let name = std::env::var("BASTION_BENCH_SHAPE").unwrap_or_else(|_| "tiny".into());
    let shape = Shape::named(&name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let srs = Srs::open_or_generate_dev(dir.path(), shape.k, &[shape.k], OsRng).unwrap();
    let params = srs.params(shape.k).unwrap();
    let store = KeyStore::new(dir.path());
    let five = store
        .keys::<BatchCircuit>(&shape, &srs, &Progress::silent())
        .unwrap();
    let six = store
        .keys::<Degree6>(&shape, &srs, &Progress::silent())
        .unwrap();
    let circuit = circuit(&shape);
    let mut group = c.benchmark_group(format!("batch proof, shape {name}"));
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(1));
    group.bench_function("degree 5", |bench| {
        bench.iter(|| prove(&params, &five, circuit.clone(), OsRng).unwrap())
    });
    group.bench_function("degree 6", |bench| {
        bench.iter(|| prove(&params, &six, Degree6(circuit.clone()), OsRng).unwrap())
    });
    group.finish();
}

criterion_group!(benches, degrees);
criterion_main!(benches);
