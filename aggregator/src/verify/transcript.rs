//! The Poseidon transcript of batch proofs (protocol, section 9), its permutation in the chip.

use std::io::{self, Read};
use std::mem;

use halo2_base::gates::GateInstructions;
use halo2_base::AssignedValue;
use halo2_base::QuantumCell::Constant;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::GroupEncoding;
use snark_verifier::loader::halo2::{EcPoint, Scalar};
use snark_verifier::util::transcript::{Transcript, TranscriptRead};
use snark_verifier::Error;

use super::points::{Loader, Permutation, PointChip};
use crate::chip::permutation::{permute, T};
use crate::chip::Base;

const RATE: usize = T - 1;

/// A transcript that reads a proof.
pub struct ChipTranscript<'p> {
    loader: Loader,
    stream: &'p [u8],
    state: [AssignedValue<Fr>; T],
    buffer: Vec<AssignedValue<Fr>>,
}

impl<'p> ChipTranscript<'p> {
    /// A transcript that has absorbed nothing.
    pub fn new(loader: &Loader, stream: &'p [u8]) -> Self {
        // The capacity's initial value for one output element.
        let start = [Fr::from_u128(1 << 64), Fr::zero(), Fr::zero()];
        let state = {
            let mut ctx = loader.ctx_mut();
            start.map(|x| ctx.main().load_constant(x))
        };
        Self { loader: loader.clone(), stream, state, buffer: Vec::new() }
    }

    /// Bytes of the proof that were not read.
    pub fn unread(&self) -> usize {
        self.stream.len()
    }

    fn permute(&mut self, chunk: &[AssignedValue<Fr>]) {
        let chip = self.loader.ecc_chip();
        let mut ctx = self.loader.ctx_mut();
        let ctx = ctx.main();
        let mut input = self.state;
        for (lane, x) in input[1..].iter_mut().zip(chunk) {
            *lane = chip.gate().add(ctx, *lane, *x);
        }
        if let Some(lane) = input[1..].get_mut(chunk.len()) {
            *lane = chip.gate().add(ctx, *lane, Constant(Fr::one()));
        }
        let output = permute(&input.map(|x| *x.value())).map(|x| ctx.load_witness(x));
        self.state = output;
        let mut record = chip.record.borrow_mut();
        record.permutations.push(Permutation { input, output });
    }

    fn read<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.stream
            .read_exact(&mut bytes)
            .map_err(|e| Error::Transcript(e.kind(), e.to_string()))?;
        Ok(bytes)
    }
}

fn malformed(what: &str) -> Error {
    Error::Transcript(io::ErrorKind::InvalidData, what.into())
}

impl Transcript<G1Affine, Loader> for ChipTranscript<'_> {
    fn loader(&self) -> &Loader {
        &self.loader
    }

    fn squeeze_challenge(&mut self) -> Scalar<G1Affine, PointChip> {
        let buffer = mem::take(&mut self.buffer);
        for chunk in buffer.chunks(RATE) {
            self.permute(chunk);
        }
        if buffer.len().is_multiple_of(RATE) {
            self.permute(&[]);
        }
        self.loader.scalar_from_assigned(self.state[1])
    }

    fn common_ec_point(&mut self, point: &EcPoint<G1Affine, PointChip>) -> Result<(), Error> {
        let point = point.assigned();
        let [(None, Base::Witness(number))] = point.terms.as_slice() else {
            return Err(malformed("a point that no proof holds is absorbed"));
        };
        let chip = self.loader.ecc_chip();
        let record = chip.record.borrow();
        self.buffer.extend(record.points[*number].native);
        Ok(())
    }

    fn common_scalar(&mut self, scalar: &Scalar<G1Affine, PointChip>) -> Result<(), Error> {
        self.buffer.push(*scalar.assigned());
        Ok(())
    }
}

impl TranscriptRead<G1Affine, Loader> for ChipTranscript<'_> {
    fn read_scalar(&mut self) -> Result<Scalar<G1Affine, PointChip>, Error> {
        let bytes = self.read::<32>()?;
        let scalar = Option::<Fr>::from(Fr::from_repr(bytes))
            .ok_or_else(|| malformed("a scalar is not below the field's order"))?;
        let scalar = self.loader.assign_scalar(scalar);
        self.common_scalar(&scalar)?;
        Ok(scalar)
    }

    fn read_ec_point(&mut self) -> Result<EcPoint<G1Affine, PointChip>, Error> {
        let bytes = self.read::<32>()?;
        let mut repr = <G1Affine as GroupEncoding>::Repr::default();
        repr.as_mut().copy_from_slice(&bytes);
        // The identity, which key generation's dummies are made of, fails the chip's curve check.
        let point = Option::<G1Affine>::from(G1Affine::from_bytes(&repr))
            .ok_or_else(|| malformed("a point is not on the curve"))?;
        let point = self.loader.assign_ec_point(point);
        self.common_ec_point(&point)?;
        Ok(point)
    }
}
