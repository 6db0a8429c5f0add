//! EdDSA over BabyJubJub with the Poseidon2 challenge (protocol §2).
//!
//! Secret scalars are multiplied in variable time: sign where nobody can measure.

use crate::{
    field::{self, limbs_to_bytes},
    hash::{chain, compress, TAG_SIG},
    Address, Fr, ProtocolError,
};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use ark_ff::{AdditiveGroup, PrimeField, Zero};
use blake2::{Blake2b512, Digest};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `owner = compress(keyhash, exit_address)`.
#[must_use]
pub fn owner(keyhash: Fr, exit: Address) -> Fr {
    compress(keyhash, exit.to_fr())
}

/// A secret scalar in `[1, l)`. It is wiped when dropped and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Scalar);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// BLAKE2b of the parts, each with its length, as a scalar that is not zero.
fn hash_to_scalar(domain: &str, parts: &[&[u8]]) -> Scalar {
    let mut counter = 0_u8;
    loop {
        let mut hasher = Blake2b512::new();
        hasher.update(domain.as_bytes());
        hasher.update([counter]);
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let scalar = Scalar::from_be_bytes_mod_order(&hasher.finalize());
        if !scalar.is_zero() {
            return scalar;
        }
        counter = counter.wrapping_add(1);
    }
}

impl SecretKey {
    /// The key that belongs to a seed. The seed must have the entropy that the key needs; a label
    /// will do for tests.
    #[must_use]
    pub fn from_seed(seed: &[u8]) -> Self {
        Self(hash_to_scalar("bastion.key.v1", &[seed]))
    }

    /// Reads 32 big-endian bytes.
    ///
    /// # Errors
    /// [`ProtocolError::Range`] if the integer is not in `[1, l)`; the value is not shown.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ProtocolError> {
        Scalar::from_bigint(field::bytes_to_limbs(bytes))
            .filter(|s| !s.is_zero())
            .map(Self)
            .ok_or_else(|| ProtocolError::Range {
                what: "secret key",
                value: "(hidden)".into(),
                range: "1..l",
            })
    }

    /// The secret as 32 big-endian bytes. Handle with care.
    #[must_use]
    pub fn expose_bytes(&self) -> [u8; 32] {
        limbs_to_bytes(self.0.into_bigint())
    }

    /// `A = s B`.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey((EdwardsProjective::generator() * self.0).into_affine())
    }

    /// Signs a message; the nonce is derived from the secret and the message.
    #[must_use]
    pub fn sign(&self, message: Fr) -> Signature {
        let public = self.public();
        let mut secret = self.expose_bytes();
        let k = hash_to_scalar("bastion.nonce.v1", &[&secret, &field::to_bytes(&message)]);
        secret.zeroize();
        let r = (EdwardsProjective::generator() * k).into_affine();
        let h = challenge(&r, public.keyhash(), message);
        Signature { r, s: k + to_scalar(h) * self.0 }
    }
}

/// `h = chain(TAG_SIG; R.x, R.y, keyhash, msg)`, an integer in `[0, p)`.
#[must_use]
pub fn challenge(r: &EdwardsAffine, keyhash: Fr, message: Fr) -> Fr {
    chain(TAG_SIG, &[r.x, r.y, keyhash, message])
}

/// `h mod l`: enough natively, as it multiplies a point of the prime subgroup.
fn to_scalar(h: Fr) -> Scalar {
    Scalar::from_be_bytes_mod_order(&field::to_bytes(&h))
}

fn read_point(
    what: &'static str,
    x: &[u8; 32],
    y: &[u8; 32],
) -> Result<EdwardsAffine, ProtocolError> {
    let point =
        EdwardsAffine::new_unchecked(field::from_bytes(what, x)?, field::from_bytes(what, y)?);
    if point.is_on_curve() {
        return Ok(point);
    }
    Err(ProtocolError::Point { what, why: "not on the curve" })
}

fn split<const N: usize>(bytes: &[u8; N]) -> Vec<[u8; 32]> {
    bytes.chunks_exact(32).filter_map(|c| c.try_into().ok()).collect()
}

fn join<const N: usize>(elements: &[[u8; 32]]) -> [u8; N] {
    let mut out = [0; N];
    for (chunk, element) in out.chunks_exact_mut(32).zip(elements) {
        chunk.copy_from_slice(element);
    }
    out
}

/// A point of the prime subgroup that is not the identity. Only valid keys can be built.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(EdwardsAffine);

impl PublicKey {
    /// Length of the encoding: x and y.
    pub const LEN: usize = 64;

