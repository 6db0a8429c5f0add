use super::*;
use proptest::prelude::*;

fn opening() -> impl Strategy<Value = Opening> {
    (any::<[u8; 32]>(), any::<[u8; 20]>()).prop_map(|(x, exit)| (field::reduce(&x), Address(exit)))
}

proptest! {
    #![proptest_config(crate::seed::config(64))]
    #[test]
    fn records_are_read_as_they_were_written(
        token: Token, index: Index, to: Index, amount: u128, time in 0u64..1 << 40,
        opening in opening(), kind in 0u8..16, fee12 in 0u64..1 << 12,
    ) {
        let (keyhash, exit) = opening;
        for record in [
            L1Record::Deposit { token, index, amount, keyhash, exit },
            L1Record::ForcedExit { token, index, exit },
        ] {
            let bytes = record.to_bytes();
            prop_assert_eq!(bytes.len(), Section::L1.record_len());
            prop_assert_eq!(L1Record::read(&bytes), Ok(record));
        }
        let record = ExitRecord { to: exit, token, release_time: time, amount, index };
        prop_assert_eq!(ExitRecord::read(&record.to_bytes()), Ok(record));
        prop_assert_eq!(read_owner(&owner_record(&opening)), Ok(opening));
        let record = L2Record { kind, fee12, from: index, to, amount40: time };
        prop_assert_eq!(L2Record::read(&record.to_bytes()), Ok(record));
    }
}

/// Written by hand from section 6, so that a width or an order that is wrong on both sides shows.
#[test]
fn bytes_are_those_of_the_protocol() {
    let exit = Address([0xee; 20]);
    let (index, token) = (0x0a0b_0c0d, 0x0102);
    let ee = "ee".repeat(20);
    let keyhash = Fr::from(0x77u64);
    let deposit = L1Record::Deposit { token, index, amount: 0x99, keyhash, exit };
    let zeros = |n| "00".repeat(n);
    let bytes = |record: Vec<u8>| hex::encode(record);
    assert_eq!(
        bytes(deposit.to_bytes()),
        format!("0101020a0b0c0d{}99{}77{ee}", zeros(15), zeros(31))
    );
    let forced = L1Record::ForcedExit { token, index, exit };
    assert_eq!(bytes(forced.to_bytes()), format!("0201020a0b0c0d{}{ee}", zeros(48)));
    let release_time = 0x01_0203_0405;
    let record = ExitRecord { to: exit, token, release_time, amount: 0x99, index };
    assert_eq!(bytes(record.to_bytes()), format!("{ee}01020102030405{}990a0b0c0d", zeros(15)));
    let owner = owner_record(&(keyhash, exit));
    assert_eq!(bytes(owner), format!("{}77{ee}", zeros(31)));
    let record =
        L2Record { kind: 3, fee12: 0xabc, from: index, to: 0x0506_0708, amount40: 0x11_2233_4455 };
    assert_eq!(bytes(record.to_bytes()), "3abc0a0b0c0d050607081122334455");
}

#[test]
fn operations_of_one_and_two_records_follow_one_another() {
    let limit = Limit::new(1 << 63, 127).unwrap();
    let quote = Quote::price(3, 4, 5).unwrap();
    let transfer = L2Record { kind: 1, fee12: 0, from: 9, to: 8, amount40: 32 };
    let order = L2Record { kind: 7, ..transfer };
    let records: Vec<Vec<u8>> = vec![
        order.to_bytes(),
        value_record(limit.word()),
        transfer.to_bytes(),
        quote.record().to_bytes(),
        value_record(quote.value),
    ];
    let mut rest = records.as_slice();
    let mut next = || L2Posted::take(&mut rest);
    let first = next().unwrap().unwrap();
    assert_eq!((first.kind, first.main, first.limit()), (Kind::Order, order, Ok(limit)));
    let second = next().unwrap().unwrap();
    assert_eq!((second.kind, second.main, second.value), (Kind::Transfer, transfer, 0));
    let third = next().unwrap().unwrap();
    let content = Quoted::Price { market: 4, price: 5 };
    assert_eq!((third.kind, third.quote()), (Kind::Quote, Ok((quote, content))));
    assert_eq!(next(), Ok(None));
    let mut cut = &records[..1];
    assert_eq!(L2Posted::take(&mut cut), Err(RecordError::NoValue));
}

#[test]
fn second_words_have_their_form() {
    let order = L2Record { kind: 7, fee12: 1, from: 9, to: 8, amount40: 32 };
    let with = |main: L2Record, value| L2Posted { main, kind: main.known_kind().unwrap(), value };
    for word in [0, 1 << 69, 1 << 71, 1 << 70 | 1 << 75] {
        assert_eq!(with(order, word).limit(), Err(RecordError::Value(word)), "{word:#x}");
    }
    assert!(with(order, 1 << 70).limit().is_ok());
    let price = Quote::price(3, 0, 0).unwrap().record();
    assert_eq!(with(price, 1 << 112).quote(), Err(RecordError::Value(1 << 112)));
    let fraction = L2Record { to: 4, ..price };
    assert!(with(fraction, 1 << 32).quote().is_ok());
    assert!(with(fraction, (1 << 32) + 1).quote().is_err());
    let wide = 1 << 16;
    for (spoiled, error) in [
        (L2Record { from: wide, ..price }, RecordError::Token(wide)),
        (L2Record { to: wide, ..price }, RecordError::Token(wide)),
        (L2Record { fee12: 1, ..price }, RecordError::NotZero("the fee")),
        (L2Record { amount40: 1, ..price }, RecordError::NotZero("the amount")),
        (L2Record { kind: 9, ..price }, RecordError::Kind(9)),
    ] {
        assert_eq!(spoiled.known_kind(), Err(error));
    }
}

#[test]
fn what_is_no_record_is_refused() {
    let exit = Address([7; 20]);
    let (token, index) = (1, 2);
    let mut bytes = L1Record::ForcedExit { token, index, exit }.to_bytes();
    bytes[22] = 1;
    assert_eq!(L1Record::read(&bytes), Err(RecordError::NotZero("the amount")));
    bytes[22] = 0;
    bytes[54] = 1;
    assert_eq!(L1Record::read(&bytes), Err(RecordError::NotZero("the key hash")));
    bytes[0] = 3;
    assert_eq!(L1Record::read(&bytes), Err(RecordError::Kind(3)));
    bytes[23..55].fill(0xff);
    assert_eq!(L1Record::read(&bytes), Err(RecordError::KeyHash));
    assert_eq!(read_owner(&bytes[23..]), Err(RecordError::KeyHash));
    for section in Section::ALL {
        let expected = section.record_len();
        for got in [0, expected - 1, expected + 1] {
            let record = vec![0; got];
            let error = match section {
                Section::L1 => L1Record::read(&record).err(),
                Section::L2 => L2Record::read(&record).err(),
                Section::Exits => ExitRecord::read(&record).err(),
                Section::Owners => read_owner(&record).err(),
            };
            assert_eq!(error, Some(RecordError::Length { expected, got }));
        }
    }
}
