//! Proving and verifying keys, and the identity of a circuit.
//!
//! Keys follow from shape, code and SRS, so they are a cache and not a secret: made once, kept
//! on disk, made again if a file is missing or damaged.

mod store;

use bastion_protocol::CircuitId;
use halo2_proofs::{
    halo2curves::bn256::{Bn256, G1Affine, G2Affine},
    plonk::{keygen_pk, keygen_vk, ProvingKey, VerifyingKey},
    poly::{commitment::ParamsProver, kzg::commitment::ParamsKZG},
};
use serde::{Deserialize, Serialize};
use snark_verifier::{
    pcs::kzg::KzgDecidingKey,
    system::halo2::{compile, Config},
    verifier::plonk::PlonkProtocol,
};

pub use store::KeyStore;

use crate::{
    artifact::Digest, srs::params_from_parts, srs::Srs, ProvableCircuit, ProverError, Result,
};

/// Identity of a circuit.
///
/// BLAKE2b-256 over the domain `bastion-circuit-v1`, the kind, the shape as JSON, halo2's pinned
/// verifying key and the id of the SRS ([`Digest::of_parts`] fixes the encoding).
fn circuit_id<C: ProvableCircuit>(
    shape: &C::Params,
    vk: &VerifyingKey<G1Affine>,
    srs_id: Digest,
) -> Result<CircuitId> {
    let shape = shape_json::<C>(shape)?;
    let pinned = format!("{:?}", vk.pinned());
    let parts = [C::KIND.as_bytes(), &shape, pinned.as_bytes(), &srs_id.0];
    Ok(Digest::of_parts("bastion-circuit-v1", &parts).into())
}

impl From<Digest> for CircuitId {
    fn from(digest: Digest) -> Self {
        Self::new(digest.0)
    }
}

/// What decides an accumulator: three points of the SRS.
pub type DecidingKey = KzgDecidingKey<Bn256>;

/// What checks proofs of one circuit: no key of halo2's and no SRS. It can be stored and sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofVerifier {
    /// Identity of the circuit.
    pub circuit_id: CircuitId,
    /// Name of the circuit's shape.
    pub shape_name: String,
    /// The protocol that snark-verifier's verifiers, native and in a circuit, follow.
    pub protocol: PlonkProtocol<G1Affine>,
    /// The points of the SRS.
    pub points: SrsPoints,
}

/// What decides an accumulator: the points of the SRS at the powers 0 and 1 that pairings take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SrsPoints {
    /// The generator of G1.
    pub g1: G1Affine,
    /// The generator of G2.
    pub g2: G2Affine,
    /// The generator of G2, multiplied by the secret.
    pub s_g2: G2Affine,
}

impl From<SrsPoints> for KzgDecidingKey<Bn256> {
    fn from(points: SrsPoints) -> Self {
        Self::new(points.g1, points.g2, points.s_g2)
    }
}

impl From<&KzgDecidingKey<Bn256>> for SrsPoints {
    fn from(key: &KzgDecidingKey<Bn256>) -> Self {
        Self { g1: key.svk().g, g2: key.g2(), s_g2: key.s_g2() }
    }
}

impl ProofVerifier {
    /// What decides an accumulator.
    pub fn deciding_key(&self) -> KzgDecidingKey<Bn256> {
        self.points.into()
    }

    /// Number of public inputs.
    pub fn num_instances(&self) -> usize {
        self.protocol.num_instance.iter().sum()
    }
}

/// The verifying key of one circuit: a few kilobytes, no SRS.
#[derive(Debug)]
pub struct VerifierKey {
    proofs: ProofVerifier,
    vk: VerifyingKey<G1Affine>,
    params: ParamsKZG<Bn256>,
}

impl VerifierKey {
    fn new<C: ProvableCircuit>(
        shape: &C::Params,
        vk: VerifyingKey<G1Affine>,
        srs: &Srs,
    ) -> Result<Self> {
        let k = C::k(shape);
        let (g2, s_g2) = srs.g2();
        // Verification uses one power and no Lagrange basis: instances are not committed to.
        let params = params_from_parts(k, vec![G1Affine::generator()], vec![], g2, s_g2);
        let config = Config::kzg()
            .with_num_instance(vec![C::num_instances(shape)])
            .with_accumulator_indices(C::accumulator_indices());
        let protocol = compile(&params, &vk, config);
        check_degree(&vk, &protocol, &C::shape_name(shape))?;
        let proofs = ProofVerifier {
            circuit_id: circuit_id::<C>(shape, &vk, srs.id())?,
            shape_name: C::shape_name(shape),
            protocol,
            points: SrsPoints { g1: params.get_g()[0], g2: params.g2(), s_g2: params.s_g2() },
        };
        Ok(Self { proofs, vk, params })
    }