    /// Checks a point.
    ///
    /// # Errors
    /// [`ProtocolError::Point`] if it is not on the curve, not in the prime subgroup, or the identity.
    pub fn new(point: EdwardsAffine) -> Result<Self, ProtocolError> {
        let fail = |why| Err(ProtocolError::Point { what: "public key", why });
        if !point.is_on_curve() {
            return fail("not on the curve");
        }
        if point.is_zero() {
            return fail("the identity is no key");
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return fail("not in the prime subgroup");
        }
        Ok(Self(point))
    }

    /// The point.
    pub fn point(&self) -> &EdwardsAffine {
        &self.0
    }

    /// `compress(A.x, A.y)`.
    #[must_use]
    pub fn keyhash(&self) -> Fr {
        compress(self.0.x, self.0.y)
    }

    /// x and y, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        join(&[field::to_bytes(&self.0.x), field::to_bytes(&self.0.y)])
    }

    /// Reads x and y.
    ///
    /// # Errors
    /// If a coordinate is not below `p`, and those of [`PublicKey::new`].
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, ProtocolError> {
        match split(bytes).as_slice() {
            [x, y] => Self::new(read_point("public key", x, y)?),
            _ => Err(length("public key", Self::LEN, bytes.len())),
        }
    }

    /// Whether the signature is this key's for the message: `8 (S B - h A - R) = O`.
    #[must_use]
    pub fn verify(&self, message: Fr, signature: &Signature) -> bool {
        if !signature.r.is_on_curve() {
            return false;
        }
        let h = to_scalar(challenge(&signature.r, self.keyhash(), message));
        let sum = double_mul(&signature.s, &h, &self.0) - signature.r;
        sum.double().double().double().is_zero()
    }
}

/// A signature with what it is claimed to be of.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    key: PublicKey,
    keyhash: Fr,
    message: Fr,
    signature: Signature,
}

impl Claim {
    /// The claim that `signature` is `key`'s for `message`.
    #[must_use]
    pub fn new(key: PublicKey, message: Fr, signature: Signature) -> Self {
        Self { key, keyhash: key.keyhash(), message, signature }
    }

    /// Hash of the key.
    #[must_use]
    pub fn keyhash(&self) -> Fr {
        self.keyhash
    }
}

/// Evidence that a claim holds: only [`check_claims`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Verified(Claim);

impl Verified {
    /// Whether it is evidence for this signature.
    #[must_use]
    pub fn covers(&self, key: &PublicKey, message: Fr, signature: &Signature) -> bool {
        self.0.key == *key && self.0.message == message && self.0.signature == *signature
    }

    /// The message that was signed.
    #[must_use]
    pub fn message(&self) -> Fr {
        self.0.message
    }
}

/// Checks claims, together if they all hold, and each alone otherwise. The answers are in their order.
#[must_use]
pub fn check_claims(claims: &[Claim]) -> Vec<Option<Verified>> {
    let all = verify_all(claims);
    let holds = |claim: &Claim| all || claim.key.verify(claim.message, &claim.signature);
    claims.iter().map(|claim| holds(claim).then_some(Verified(*claim))).collect()
}

/// Whether all claims hold, by one equation: `8 (sum z_i S_i B - sum z_i h_i A_i - sum z_i R_i) = O`.
///
/// The factors `z_i` are 128 bits of a hash over all claims. If one claim does not hold, the sum is `O`
/// for a `2^-128` part of the factors. The single equation is cofactored too, so that both ways
/// always agree on signatures that hold.
fn verify_all(claims: &[Claim]) -> bool {
    if !claims.iter().all(|claim| claim.signature.r.is_on_curve()) {
        return false;
    }
    let mut hasher = Blake2b512::new_with_prefix(b"bastion.claims.v1");
    for Claim { key, message, signature, .. } in claims {
        hasher.update(key.to_bytes());
        hasher.update(field::to_bytes(message));
        hasher.update(signature.to_bytes());
    }
    let seed = hasher.finalize();
    let mut bases = Vec::with_capacity(2 * claims.len());
    let mut scalars = Vec::with_capacity(2 * claims.len());
    let mut of_base = Scalar::zero();
    for (i, claim) in (0u64..).zip(claims) {
        let Claim { key, keyhash, message, signature } = claim;
        let hash = Blake2b512::new().chain_update(seed).chain_update(i.to_be_bytes()).finalize();
        let z = Scalar::from_le_bytes_mod_order(&hash[..16]);
        let h = to_scalar(challenge(&signature.r, *keyhash, *message));
        bases.extend([key.0, signature.r]);
        scalars.extend([z * h, z]);
        of_base += z * signature.s;
    }
    let sum = match claims.len() < MANY {
        true => sum_of_few(&bases, &scalars),
        // Both lists have one length.
        false => EdwardsProjective::msm_unchecked(&bases, &scalars),
    };
    let rest = EdwardsProjective::generator() * of_base - sum;
    rest.double().double().double().is_zero()
}

