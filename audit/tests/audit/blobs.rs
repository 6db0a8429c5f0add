//! The same history with its data in blobs: nothing else may come out, and whatever is wrong with a blob
//! has a name.

use bastion_audit::blob::{versioned_hash, PostedBlob};
use bastion_protocol::blob::{coefficients, evaluate, to_blob, to_blobs, Posted, Scalar};
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
    block.blobs = vec![posted(&of_block(&block))];
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
    bare.blobs[0].bytes = None;
    assert_eq!(bare.exits(), honest.blocks[1].exits());
    assert_eq!(bare.exits().unwrap().len(), 2);
    let header = Header { domain, ..block.header };
    let hashes = block.versioned_hashes();
    let elements = of_block(&honest.blocks[1]).len() as u64;
    let z = header.blob_claim(&hashes, elements).point();
    let r = header.challenge_in_blobs(&block.data, &hashes);
    assert_eq!(data.inputs, header.public_inputs_in_blobs(&data.batches, r, z).unwrap());
}

#[test]
fn what_is_wrong_with_a_blob_has_a_name() {
    let blob = |block: &mut Block, change: &dyn Fn(&mut Vec<u8>)| {
        change(block.blobs[0].bytes.as_mut().unwrap());
    };
    let (name, what) = finding(|block, _| block.blobs[0].bytes = None);
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
            block.blobs = vec![posted(&found)];
        }),
        "follows the last batch",
    );
    expect(
        finding(|block, mut found| {
            found[0] += bastion_protocol::blob::layout::element(0, 1 << 119) * Scalar::from(2u64);
            block.blobs = vec![posted(&found)];
        }),
        "more than 240 bits",
    );
    // As many blobs as the counts ask for, even where one more holds zeros.
    expect(finding(|block, _| block.blobs.push(posted(&[]))), "2 blobs");
    let (name, _) = finding(|block, _| block.data.push(0));
    assert_eq!(name, "data");
}

#[test]
fn another_blob_is_another_block() {
    // Its word is another: so are root and chain.
    let (name, what) = finding(|block, mut found| {
        found[0] += Scalar::from(1u64 << 20);
        block.blobs = vec![posted(&found)];
    });
    assert!(["replay", "root", "chain", "exit_root"].contains(&name), "{name}: {what}");
}

/// A block whose records fill one blob and begin a second: transfers that nobody signed, which reading does not
/// look at.
fn in_two_blobs() -> (Block, Vec<Vec<u8>>) {
    let mut block = honest().blocks[1].clone();
    let mut batches = read_batches(&block.data, block.header.batches).unwrap();
    let word = |n: u32| [&[0x10; 11][..], &n.to_be_bytes()].concat();
    let records = &mut batches[0].records[Section::L2 as usize];
    records.splice(0..0, (0..5_000).map(word));
    let more = bastion_protocol::data::BatchData {
        records: Section::ALL.map(|section| match section {
            Section::L2 => (0..5_000).map(word).collect(),
            Section::L1 | Section::Exits | Section::Owners => Vec::new(),
        }),
    };
    batches.push(more);
    block.header.batches = 2;
    let blobs = to_blobs(&coefficients(&batches).unwrap()).unwrap();
    block.blobs = blobs
        .iter()
        .map(|bytes| PostedBlob {
            versioned_hash: versioned_hash(bytes).unwrap(),
            bytes: Some(bytes.clone()),
        })
        .collect();
    block.data = Posted::to_bytes(&batches);
    (block, blobs)
}

#[test]
fn a_block_in_two_blobs_is_read() {
    let domain = honest().domain();
    let (block, blobs) = in_two_blobs();
    assert_eq!(blobs.len(), 2);
    let read = block.read(domain).unwrap();
    let [first, second] = [0, 1].map(|i| read.batches[i].section(Section::L2).len());
    assert_eq!(second, 5_000);
    // The value is that of all coefficients at the point, by the definition of the layout.
    let header = Header { domain, ..block.header };
    let hashes = block.versioned_hashes();
    let owners = read.batches[0].section(Section::Owners).len();
    let groups = (first + 4 * owners).div_ceil(32) + second.div_ceil(32);
    let z = header.blob_claim(&hashes, 16 * groups as u64).point();
    let value = evaluate(&coefficients(&read.batches).unwrap(), z);
    let r = header.challenge_in_blobs(&block.data, &hashes);
    assert_eq!(read.inputs, header.public_inputs_at(&read.batches, r, z, &value));
    assert_eq!(read.inputs.z, Fr::from(z));
}

#[test]
fn two_blobs_are_both_needed_and_in_order() {
    let domain = honest().domain();
    let (honest, blobs) = in_two_blobs();
    let refused = |change: &dyn Fn(&mut Block)| {
        let mut block = honest.clone();
        change(&mut block);
        block.read(domain).unwrap_err().to_string()
    };
    let swapped = refused(&|block| block.blobs.swap(0, 1));
    assert!(swapped.contains("is not 0") || swapped.contains("bits"), "{swapped}");
    assert!(refused(&|block| drop(block.blobs.pop())).contains("1 blobs"));
    assert!(refused(&|block| block.blobs.push(block.blobs[1].clone())).contains("3 blobs"));
    for i in 0..2 {
        let missing = refused(&|block| block.blobs[i].bytes = None);
        let hash = hex::encode(honest.blobs[i].versioned_hash);
        assert!(missing.contains(&hash) && missing.contains("18 days"), "{missing}");
        let other = refused(&|block| block.blobs[i].bytes = Some(blobs[1 - i].clone()));
        assert!(other.contains(&hash) && other.contains("another blob"), "{other}");
    }
    // With other hashes the same bytes are another block.
    let mut swapped = honest.clone();
    swapped.header.c_out += Fr::from(1u64);
    assert_ne!(swapped.read(domain).unwrap().inputs.z, honest.read(domain).unwrap().inputs.z);
}
