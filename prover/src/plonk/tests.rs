//! Proofs of a circuit with everything that the prover knows: two phases, gates of every degree,
//! copies between all kinds of columns in two sets, public inputs. halo2's verifier judges.

use halo2_proofs::arithmetic::g_to_lagrange;
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Bn256;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::plonk::{
    keygen_pk, keygen_vk, verify_proof, Advice, Challenge, Column, Error, FirstPhase, Fixed,
    Instance, SecondPhase,
};
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::VerifierSHPLONK;
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use halo2_proofs::transcript::{
    Blake2bRead, Blake2bWrite, Challenge255, TranscriptReadBuffer, TranscriptWriterBuffer,
};

use super::*;
use crate::testing::rng;

const K: u32 = 7;
const ROWS: usize = 50;

/// What is wrong with a witness.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A power that is none.
    Gate(u32),
    /// A cell that differs from the public input that it is equal to.
    Copy,
    /// A cell that differs from the constant that it is equal to.
    Constant,
    /// A value of the second phase that does not follow from the challenge.
    SecondPhase,
    /// A row among those that blind.
    TooLong,
    /// A cell without a value.
    Unknown,
    /// A cell of the first phase, assigned in the second.
    TooLate,
}

#[derive(Clone)]
struct Powers {
    base: Vec<Fr>,
    fault: Fault,
}

#[derive(Clone)]
struct Config {
    /// `x`, `x²`, `x³`, `x⁴`, each by a gate of its degree and one.
    powers: [Column<Advice>; 4],
    /// The challenge times `x`, on the row above.
    scaled: Column<Advice>,
    selector: Column<Fixed>,
    constant: Column<Fixed>,
    public: Column<Instance>,
    challenge: Challenge,
}