/// Claims from which on sorting by digits (Pippenger) is faster than [`sum_of_few`].
const MANY: usize = 128;
/// Bits of a digit of [`sum_of_few`].
const WINDOW: usize = 4;

/// The sum of multiples, by digits from the highest down with doublings for all of them together
/// (Straus).
fn sum_of_few(bases: &[EdwardsAffine], scalars: &[Scalar]) -> EdwardsProjective {
    const MULTIPLES: usize = (1 << WINDOW) - 1;
    let mut multiples = Vec::with_capacity(MULTIPLES * bases.len());
    for base in bases {
        let mut multiple = EdwardsProjective::zero();
        multiples.extend((0..MULTIPLES).map(|_| {
            multiple += base;
            multiple
        }));
    }
    // Affine points are added faster.
    let multiples = EdwardsProjective::normalize_batch(&multiples);
    let scalars: Vec<_> = scalars.iter().map(|scalar| scalar.into_bigint().0).collect();
    let mut sum = EdwardsProjective::zero();
    for bit in (0..256).step_by(WINDOW).rev() {
        for _ in 0..WINDOW {
            sum.double_in_place();
        }
        for (multiples, scalar) in multiples.chunks_exact(MULTIPLES).zip(&scalars) {
            let digit = (scalar[bit / 64] >> (bit % 64)) as usize & MULTIPLES;
            if digit > 0 {
                sum += multiples[digit - 1];
            }
        }
    }
    sum
}

fn length(what: &'static str, expected: usize, got: usize) -> ProtocolError {
    ProtocolError::Length { what, expected, got }
}

/// `s B - h A` with shared doublings.
fn double_mul(s: &Scalar, h: &Scalar, a: &EdwardsAffine) -> EdwardsProjective {
    use ark_ff::BigInteger;
    let b = EdwardsAffine::generator();
    let minus_a = -*a;
    let both = (b + minus_a).into_affine();
    let (s, h) = (s.into_bigint(), h.into_bigint());
    let mut sum = EdwardsProjective::zero();
    for i in (0..Scalar::MODULUS_BIT_SIZE as usize).rev() {
        sum.double_in_place();
        match (s.get_bit(i), h.get_bit(i)) {
            (true, true) => sum += both,
            (true, false) => sum += b,
            (false, true) => sum += minus_a,
            (false, false) => {}
        }
    }
    sum
}

/// A signature. `S` is below `l` by its type, so a message has no second encoding of `S`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Commitment to the nonce; on the curve, in any subgroup.
    pub r: EdwardsAffine,
    /// Response.
    pub s: Scalar,
}

impl Signature {
    /// Length of the encoding: R.x, R.y, S.
    pub const LEN: usize = 96;

    /// R.x, R.y and S, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        join(&[
            field::to_bytes(&self.r.x),
            field::to_bytes(&self.r.y),
            limbs_to_bytes(self.s.into_bigint()),
        ])
    }

    /// Reads R.x, R.y and S.
    ///
    /// # Errors
    /// If a coordinate is not below `p`, R is not on the curve, or `S >= l`.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, ProtocolError> {
        match split(bytes).as_slice() {
            [x, y, s] => Ok(Self {
                r: read_point("signature R", x, y)?,
                s: Scalar::from_bigint(field::bytes_to_limbs(s)).ok_or_else(|| {
                    ProtocolError::Range {
                        what: "signature S",
                        value: format!("0x{}", hex::encode(s)),
                        range: "0..l",
                    }
                })?,
            }),
            _ => Err(length("signature", Self::LEN, bytes.len())),
        }
    }
}

/// Hex text where the format is for humans, bytes elsewhere; validated when read.
macro_rules! text_form {
    ($name:ident, $what:literal) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.to_bytes()))
            }
        }

        impl std::str::FromStr for $name {
            type Err = ProtocolError;

            fn from_str(text: &str) -> Result<Self, ProtocolError> {
                Self::from_bytes(&field::fixed_hex($what, text)?)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                field::serialize_bytes(&self.to_bytes(), s)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let bytes = field::deserialize_bytes($what, d)?;
                Self::from_bytes(&bytes).map_err(D::Error::custom)
            }
        }
    };
}

text_form!(PublicKey, "public key");
text_form!(Signature, "signature");

#[cfg(test)]
mod tests;
