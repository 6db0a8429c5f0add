//! What the prover spends its time on: sums of points, transforms, gates.
//!
//! `BASTION_ARITHMETIC=portable|mulx|ifma cargo bench --bench kernels` measures one arithmetic; the
//! names of the groups tell which it was. Sums stand beside halo2curves' of the same points.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use bastion_circuits::{BatchCircuit, Shape};
use bastion_prover::msm::Bases;
use bastion_prover::plonk::{multiplication_seconds, transform_seconds};
use bastion_prover::Arithmetic;
use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::halo2curves::msm::msm_best;
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

fn points(n: usize, rng: &mut StdRng) -> Vec<G1Affine> {
    let step = G1::random(&mut *rng);
    let all = std::iter::successors(Some(step), |p| Some(p + step));
    let all: Vec<G1> = all.take(n).collect();
    let mut points = vec![G1Affine::default(); n];
    G1::batch_normalize(&all, &mut points);
    points
}

fn sums(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("sum-of-points/{}", Arithmetic::active()));
    group.sample_size(10);
    let mut rng = StdRng::seed_from_u64(1);
    for k in [14, 17] {
        let points = points(1 << k, &mut rng);
        let bases = Bases::new(&points);
        let mut scalars = |kind: &str| -> Vec<Fr> {
            let scalar = |_| match kind {
                "bits" => Fr::from(u64::from(rng.gen::<bool>())),
                "16-bit" => Fr::from(u64::from(rng.gen::<u16>())),
                _ => Fr::random(&mut rng),
            };
            (0..1 << k).map(scalar).collect()
        };
        for kind in ["random", "16-bit", "bits"] {
            let scalars = scalars(kind);
            assert_eq!(bases.multiply(&scalars), msm_best(&scalars, &points));
            let id = |whose| BenchmarkId::new(whose, format!("{kind}, 2^{k}"));
            group.bench_function(id("own"), |b| {
                b.iter(|| black_box(bases.multiply(&scalars)));
            });
            group.bench_function(id("halo2curves"), |b| {
                b.iter(|| black_box(msm_best(&scalars, &points)));
            });
        }
    }
    group.finish();
}

/// These measure themselves, so that recommendations and benches have the same figures.
fn transforms_and_gates(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("one-core/{}", Arithmetic::active()));
    group.sample_size(10);
    for k in [14, 19] {
        group.bench_function(BenchmarkId::new("transform", k), |b| {
            b.iter_custom(|n| Duration::from_secs_f64(n as f64 * transform_seconds(k, 1)));
        });
    }
    let mut system = ConstraintSystem::default();
    BatchCircuit::configure_with_params(&mut system, Shape::tiny());
    group.bench_function("multiplication-in-gates", |b| {
        b.iter_custom(|n| Duration::from_secs_f64(n as f64 * multiplication_seconds(&system)));
    });
    group.finish();
}

criterion_group!(benches, sums, transforms_and_gates);
criterion_main!(benches);
