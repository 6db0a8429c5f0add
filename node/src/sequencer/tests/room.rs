//! Batches keep to their share of the calldata that a block may post.

use bastion_state::executor::Footprint;

use super::*;
use crate::posting::Usage;

/// What a sequencer makes of operations in a block of at most 256 batches, each of which may post 1,016 bytes.
fn batches_of(mode: DataMode, act: impl FnOnce(&mut Sequencer)) -> Vec<Sealed> {
    let dir = tempfile::tempdir().unwrap();
    let packing = Packing { mode, sizes: vec![256], ..packing() };
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let (mut sequencer, mut sealer) =
        Sequencer::open(dir.path(), signer, packing, dev_policy()).unwrap();
    act(&mut sequencer);
    sequencer.close(true).unwrap();
    let sealed = seal(&mut sequencer, &mut sealer);
    let bytes = |batch: &Sealed| posted_data(&batch.trace.ops).to_bytes_in(mode).len();
    let longest = sealed.iter().map(bytes).max().unwrap();
    assert!(longest * 256 <= bastion_protocol::data::MAX_DATA, "{mode}: {longest}");
    sealed
}

/// A block with more calldata is taken by no contract, and then none after it. Anybody can fill the queue.
#[test]
fn a_block_posts_no_more_calldata_than_l1_takes() {
    // 13 records of L1 operations, of which the shape has room for 17.
    let exit = dev_exit("nobody");
    let request = Op::ForcedExit(ForcedExit { index: FIRST_USER + 9, token: 0, exit });
    for mode in [DataMode::Blob, DataMode::Calldata] {
        let sealed = batches_of(mode, |sequencer| {
            sequencer.take_from_queue(0, &[request; 40], TIME).unwrap();
        });
        let counts: Vec<usize> = sealed.iter().map(|batch| batch.trace.ops.len()).collect();
        assert_eq!(counts[..4], [13, 13, 13, 1]);
    }
}

/// Orders and their quotes post two records each. What is in blobs counts for nothing.
#[test]
fn quotes_count_as_calldata_before_they_are_there() {
    let shares = |mode, batches: u32| {
        let packing = Packing { mode, sizes: vec![batches], ..packing() };
        let room = packing.room();
        let of = |kind| Footprint { kind, accounts: 3, nodes: 90, tokens: 0 };
        let kinds = [Kind::Order, Kind::Quote, Kind::Quote, Kind::Quote];
        let all = kinds.into_iter().fold(Usage::none(), |used, kind| room.with(used, &of(kind)));
        (room.holds(&all), packing.check().is_ok())
    };
    // Four records of 30 bytes, and the counts: 2,048 batches share 128 bytes each.
    assert_eq!(shares(DataMode::Calldata, 2_048), (true, false));
    assert_eq!(shares(DataMode::Calldata, 2_049), (false, false));
    assert!(shares(DataMode::Blob, 2_049).0);
    // A forced exit that pays posts 122 bytes.
    assert_eq!(shares(DataMode::Blob, 2_016), (true, true));
    assert_eq!(shares(DataMode::Blob, 2_017), (true, false));
}
