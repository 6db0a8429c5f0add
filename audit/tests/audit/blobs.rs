//! The same history with its data in blobs: nothing else may come out, and whatever is wrong with a blob
//! has a name.

use bastion_audit::blob::{versioned_hash, PostedBlob};
use bastion_protocol::blob::{coefficients, to_blob, Posted, Scalar};
use bastion_protocol::data::read_batches;

use super::*;

/// The blob with these coefficients, as the contract was told of it.
fn posted(coefficients: &[Scalar]) -> PostedBlob {
    let bytes = to_blob(coefficients).unwrap();
    PostedBlob { versioned_hash: versioned_hash(&bytes).unwrap(), bytes: Some(bytes) }
}

fn of_block(block: &Block) -> Vec<Scalar> {
    coefficients(&read_batches(&block.data, block.header.batches).unwrap()).unwrap()
}

fn in_blob(mut block: Block) -> Block {
    let batches = read_batches(&block.data, block.header.batches).unwrap();
    block.blob = Some(posted(&of_block(&block)));
    block.data = Posted::to_bytes(&batches);
    block
}

/// The second block in a blob, the first in calldata: a rollup may have both.
fn mixed() -> History {
    let mut history = honest();
    history.blocks[1] = in_blob(history.blocks[1].clone());
    history
}

/// The first finding about block 2 after something was done to its blob or data.
fn finding(change: impl Fn(&mut Block, Vec<Scalar>)) -> (&'static str, String) {
    let honest = honest();
    let mut history = mixed();
    change(&mut history.blocks[1], of_block(&honest.blocks[1]));
    let (report, _) = run(&history, None);
    let found = report.findings.into_iter().find(|f| f.block == Some(2)).unwrap();
    (found.name, found.what)
}

#[test]
fn data_in_blobs_lead_to_the_same_state() {
    let mut all = honest();
    all.blocks = all.blocks.into_iter().map(in_blob).collect();
    let (expected, replay) = run(&honest(), None);
    for history in [mixed(), all] {
        let (report, again) = run(&history, None);
        assert!(report.clean, "{:#?}", report.findings);
        assert_eq!((&report.root, report.operations), (&expected.root, expected.operations));
        assert!(replay.accounts().eq(again.accounts()));
    }
}

/// What the contract computes of a block in a blob.
#[test]
fn public_inputs_are_those_of_the_protocol() {
    let (history, honest) = (mixed(), honest());
    let domain = history.domain();
    let block = &history.blocks[1];
    let data = block.read(domain).unwrap();
    assert_eq!(data.batches, honest.blocks[1].read(domain).unwrap().batches);
    // Exits take no blob.
    let mut bare = block.clone();
    bare.blob.as_mut().unwrap().bytes = None;
    assert_eq!(bare.exits(), honest.blocks[1].exits());
    assert_eq!(bare.exits().unwrap().len(), 2);
    let header = Header { domain, ..block.header };
    let hash = block.blob.as_ref().unwrap().versioned_hash;
    let elements = of_block(&honest.blocks[1]).len() as u32;
    let z = header.blob_claim(hash, elements).point();
    let r = header.challenge_in_blob(&block.data, &hash);
    assert_eq!(data.inputs, header.public_inputs_in_blob(&data.batches, r, z).unwrap());
}

#[test]
fn what_is_wrong_with_a_blob_has_a_name() {
    let blob = |block: &mut Block, change: &dyn Fn(&mut Vec<u8>)| {
        change(block.blob.as_mut().unwrap().bytes.as_mut().unwrap());
    };
    let (name, what) = finding(|block, _| block.blob.as_mut().unwrap().bytes = None);
    assert_eq!((name, what.contains("18 days")), ("blob_missing", true), "{what}");
    let expect = |(name, what): (&str, String), part: &str| {
        assert!(name == "blob" && what.contains(part), "{name}: {what}");
    };
    expect(finding(|block, _| blob(block, &|bytes| bytes.truncate(4_096))), "4096 bytes");
    expect(finding(|block, _| blob(block, &|bytes| bytes[31] ^= 1)), "another blob");
    expect(finding(|block, _| blob(block, &|bytes| bytes[..32].fill(0xff))), "scalar modulus");
    // L1 has the hash of what follows, and yet it is the blob of no block.
    expect(
        finding(|block, mut found| {
            found.push(Scalar::from(1u64));
            block.blob = Some(posted(&found));
        }),
        "follows the last batch",
    );
    expect(
        finding(|block, mut found| {
            found[0] += bastion_protocol::blob::layout::element(0, 1 << 119) * Scalar::from(2u64);
            block.blob = Some(posted(&found));
        }),
        "more than 240 bits",
    );
    let (name, _) = finding(|block, _| block.data.push(0));
    assert_eq!(name, "data");
}

#[test]
fn another_blob_is_another_block() {
    // Its word is another: so are root and chain.
    let (name, what) = finding(|block, mut found| {
        found[0] += Scalar::from(1u64 << 20);
        block.blob = Some(posted(&found));
    });
    assert!(["replay", "root", "chain", "exit_root"].contains(&name), "{name}: {what}");
}
