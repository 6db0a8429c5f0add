use super::*;
use ark_ff::UniformRand;
use rand::SeedableRng;

fn key() -> SecretKey {
    SecretKey::from_seed(b"a key of the tests")
}

#[test]
fn signatures_verify_and_bind_message_and_key() {
    let message = Fr::from(42_u64);
    let signature = key().sign(message);
    assert!(key().public().verify(message, &signature));
    assert!(!key().public().verify(Fr::from(43_u64), &signature));
    let other = SecretKey::from_seed(b"another key").public();
    assert!(!other.verify(message, &signature));
    assert_eq!(key().sign(message).s, signature.s, "deterministic");
}

#[test]
fn encodings_round_trip_and_refuse_the_rest() {
    let public = key().public();
    assert_eq!(PublicKey::from_bytes(&public.to_bytes()).unwrap(), public);
    let secret = key().expose_bytes();
    assert_eq!(SecretKey::from_bytes(&secret).unwrap().public(), key().public());
    assert!(SecretKey::from_bytes(&[0; 32]).is_err());
    assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
    assert_eq!(format!("{:?}", key()), "SecretKey(redacted)");
    let json = serde_json::to_string(&public).unwrap();
    assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), public);
}

#[test]
fn keys_off_the_curve_or_of_small_order_are_refused() {
    let mut bytes = key().public().to_bytes();
    bytes[63] ^= 1;
    assert!(PublicKey::from_bytes(&bytes).is_err());
    assert!(PublicKey::new(EdwardsAffine::zero()).is_err());
    // (0, -1) is on the curve and of order 2.
    let order_two = EdwardsAffine::new_unchecked(Fr::from(0_u64), -Fr::from(1_u64));
    assert!(order_two.is_on_curve());
    assert!(PublicKey::new(order_two).is_err());
    let mixed = (*key().public().point() + order_two).into_affine();
    assert!(mixed.is_on_curve());
    assert!(PublicKey::new(mixed).is_err());
}

#[test]
fn the_equation_is_cofactored() {
    // A nonce commitment with a component of order 2: 8 (S B - h A - R) = O still holds.
    let message = Fr::from(7_u64);
    let order_two = EdwardsAffine::new_unchecked(Fr::from(0_u64), -Fr::from(1_u64));
    let k = Scalar::from(12_345_u64);
    let r = (EdwardsProjective::generator() * k + order_two).into_affine();
    let h = challenge(&r, key().public().keyhash(), message);
    let secret = Scalar::from_be_bytes_mod_order(&key().expose_bytes());
    let s = k + to_scalar(h) * secret;
    assert!(key().public().verify(message, &Signature { r, s }));
}

#[test]
fn random_messages() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    for _ in 0..8 {
        let message = Fr::rand(&mut rng);
        let signature = key().sign(message);
        assert!(key().public().verify(message, &signature));
        let forged = Signature { s: signature.s + Scalar::from(1_u64), ..signature };
        assert!(!key().public().verify(message, &forged));
    }
}

/// One equation for many claims says what each of them says alone.
#[test]
fn claims_are_checked_together() {
    let order_two = EdwardsAffine::new_unchecked(Fr::from(0_u64), -Fr::from(1_u64));
    let claim = |n: u64| {
        let key = SecretKey::from_seed(&n.to_be_bytes());
        let message = Fr::from(n);
        Claim::new(key.public(), message, key.sign(message))
    };
    let mut good: Vec<Claim> = (0..9).map(claim).collect();
    // A commitment with a component of order 2, and a key that signs twice.
    let k = Scalar::from(12_345_u64);
    let r = (EdwardsProjective::generator() * k + order_two).into_affine();
    let message = Fr::from(99_u64);
    let public = key().public();
    let secret = Scalar::from_be_bytes_mod_order(&key().expose_bytes());
    let s = k + to_scalar(challenge(&r, public.keyhash(), message)) * secret;
    good.push(Claim::new(public, message, Signature { r, s }));
    good.push(Claim::new(public, Fr::from(1_u64), key().sign(Fr::from(1_u64))));
    assert!(verify_all(&[]) && verify_all(&good));
    assert!(check_claims(&good).iter().zip(&good).all(|(verified, claim)| {
        verified.unwrap().covers(&claim.key, claim.message, &claim.signature)
    }));
    for i in 0..good.len() {
        assert!(verify_all(&good[i..=i]));
        let changes: [fn(&mut Claim); 4] = [
            |c| c.message += Fr::from(1_u64),
            |c| c.signature.s += Scalar::from(1_u64),
            |c| c.signature.r = (c.signature.r + EdwardsAffine::generator()).into_affine(),
            |c| {
                let key = SecretKey::from_seed(b"another").public();
                *c = Claim::new(key, c.message, c.signature);
            },
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad[i]);
            assert!(!verify_all(&bad), "claim {i}");
            // The others are found to hold all the same.
            let checked = check_claims(&bad);
            assert!(checked.iter().enumerate().all(|(n, verified)| verified.is_some() == (n != i)));
            let Claim { key, message, signature, .. } = bad[i];
            assert!(!key.verify(message, &signature));
        }
    }
    // By the other way to add, from so many claims on.
    let many: Vec<Claim> = good.iter().copied().cycle().take(MANY + 1).collect();
    assert!(verify_all(&many));
    for i in [0, good.len() - 2, MANY] {
        let mut bad = many.clone();
        bad[i].signature.s += Scalar::from(1_u64);
        assert!(!verify_all(&bad), "claim {i} of many");
    }
    // Two errors that cancel out if the factors are equal.
    let mut bad = good.clone();
    bad[0].signature.s += Scalar::from(1_u64);
    bad[1].signature.s -= Scalar::from(1_u64);
    assert!(!verify_all(&bad));
    let mut off = good.clone();
    off[3].signature.r = EdwardsAffine::new_unchecked(Fr::from(1_u64), Fr::from(1_u64));
    assert!(!verify_all(&off));
}

/// Both ways to add multiples give the same sum.
#[test]
fn sums_of_few_are_sums() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
    let order_two = EdwardsAffine::new_unchecked(Fr::from(0_u64), -Fr::from(1_u64));
    for n in [0, 1, 2, 5] {
        let mut bases: Vec<EdwardsAffine> = (0..n)
            .map(|_| (EdwardsProjective::generator() * Scalar::rand(&mut rng)).into())
            .collect();
        let mut scalars: Vec<Scalar> = (0..n).map(|_| Scalar::rand(&mut rng)).collect();
        bases.extend([EdwardsAffine::zero(), EdwardsAffine::generator(), order_two]);
        scalars.extend([Scalar::from(3_u64), -Scalar::from(1_u64), Scalar::from(5_u64)]);
        let plain: EdwardsProjective = bases.iter().zip(&scalars).map(|(b, s)| *b * s).sum();
        assert_eq!(sum_of_few(&bases, &scalars), plain);
    }
}
