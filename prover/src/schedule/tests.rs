use crate::ErrorClass;
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use super::*;
use crate::{
    keys::CircuitKeys,
    srs::Srs,
    test_circuit::{ToyCircuit, ToyShape},
    testing::rng,
};

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn failure(n: usize) -> ProverError {
    ProverError::Proving { shape: "toy".into(), reason: format!("job {n}") }
}

#[test]
fn results_come_in_the_order_of_the_jobs() {
    let jobs: Vec<u64> = (0..20).collect();
    let slow_first = |job: u64| {
        std::thread::sleep(Duration::from_millis(20 - job));
        Ok::<_, ProverError>(job * job)
    };
    let expected: Vec<u64> = (0..20).map(|job| job * job).collect();
    assert_eq!(run(jobs, NonZeroUsize::new(5).unwrap(), slow_first).unwrap(), expected);
    assert_eq!(
        run(vec![], two(), |job: u64| Ok::<_, ProverError>(job)).unwrap(),
        Vec::<u64>::new()
    );
}

#[test]
fn never_more_at_once_than_slots() {
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    run((0..12).collect(), two(), |_: u64| {
        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        now.fetch_sub(1, SeqCst);
        Ok::<_, ProverError>(())
    })
    .unwrap();
    assert_eq!(most.load(SeqCst), 2);
}

#[test]
fn the_first_error_cancels_the_rest() {
    let begun = AtomicUsize::new(0);
    let error = run((0..1000).collect(), two(), |job: usize| {
        begun.fetch_add(1, SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        if job == 3 {
            Err(failure(job))
        } else {
            Ok(())
        }
    })
    .unwrap_err();
    assert!(error.to_string().contains("job 3"), "{error}");
    assert!(begun.load(SeqCst) < 20, "{begun:?} jobs were begun");
}

#[test]
fn a_budget_below_one_proof_is_refused_with_both_numbers() {
    let shape = ToyShape::tiny();
    let srs = Srs::generate_unsafe_dev(8, &[8], rng(1)).unwrap();
    let keys = CircuitKeys::generate::<ToyCircuit>(&shape, &srs).unwrap();
    let params = srs.params(8).unwrap();
    let jobs = || (0..3).map(|seed| ToyCircuit::new(&shape, seed)).collect();
    let progress = Progress::silent();

    let error = prove_all(&params, &keys, jobs(), MemoryBudget(1 << 20), &progress).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Resources);
    assert!(error.to_string().contains("1.0 MiB"), "{error}");

    let budget = MemoryBudget(1 << 30);
    let proofs = prove_all(&params, &keys, jobs(), budget, &progress).unwrap();
    let inputs: Vec<_> = proofs.iter().map(|proof| proof.public_inputs[0]).collect();
    assert_eq!(inputs, [0u64, 1, 2].map(Into::into));
}

#[test]
fn slots_follow_budget_jobs_and_threads() {
    let srs = Srs::generate_unsafe_dev(8, &[8], rng(1)).unwrap();
    let keys = CircuitKeys::generate::<ToyCircuit>(&ToyShape::tiny(), &srs).unwrap();
    let cost = ProofCost::of(keys.verifier());
    let slots =
        |budget, jobs, threads| slots(&cost, budget, jobs, threads, "toy").map(NonZeroUsize::get);
    let plenty = MemoryBudget(1 << 40);
    assert_eq!(slots(plenty, 10, 4).unwrap(), 4);
    assert_eq!(slots(plenty, 3, 4).unwrap(), 3);
    assert_eq!(slots(plenty, 0, 4).unwrap(), 1);
    assert_eq!(slots(cost.of_one(4), 10, 4).unwrap(), 1);
    let two = MemoryBudget(cost.of_one(4).0 + cost.per_proof().0);
    assert_eq!(slots(two, 10, 4).unwrap(), 2);
    assert!(slots(MemoryBudget(cost.of_one(4).0 - 1), 10, 4).is_err());
}

/// Compares the estimate with the peak that Linux reports, in a process that does nothing else:
/// `cargo test --release --workspace --lib -- --ignored --nocapture memory_estimate`.
#[test]
#[ignore = "measures the peak memory of its own process: run it alone"]
#[cfg(target_os = "linux")]
fn memory_estimate_bounds_the_measured_peak() {
    fn status(field: &str) -> u64 {
        let text = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse::<u64>().unwrap()
            << 10
    }
    let srs = Srs::generate_unsafe_dev(16, &[16], rng(2)).unwrap();
    let params = srs.params(16).unwrap();
    // Without a lookup, the prover of `plonk`; with one, halo2's.
    for lookup in [false, true] {
        let shape = ToyShape {
            name: "wide".into(),
            k: 16,
            rows: 60_000,
            padding: 30,
            declared_degree: 5,
            lookup,
        };
        let keys = CircuitKeys::generate::<ToyCircuit>(&shape, &srs).unwrap();
        let circuit = ToyCircuit::new(&shape, 1);
        // Forget the peak of the set-up.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS");
        let start = std::time::Instant::now();
        crate::proof::prove(&params, &keys, circuit, rng(3)).unwrap();
        let (took, peak) = (start.elapsed(), status("VmHWM") - before);
        let cost = ProofCost::of(keys.verifier());
        let threads = rayon::current_num_threads();
        let estimate = MemoryBudget(cost.of_one(threads).0 - cost.shared(0).0);
        println!(
            "lookup {lookup}: proof {took:.2?}, measured {}, estimated {estimate}",
            MemoryBudget(peak)
        );
        assert!(peak <= estimate.0, "the estimate is too low");
        assert!(peak * 2 >= estimate.0, "the estimate is wasteful");
    }
}
