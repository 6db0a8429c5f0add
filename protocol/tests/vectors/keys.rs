//! Section 2 of the protocol.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use ark_ff::{PrimeField, Zero};
use bastion_protocol::hash::{chain, TAG_SIG};
use bastion_protocol::keys::{owner, PublicKey, SecretKey, Signature};
use bastion_protocol::{field, Fr};
use serde_json::{json, Value};

use crate::{bytes, element, random, EXIT};

fn read_key(key: &[u8]) -> Option<String> {
    let error = |key: &[u8; 64]| PublicKey::from_bytes(key).err().map(|e| e.to_string());
    error(key.try_into().unwrap())
}

fn read_signature(signature: &[u8]) -> Option<String> {
    let error = |s: &[u8; 96]| Signature::from_bytes(s).err().map(|e| e.to_string());
    error(signature.try_into().unwrap())
}

fn encoded(point: &EdwardsAffine) -> Vec<u8> {
    [field::to_bytes(&point.x), field::to_bytes(&point.y)].concat()
}

/// The point of order 2.
fn small() -> EdwardsAffine {
    EdwardsAffine::new_unchecked(Fr::zero(), -Fr::from(1u64))
}

/// Keys that are read or refused.
fn readings() -> Vec<Value> {
    let good = encoded(SecretKey::from_seed(b"good").public().point());
    let minus = encoded(&-*SecretKey::from_seed(b"good").public().point());
    let mixed = (*SecretKey::from_seed(b"good").public().point() + small()).into_affine();
    let mut off = good.clone();
    off[63] ^= 1;
    let modulus = hex::decode("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001");
    let modulus = modulus.unwrap();
    let cases = [
        ("valid", good.clone()),
        ("its negative", minus),
        ("off the curve", off),
        ("the identity", encoded(&EdwardsAffine::zero())),
        ("of order 2", encoded(&small())),
        ("of mixed order", encoded(&mixed)),
        ("x is the modulus", [&modulus[..], &good[32..]].concat()),
        ("y is the largest integer", [&good[..32], &[0xff; 32]].concat()),
        ("zeros", vec![0; 64]),
    ];
    let of = |(name, key): (&str, Vec<u8>)| json!({ "name": name, "key": bytes(&key), "error": read_key(&key) });
    cases.into_iter().map(of).collect()
}

/// A signature whose R has a component of order 2: the equation is cofactored.
fn cofactored(key: &SecretKey, message: Fr) -> Signature {
    let nonce = Scalar::from(1_234_567u64);
    let r = (EdwardsAffine::generator() * nonce + EdwardsProjective::from(small())).into_affine();
    let h = chain(TAG_SIG, &[r.x, r.y, key.public().keyhash(), message]);
    let secret = Scalar::from_be_bytes_mod_order(&key.expose_bytes());
    let h = Scalar::from_be_bytes_mod_order(&field::to_bytes(&h));
    Signature { r, s: nonce + h * secret }
}

/// Signatures that hold, do not hold, or cannot be read.
fn checks() -> Vec<Value> {
    let key = SecretKey::from_seed(b"checks");
    let other = SecretKey::from_seed(b"other").public();
    let message = random("message");
    let signature = key.sign(message);
    let good = signature.to_bytes();
    let cofactored = cofactored(&key, message).to_bytes();
    let mut off = good;
    off[63] ^= 1;
    let order = hex::decode("060c89ce5c263405370a08b6d0302b0bab3eedb83920ee0a677297dc392126f1");
    let mut large = good;
    large[64..].copy_from_slice(&order.unwrap());
    let mut wide = good;
    wide[..32].copy_from_slice(&[0xff; 32]);
    let mut response = good;
    response[95] ^= 1;
    let negative = Signature { r: -signature.r, s: signature.s }.to_bytes();
    let cases = [
        ("valid", key.public(), message, good),
        ("R has a component of order 2", key.public(), message, cofactored),
        ("another message", key.public(), message + Fr::from(1u64), good),
        ("another key", other, message, good),
        ("another S", key.public(), message, response),
        ("the negative of R", key.public(), message, negative),
        ("R off the curve", key.public(), message, off),
        ("R.x not below the modulus", key.public(), message, wide),
        ("S is the order", key.public(), message, large),
    ];
    let of = |(name, key, message, signature): (&str, PublicKey, Fr, [u8; 96])| {
        let holds = Signature::from_bytes(&signature).is_ok_and(|s| key.verify(message, &s));
        json!({
            "name": name,
            "key": bytes(&key.to_bytes()),
            "message": element(&message),
            "signature": bytes(&signature),
            "error": read_signature(&signature),
            "holds": holds,
        })
    };
    cases.into_iter().map(of).collect()
}

pub fn vectors() -> Value {
    let seeds = [&b""[..], b"alice", b"bob", &[0xff; 64]];
    let valid: Vec<Value> = seeds
        .into_iter()
        .map(|seed| {
            let key = SecretKey::from_seed(seed);
            let public = key.public();
            let messages = [Fr::zero(), -Fr::from(1u64), random("message")];
            let signatures: Vec<Value> = messages
                .iter()
                .map(|m| json!({ "message": element(m), "signature": bytes(&key.sign(*m).to_bytes()) }))
                .collect();
            json!({
                "seed": bytes(seed),
                "secret": bytes(&key.expose_bytes()),
                "public": bytes(&public.to_bytes()),
                "keyhash": element(&public.keyhash()),
                "exit": EXIT.to_string(),
                "owner": element(&owner(public.keyhash(), EXIT)),
                "signatures": signatures,
            })
        })
        .collect();
    json!({ "valid": valid, "readings": readings(), "checks": checks() })
}