    /// What checks proofs.
    pub fn proofs(&self) -> &ProofVerifier {
        &self.proofs
    }

    /// Identity of the circuit.
    pub fn circuit_id(&self) -> CircuitId {
        self.proofs.circuit_id
    }

    /// Name of the circuit's shape.
    pub fn shape_name(&self) -> &str {
        &self.proofs.shape_name
    }

    /// halo2's verifying key.
    pub fn vk(&self) -> &VerifyingKey<G1Affine> {
        &self.vk
    }

    /// The protocol that snark-verifier's verifiers, native and in a circuit, follow.
    pub fn protocol(&self) -> &PlonkProtocol<G1Affine> {
        &self.proofs.protocol
    }

    /// What decides an accumulator: g, g2 and `s_g2` of the SRS.
    pub fn deciding_key(&self) -> KzgDecidingKey<Bn256> {
        self.proofs.deciding_key()
    }

    /// Number of public inputs.
    pub fn num_instances(&self) -> usize {
        self.proofs.num_instances()
    }

    /// halo2's parameters, good for verification and nothing else.
    pub(crate) fn verifier_params(&self) -> &ParamsKZG<Bn256> {
        &self.params
    }
}

/// The keys of one circuit.
#[derive(Debug)]
pub struct CircuitKeys {
    pk: ProvingKey<G1Affine>,
    verifier: VerifierKey,
}

impl CircuitKeys {
    /// Makes the keys of the circuit of this shape.
    ///
    /// # Errors
    /// [`ProverError::SrsTooSmall`], or [`ProverError::Keygen`] with halo2's reason.
    pub fn generate<C: ProvableCircuit>(shape: &C::Params, srs: &Srs) -> Result<Self> {
        let params = srs.params(C::k(shape))?;
        let circuit = C::for_keygen(shape);
        let failed = |e: halo2_proofs::plonk::Error| ProverError::Keygen {
            shape: C::shape_name(shape),
            reason: e.to_string(),
        };
        let vk = keygen_vk(params.kzg(), &circuit).map_err(failed)?;
        let pk = keygen_pk(params.kzg(), vk, &circuit).map_err(failed)?;
        Self::from_pk::<C>(shape, pk, srs)
    }

    fn from_pk<C: ProvableCircuit>(
        shape: &C::Params,
        pk: ProvingKey<G1Affine>,
        srs: &Srs,
    ) -> Result<Self> {
        let verifier = VerifierKey::new::<C>(shape, pk.get_vk().clone(), srs)?;
        Ok(Self { pk, verifier })
    }

    /// halo2's proving key.
    pub fn pk(&self) -> &ProvingKey<G1Affine> {
        &self.pk
    }

    /// The verifier's half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Identity of the circuit.
    pub fn circuit_id(&self) -> CircuitId {
        self.verifier.circuit_id()
    }
}

/// halo2 cuts the quotient into as many pieces as its declared degree asks for: the natural
/// degree, but no more than 5 (or `MAX_DEGREE` of the environment), and no less than
/// `set_minimum_degree`. snark-verifier counts by the natural degree. If the two differ, honest
/// proofs are refused, with no hint as to why; so the difference is refused here.
fn check_degree(
    vk: &VerifyingKey<G1Affine>,
    protocol: &PlonkProtocol<G1Affine>,
    shape: &str,
) -> Result<()> {
    let (declared, natural) = (vk.cs().degree(), protocol.quotient.num_chunk() + 1);
    if declared == natural {
        return Ok(());
    }
    Err(ProverError::Keygen {
        shape: shape.to_owned(),
        reason: format!(
            "halo2 works with degree {declared}, the constraints have degree {natural}: \
             call set_minimum_degree({natural}) in `configure` and leave MAX_DEGREE unset"
        ),
    })
}

fn shape_json<C: ProvableCircuit>(shape: &C::Params) -> Result<Vec<u8>> {
    serde_json::to_vec(shape).map_err(|e| ProverError::Keygen {
        shape: C::shape_name(shape),
        reason: format!("the shape cannot be written as JSON: {e}"),
    })
}

#[cfg(test)]
mod tests;