impl Circuit<Fr> for Powers {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ();

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        let powers = [(); 4].map(|()| meta.advice_column_in(FirstPhase));
        let config = Config {
            powers,
            scaled: meta.advice_column_in(SecondPhase),
            selector: meta.fixed_column(),
            constant: meta.fixed_column(),
            public: meta.instance_column(),
            challenge: meta.challenge_usable_after(FirstPhase),
        };
        for column in powers {
            meta.enable_equality(column);
        }
        meta.enable_equality(config.public);
        meta.enable_equality(config.constant);
        for degree in 2..=4 {
            meta.create_gate("power", |meta| {
                let selector = meta.query_fixed(config.selector, Rotation::cur());
                let x = meta.query_advice(powers[0], Rotation::cur());
                let power = meta.query_advice(powers[degree - 1], Rotation::cur());
                let product = (1..degree).fold(x.clone(), |p, _| p * x.clone());
                [selector * (product - power)]
            });
        }
        meta.create_gate("scaled", |meta| {
            let selector = meta.query_fixed(config.selector, Rotation::cur());
            let x = meta.query_advice(powers[0], Rotation::cur());
            let above = meta.query_advice(config.scaled, Rotation::prev());
            let challenge = meta.query_challenge(config.challenge);
            [selector * (above - challenge * x)]
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let cells = layouter.assign_region(
            || "powers",
            |mut region| {
                let mut cells = Vec::new();
                for (i, x) in self.base.iter().enumerate() {
                    let row = i + 1;
                    region.assign_fixed(config.selector, row, Fr::one());
                    for (n, column) in config.powers.iter().enumerate() {
                        let mut value = x.pow_vartime([n as u64 + 1]);
                        if i == 7 && self.fault == Fault::Gate(n as u32 + 1) {
                            value += Fr::one();
                        }
                        let missing = i == 7 && self.fault == Fault::Unknown;
                        let value = if missing { Value::unknown() } else { Value::known(value) };
                        cells.push(region.assign_advice(*column, row, value).cell());
                    }
                }
                // x of row 3 is the constant 9; x² of row 3 is x of row 4.
                let nine = region.assign_fixed(config.constant, 0, Fr::from(9));
                region.constrain_equal(nine, cells[8]);
                region.constrain_equal(cells[9], cells[12]);
                if self.fault == Fault::TooLong {
                    let row = (1 << K) - 1;
                    region.assign_advice(config.powers[0], row, Value::known(Fr::one()));
                }
                region.next_phase();
                if self.fault == Fault::TooLate {
                    region.assign_advice(config.powers[0], 9, Value::known(Fr::one()));
                }
                let challenge = region.get_challenge(config.challenge);
                for (i, x) in self.base.iter().enumerate() {
                    let wrong = Fr::from(u64::from(i == 3 && self.fault == Fault::SecondPhase));
                    let value = challenge.map(|c| c * x + wrong);
                    region.assign_advice(config.scaled, i, value);
                }
                Ok(cells)
            },
        )?;
        layouter.constrain_instance(cells[3], config.public, 0);
        layouter.constrain_instance(cells[5], config.public, 1);
        Ok(())
    }
}

fn params() -> Params {
    let kzg = ParamsKZG::<Bn256>::setup(K, rng(2));
    let powers = kzg.get_g().iter().map(|g| g.to_curve()).collect();
    let lagrange = g_to_lagrange(powers, K);
    Params::new(kzg, &lagrange)
}

fn witness(fault: Fault) -> (Powers, Vec<Fr>) {
    let mut random = rng(1);
    let mut base: Vec<Fr> = (0..ROWS).map(|_| Fr::random(&mut random)).collect();
    (base[2], base[3]) = (Fr::from(9), Fr::from(81));
    if fault == Fault::Constant {
        (base[2], base[3]) = (Fr::from(8), Fr::from(64));
    }
    let mut public = vec![base[0].pow_vartime([4]), base[1].square()];
    if fault == Fault::Copy {
        public[1] += Fr::one();
    }
    (Powers { base, fault }, public)
}

#[test]
fn proofs_are_accepted_and_false_ones_refused() {
    let params = params();
    let (circuit, _) = witness(Fault::None);
    let vk = keygen_vk(params.kzg(), &circuit).unwrap();
    let pk = keygen_pk(params.kzg(), vk, &circuit).unwrap();
    let system = pk.get_vk().cs();
    assert!(supports(system, K));
    let permuted = system.permutation().get_columns().len();
    assert_eq!((system.degree(), permuted), (5, 6), "two sets of products");

    // Blinding is drawn anew for each proof.
    let draws = std::cell::Cell::new(100);
    let prove = |fault| {
        let (circuit, public) = witness(fault);
        draws.set(draws.get() + 1);
        let mut transcript = Blake2bWrite::<_, _, Challenge255<_>>::init(Vec::new());
        create_proof(&params, &pk, &circuit, &public, rng(draws.get()), &mut transcript)?;
        Ok::<_, io::Error>((transcript.finalize(), public))
    };
    let accepted = |(proof, public): &(Vec<u8>, Vec<Fr>)| {
        let mut transcript = Blake2bRead::<_, _, Challenge255<_>>::init(proof.as_slice());
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            params.kzg(),
            pk.get_vk(),
            SingleStrategy::new(params.kzg()),
            &[&[public]],
            &mut transcript,
        )
        .is_ok()
    };
    let honest = prove(Fault::None).unwrap();
    assert!(accepted(&honest));
    assert_ne!(honest.0, prove(Fault::None).unwrap().0, "proofs are blinded");
    let mut other = honest.clone();
    other.1[0] += Fr::one();
    assert!(!accepted(&other), "other public inputs");

    let powers = (2..=4).map(Fault::Gate);
    for fault in powers.chain([Fault::Copy, Fault::Constant, Fault::SecondPhase]) {
        assert!(!accepted(&prove(fault).unwrap()), "{fault:?}");
    }
    for (fault, message) in [
        (Fault::TooLong, "row 127 is assigned"),
        (Fault::Unknown, "row 8 has no value"),
        (Fault::TooLate, "row 9 comes after its phase"),
    ] {
        let error = prove(fault).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// halo2's prover and this one write proofs of the same form.
#[test]
fn proofs_have_the_length_of_halo2s() {
    use halo2_proofs::poly::kzg::multiopen::ProverSHPLONK;
    let params = params();
    let (circuit, public) = witness(Fault::None);
    let vk = keygen_vk(params.kzg(), &circuit).unwrap();
    let pk = keygen_pk(params.kzg(), vk, &circuit).unwrap();
    let mut ours = Blake2bWrite::<_, _, Challenge255<_>>::init(Vec::new());
    create_proof(&params, &pk, &circuit, &public, rng(4), &mut ours).unwrap();
    let mut theirs = Blake2bWrite::<_, _, Challenge255<_>>::init(Vec::new());
    halo2_proofs::plonk::create_proof::<
        KZGCommitmentScheme<Bn256>,
        ProverSHPLONK<'_, Bn256>,
        _,
        _,
        _,
        _,
    >(params.kzg(), &pk, &[circuit], &[&[&public]], rng(5), &mut theirs)
    .unwrap();
    assert_eq!(ours.finalize().len(), theirs.finalize().len());
}
