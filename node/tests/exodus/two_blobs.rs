//! A block whose records take two blobs, on the embedded L1, which checks real openings.

use super::*;

/// Transfers of a batch: the second one begins in the first blob and ends in the second.
const TRANSFERS: u32 = 4_100;

/// A rollup with a block of three deposits, and the block after it: header and batches, not sent yet.
fn story(l1: &mut dyn DevChain) -> (Address, State, Header, Vec<BatchData>) {
    let contract = deploy(l1);
    let mut state = State::new();
    let ops =
        ["alice", "bob", "carol"].map(|name| deposit(l1, contract, name, who(name), 1_000_000_000));
    settle(l1, contract, &mut state, &ops, Posting::Folder);

    let chain = domain(31_337, bastion_protocol::Address(contract.into_array()));
    let time = l1.now().unwrap();
    let context = BatchContext { domain: chain, time, policy: dev_policy() };
    let pay = |nonce: u32| {
        let action = Action::Transfer { to: FIRST_USER + 1, amount: u128::from(nonce) + 1 };
        let account = FIRST_USER;
        let body = Body { account, token: 0, nonce, deadline: time + 10_000, fee: 0, action };
        Op::Signed(body.sign(&dev_key("alice"), chain, dev_exit("alice")).unwrap())
    };
    let old_root = state.root();
    let (mut batches, mut c_out) = (Vec::new(), Fr::from(0u64));
    for first in [0, TRANSFERS] {
        let mut batch = BatchBuilder::new(&mut state, context.clone()).unwrap();
        for nonce in first..first + TRANSFERS {
            assert!(batch.push(&pay(nonce), |_| true).unwrap());
        }
        let trace = batch.finish().unwrap();
        c_out = order_chain(c_out, &trace.ops);
        batches.push(posted_data(&trace.ops));
    }
    let header = Header {
        old_root,
        new_root: state.root(),
        policy_root: dev_policy().root(),
        domain: chain,
        time,
        c_out,
        batches: 2,
    };
    (contract, state, header, batches)
}

/// Why the contract refuses a call with these blobs.
fn refused(l1: &mut dyn DevChain, contract: Address, call: &Bytes, blobs: &[Sidecar]) -> String {
    l1.send_blobs(DEV_OPERATOR, contract, call.clone(), blobs).unwrap_err().to_string()
}

#[test]
fn a_block_in_two_blobs_is_audited_from_what_l1_and_an_archive_hold() {
    let mut l1 = EmbeddedL1::new(TIME);
    let (contract, state, header, batches) = story(&mut l1);
    let (blobs, data) = in_blobs(&batches);
    assert_eq!(blobs.len(), 2);
    let call = PostedData { data: &data, blobs: &blobs }.commit_call(&header).unwrap();
    let swapped = [blobs[1].clone(), blobs[0].clone()];
    let more = [&blobs[..], &blobs[..1]].concat();
    for (blobs, why) in
        [(&blobs[..1], "WrongBlobs"), (&more[..], "WrongBlobs"), (&swapped[..], "BlobRefused")]
    {
        let found = refused(&mut l1, contract, &call, blobs);
        assert!(found.contains(why), "{found}");
    }
    settle_in_blobs(&mut l1, contract, &header, &batches);

    let (mut sources, dir) = Posting::Folder.open(&mut l1, contract);
    let (history, _) = collect_pinned(&mut l1, contract, &mut sources).unwrap();
    sources.require(&history, None).unwrap();
    let hashes = history.blocks[1].versioned_hashes();
    let own: Vec<_> = blobs.iter().map(|blob| blob.versioned_hash().0).collect();
    assert_eq!(hashes, own);
    is_clean(&history);
    let rebuilt = rebuild(&history, &[dev_policy()]).unwrap();
    assert_eq!(rebuilt.root(), state.root());
    let dues = Dues::of(&history, &rebuilt).unwrap();
    assert_eq!(dues.all.len(), 3, "everybody can leave");
    // A place behind the first blob.
    let last = Wanted::Place(Place { block: 2, batch: 1, position: TRANSFERS - 1 });
    let shown = inclusion(&history, &[dev_policy()], &last).unwrap();
    assert_eq!(shown.verify(), Ok(()));

    // Either blob is needed, and neither stands for the other.
    let [first, second] = [0, 1].map(|i| dir.path().join(file_name(&hashes[i])));
    for (one, other) in [(&first, &second), (&second, &first)] {
        let whole = std::fs::read(one).unwrap();
        let mut class = || {
            let (history, _) = collect_pinned(&mut l1, contract, &mut sources).unwrap();
            assert!(rebuild(&history, &[dev_policy()]).is_err());
            sources.require(&history, None).unwrap_err().class()
        };
        std::fs::remove_file(one).unwrap();
        assert_eq!(class(), ErrorClass::Missing);
        std::fs::copy(other, one).unwrap();
        assert_eq!(class(), ErrorClass::Invalid);
        std::fs::write(one, &whole).unwrap();
    }
}
