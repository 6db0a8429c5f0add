use super::*;
use crate::keys::SecretKey;
use crate::Fr;
use proptest::prelude::*;

fn element() -> impl Strategy<Value = Fr> {
    any::<[u8; 32]>().prop_map(|bytes| field::reduce(&bytes))
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (any::<u32>(), any::<u128>()).prop_map(|(to, amount)| Action::Transfer { to, amount }),
        (element(), address(), any::<u128>())
            .prop_map(|(keyhash, exit, amount)| { Action::TransferNew { keyhash, exit, amount } }),
        (address(), any::<u128>()).prop_map(|(to, amount)| Action::Withdraw { to, amount }),
        element().prop_map(|keyhash| Action::ChangeKey { keyhash }),
        (any::<u64>(), any::<u64>())
            .prop_map(|(until, old_until)| Action::Freeze { until, old_until }),
        any::<u64>().prop_map(|old_until| Action::Unfreeze { old_until }),
        (any::<u32>(), any::<u16>(), any::<u128>(), 1u64 << 63.., 0u8..128).prop_map(
            |(to, buy, amount, mantissa, exponent)| {
                let limit = Limit::new(mantissa, exponent).unwrap();
                Action::Order { to, buy, amount, limit }
            }
        ),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let signed = (
        (any::<u32>(), any::<u16>(), any::<u32>()),
        (any::<u64>(), any::<u128>()),
        action(),
        any::<[u8; 8]>(),
    )
        .prop_map(|((account, token, nonce), (deadline, fee), action, seed)| {
            let key = SecretKey::from_seed(&seed);
            Op::Signed(SignedOp {
                body: Body { account, token, nonce, deadline, fee, action },
                key: key.public(),
                signature: key.sign(Fr::from(nonce)),
            })
        });
    prop_oneof![
        1 => Just(Op::Noop),
        2 => (any::<u16>(), any::<u128>(), element(), address()).prop_map(
            |(token, amount, keyhash, exit)| Op::Deposit(Deposit { token, amount, keyhash, exit })
        ),
        2 => (any::<u32>(), any::<u16>(), address())
            .prop_map(|(index, token, exit)| Op::ForcedExit(ForcedExit { index, token, exit })),
        1 => (any::<u16>(), any::<u16>(), any::<u128>())
            .prop_map(|(a, b, value)| Op::Quote(Quote { a, b, value })),
        6 => signed,
    ]
}

proptest! {
    #![proptest_config(crate::seed::config(64))]

    #[test]
    fn bytes_and_json_round_trip(op in op()) {
        let bytes = op.to_bytes();
        prop_assert_eq!(Op::from_bytes(&bytes).unwrap(), op);
        let text = serde_json::to_string(&op).unwrap();
        prop_assert_eq!(serde_json::from_str::<Op>(&text).unwrap(), op);
    }

    #[test]
    fn shorter_and_longer_bytes_are_refused(op in op(), cut in any::<prop::sample::Index>()) {
        let mut bytes = op.to_bytes();
        let cut = cut.index(bytes.len());
        prop_assert!(Op::from_bytes(&bytes[..cut]).is_err());
        bytes.push(0);
        prop_assert!(Op::from_bytes(&bytes).is_err());
    }

    /// What decodes encodes to the same bytes: there is no second encoding.
    #[test]
    fn changed_bytes_are_refused_or_another_operation(
        op in op(),
        place in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = op.to_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(other) = Op::from_bytes(&bytes) {
            prop_assert_eq!(other.to_bytes(), bytes);
            prop_assert_ne!(other, op);
        }
    }
}

#[test]
fn the_layout_is_that_of_the_protocol() {
    let op =
        Op::ForcedExit(ForcedExit { index: 0x0102_0304, token: 0x0506, exit: Address([7; 20]) });
    let expected = format!("82{}{}{}", "01020304", "0506", "07".repeat(20));
    assert_eq!(hex::encode(op.to_bytes()), expected);
    let op = Op::Deposit(Deposit {
        token: 1,
        amount: 2,
        keyhash: Fr::from(3u64),
        exit: Address([4; 20]),
    });
    let expected = format!("81{:04x}{:032x}{:064x}{}", 1, 2, 3, "04".repeat(20));
    assert_eq!(hex::encode(op.to_bytes()), expected);
    let op = Op::Quote(Quote { a: 0x0102, b: 0x0304, value: 5 });
    assert_eq!(hex::encode(op.to_bytes()), format!("0801020304{:032x}", 5));
    let key = SecretKey::from_seed(b"layout");
    let mut signed = SignedOp {
        body: Body {
            account: 1,
            token: 2,
            nonce: 3,
            deadline: 4,
            fee: 5,
            action: Action::Transfer { to: 6, amount: 7 },
        },
        key: key.public(),
        signature: key.sign(Fr::from(8u64)),
    };
    let expected = format!(
        "01{:08x}{:04x}{:08x}{:016x}{:032x}{:08x}{:032x}{}{}",
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        hex::encode(signed.key.to_bytes()),
        hex::encode(signed.signature.to_bytes())
    );
    assert_eq!(hex::encode(Op::Signed(signed).to_bytes()), expected);
    let limit = Limit::new(1 << 63 | 9, 8).unwrap();
    signed.body.action = Action::Order { to: 6, buy: 0x0a0b, amount: 7, limit };
    let bytes = hex::encode(Op::Signed(signed).to_bytes());
    let before = format!("07{}0a0b{}", &expected[2..78], &expected[78..110]);
    assert_eq!(bytes, before + "800000000000000908" + &expected[110..]);
}

#[test]
fn an_order_without_a_limit_is_refused() {
    let key = SecretKey::from_seed(b"order");
    let limit = Limit::new(1 << 63, 0).unwrap();
    let action = Action::Order { to: 6, buy: 8, amount: 7, limit };
    let body = Body { account: 1, token: 2, nonce: 3, deadline: 4, fee: 5, action };
    let signature = key.sign(Fr::from(8u64));
    let mut bytes = Op::Signed(SignedOp { body, key: key.public(), signature }).to_bytes();
    assert!(Op::from_bytes(&bytes).is_ok());
    // The first byte of the mantissa, and the exponent after its 8 bytes.
    for (at, wrong) in [(57, 0x7f), (65, 128)] {
        let right = std::mem::replace(&mut bytes[at], wrong);
        assert!(matches!(Op::from_bytes(&bytes), Err(ProtocolError::Limit { .. })), "byte {at}");
        bytes[at] = right;
    }
}

#[test]
fn what_is_wrong_is_named() {
    let error = |bytes: &[u8]| Op::from_bytes(bytes).unwrap_err().to_string();
    assert!(error(&[]).contains("ends after 0 bytes"));
    assert!(error(&[9]).contains("unknown tag 0x09"));
    assert!(error(&[8]).contains("3 are needed"));
    assert!(error(&[0, 0]).contains("expected 1 bytes, got 2"));
    assert!(error(&[DEPOSIT; 10]).contains("ends after 10 bytes"));
}
