use super::*;

use alloy_primitives::address;
use bastion_contract::rollup::slashing as contract;
use bastion_l1::{DevChain, EmbeddedL1, SendL1};
use k256::ecdsa::SigningKey;

const TIME_OF_BLOCK: u64 = 1_800_000_000;
const OWNER: Address = address!("00000000000000000000000000000000000000b0");
const REPORTER: Address = address!("00000000000000000000000000000000000000e9");
const BOND: u128 = 4_000_000_000_000_000_000;
const EXITS: B256 = B256::repeat_byte(0xee);
const SALT: B256 = B256::repeat_byte(0x5a);
const DELAY: u64 = 600;

/// Code that answers as a rollup with one final block: its record and time to `blockInputs`, and 0 to `revertCount`,
/// which has no argument.
fn stub(record: B256) -> Bytes {
    let code = [
        // More than four bytes of calldata: go to 12. Else return a word of zeros.
        &[0x60, 0x04, 0x36, 0x11, 0x60, 0x0c, 0x57, 0x60, 0x20, 0x60, 0x00, 0xf3][..],
        &[0x5b, 0x7f],
        record.as_slice(),
        &[0x60, 0x00, 0x52, 0x63],
        &(TIME_OF_BLOCK as u32).to_be_bytes(),
        &[0x60, 0x20, 0x52, 0x60, 0x40, 0x60, 0x00, 0xf3],
    ]
    .concat();
    let length = code.len() as u8;
    // Copies what follows, and leaves it as the code.
    let copy = [0x60, length, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, length, 0x60, 0x00, 0xf3];
    [&copy[..], &code].concat().into()
}

/// A block of three batches with five, no, and three operations.
struct Block {
    leaves: [Vec<Fr>; 3],
    inputs: [U256; 16],
}

/// Node `j` of the tree over leaves, from its definition.
fn node(leaves: &[Fr], j: usize) -> Fr {
    match j.checked_sub(leaves.len()) {
        Some(leaf) => leaves[leaf],
        None => compress(node(leaves, 2 * j), node(leaves, 2 * j + 1)),
    }
}

impl Block {
    fn new() -> Self {
        let leaves = [5, 0, 3].map(|n| (0..n).map(|i| Fr::from(100 * n + i)).collect::<Vec<_>>());
        let mut c = Fr::from(0_u64);
        for batch in &leaves {
            if !batch.is_empty() {
                c = compress(c, node(batch, 1));
            }
            c = compress(c, element(&Self::counts(batch).to_be_bytes()).unwrap());
        }
        let mut inputs: [U256; 16] = std::array::from_fn(|i| U256::from(1_000 + i));
        (inputs[3], inputs[TIME]) = (to_u256(&c), U256::from(TIME_OF_BLOCK));
        Self { leaves, inputs }
    }

    fn counts(batch: &[Fr]) -> U256 {
        let n = U256::from(batch.len());
        (n << OPERATIONS) + (n << 16)
    }

    fn order(batch: &Vec<Fr>) -> BatchOrder {
        let root = (!batch.is_empty()).then(|| to_u256(&node(batch, 1)));
        BatchOrder { root, counts: Self::counts(batch) }
    }

    fn proof(&self, number: u64, batch: usize, position: usize) -> PlaceProof {
        let own = &self.leaves[batch];
        let way = std::iter::successors(Some(own.len() + position), |j| Some(j / 2));
        PlaceProof {
            block: number,
            inputs: self.inputs,
            earlier: self.leaves[..batch].iter().map(Self::order).collect(),
            batch: batch as u32,
            counts: Self::counts(own),
            position: position as u32,
            leaf: to_u256(&own[position]),
            siblings: way.take_while(|j| *j > 1).map(|j| to_u256(&node(own, j ^ 1))).collect(),
            later: self.leaves[batch + 1..].iter().map(Self::order).collect(),
        }
    }
}

/// A chain with that block as number 7, and a bond.
struct World {
    l1: EmbeddedL1,
    block: Block,
    rollup: Address,
    slashing: Address,
    key: SigningKey,
}

impl World {
    fn new() -> Self {
        let mut l1 = EmbeddedL1::new(TIME_OF_BLOCK + 100);
        let block = Block::new();
        let inputs = keccak256(block.inputs.abi_encode());
        let record = keccak256((inputs, EXITS).abi_encode());
        for account in [OWNER, REPORTER] {
            l1.fund(account, U256::from(BOND)).unwrap();
        }
        let (rollup, _) = l1.deploy(OWNER, stub(record)).unwrap();
        let code = contract().unwrap().with_args(&rollup.abi_encode());
        let (slashing, _) = l1.deploy(OWNER, code).unwrap();
        let world =
            Self { l1, block, rollup, slashing, key: SigningKey::from_slice(&[1; 32]).unwrap() };
        world.bonded()
    }

    fn bonded(mut self) -> Self {
        let signer = self.sequencer();
        let call = ISlashing::bondCall { signer }.abi_encode();
        self.l1.fund(OWNER, U256::from(2 * BOND)).unwrap();
        self.l1.send(OWNER, self.slashing, U256::from(BOND), call.into()).unwrap();
        assert_eq!(bond(&mut self.l1, self.slashing, OWNER, signer).unwrap(), (BOND, 0));
        self
    }

    fn sequencer(&self) -> Address {
        Address::from(bastion_client::receipt::address_of(self.key.verifying_key()).0)
    }

    fn receipt(&self, place: (u64, u32, u32), leaf: U256) -> ReceiptFile {
        let (block, batch, position) = place;
        let operation = B256::repeat_byte(1);
        self.sign(ReceiptFile {
            epoch: 0,
            block,
            batch,
            position,
            operation,
            leaf,
            time: TIME_OF_BLOCK,
            signature: Bytes::new(),
        })
    }

    fn sign(&self, mut receipt: ReceiptFile) -> ReceiptFile {
        let digest = receipt.digest(self.l1.chain_id(), self.rollup);
        let (signature, id) = self.key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        receipt.signature = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat().into();
        receipt
    }

    fn against(
        &self,
        receipt: &ReceiptFile,
        proof: &PlaceProof,
    ) -> Result<Option<Evidence>, NodeError> {
        Evidence::against(receipt, proof, self.l1.chain_id(), self.rollup)
    }

    fn verdict(&mut self, evidence: &Evidence) -> Verdict {
        evidence.verdict(&mut self.l1, self.slashing, OWNER, EXITS).unwrap()
    }

    /// Reports, and is paid.
    fn slash(&mut self, evidence: &Evidence) {
        assert_eq!(self.verdict(evidence), Verdict::Broken);
        assert_eq!(evidence.signer, self.sequencer());
        let announced = evidence.commitment(REPORTER, OWNER, SALT);
        let call = ISlashing::announceReportCall { commitment_: announced }.abi_encode();
        self.l1.send(REPORTER, self.slashing, U256::ZERO, call.into()).unwrap();
        let report = evidence.report(OWNER, EXITS, SALT).unwrap();
        let early = self.l1.send(REPORTER, self.slashing, U256::ZERO, report.clone()).unwrap_err();
        assert!(early.to_string().contains("TooSoon"), "{early}");
        self.l1.advance(DELAY).unwrap();
        let before = self.l1.balance(self.slashing).unwrap();
        self.l1.send(REPORTER, self.slashing, U256::ZERO, report).unwrap();
        assert_eq!(before - self.l1.balance(self.slashing).unwrap(), U256::from(BOND));
        let signer = self.sequencer();
        assert_eq!(bond(&mut self.l1, self.slashing, OWNER, signer).unwrap(), (0, 0));
        let none = self.verdict(evidence);
        assert!(matches!(&none, Verdict::Refused(why) if why.contains("no bond")), "{none:?}");
    }
}

fn fault(found: Result<Option<Evidence>, NodeError>) -> (Evidence, Fault) {
    let found = found.unwrap().unwrap();
    (found.clone(), found.fault)
}

#[test]
fn each_fault_is_found_and_costs_the_bond() {
    let leaf = U256::from(12_345);
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);

    let (evidence, found) = fault(world.against(&world.receipt((7, 2, 1), leaf), &proof));
    assert_eq!((found, evidence.block()), (Fault::OtherLeaf, Some(7)));
    world.slash(&evidence);

    let mut world = world.bonded();
    // Any proof of the block shows its batches.
    let (evidence, found) = fault(world.against(&world.receipt((7, 0, 5), leaf), &proof));
    assert_eq!(found, Fault::NoPosition);
    world.slash(&evidence);

    let mut world = world.bonded();
    let (evidence, found) = fault(world.against(&world.receipt((7, 3, 0), leaf), &proof));
    assert_eq!(found, Fault::NoBatch);
    world.slash(&evidence);

    let mut world = world.bonded();
    let mut late = world.receipt((7, 2, 1), proof.leaf);
    late.time += 1;
    let (evidence, found) = fault(world.against(&world.sign(late), &proof));
    assert_eq!(found, Fault::OtherTime);
    world.slash(&evidence);

    let mut world = world.bonded();
    let mut early = world.receipt((9, 0, 0), leaf);
    early.time -= 1;
    let (evidence, found) = fault(world.against(&world.sign(early), &proof));
    assert_eq!((found, evidence.block()), (Fault::Overtaken, Some(7)));
    world.slash(&evidence);

    let mut world = world.bonded();
    let (chain, rollup) = (world.l1.chain_id(), world.rollup);
    let (one, other) = (world.receipt((9, 0, 0), leaf), world.receipt((9, 0, 0), proof.leaf));
    let evidence = Evidence::two(&one, &other, chain, rollup).unwrap();
    assert_eq!((evidence.fault, evidence.block()), (Fault::TwoForOnePlace, None));
    world.slash(&evidence);
}

#[test]
fn what_was_kept_is_none() {
    let world = World::new();
    for (batch, position) in [(0, 0), (0, 4), (2, 2)] {
        let proof = world.block.proof(7, batch, position);
        let kept = world.receipt((7, batch as u32, position as u32), proof.leaf);
        assert_eq!(world.against(&kept, &proof).unwrap(), None);
        // An earlier block of the same time.
        let later = world.receipt((8, 0, 0), proof.leaf);
        assert_eq!(world.against(&later, &proof).unwrap(), None);
    }
}

#[test]
fn the_contract_refuses_what_is_not_so() {
    let mut world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let broken = world.receipt((7, 2, 1), U256::from(12_345));
    let mut forged = proof.clone();
    forged.leaf += U256::from(1);
    let (evidence, _) = fault(world.against(&broken, &forged));
    let verdict = world.verdict(&evidence);
    assert!(
        matches!(&verdict, Verdict::Refused(why) if why.contains("WrongBatches")),
        "{verdict:?}"
    );
    let mut other = proof.clone();
    other.inputs[0] += U256::from(1);
    let (evidence, _) = fault(world.against(&broken, &other));
    let verdict = world.verdict(&evidence);
    assert!(
        matches!(&verdict, Verdict::Refused(why) if why.contains("NotItsInputs")),
        "{verdict:?}"
    );
    let (evidence, _) = fault(world.against(&broken, &proof));
    let elsewhere = evidence.verdict(&mut world.l1, world.slashing, REPORTER, EXITS).unwrap();
    assert!(
        matches!(&elsewhere, Verdict::Refused(why) if why.contains("no bond")),
        "{elsewhere:?}"
    );
}

#[test]
fn what_shows_nothing_is_refused_before() {
    let world = World::new();
    let (chain, rollup) = (world.l1.chain_id(), world.rollup);
    let proof = world.block.proof(7, 2, 1);
    let receipt = world.receipt((7, 2, 1), U256::from(5));
    let why = |error: NodeError| {
        assert_eq!(error.class(), bastion_prover::ErrorClass::Invalid);
        error.to_string()
    };
    let two =
        |a: &ReceiptFile, b: &ReceiptFile| why(Evidence::two(a, b, chain, rollup).unwrap_err());
    assert!(two(&receipt, &receipt).contains("same receipt"));
    assert!(two(&receipt, &world.receipt((7, 2, 2), U256::from(6))).contains("places"));
    let mut foreign = world.receipt((7, 2, 1), U256::from(6));
    foreign.leaf = U256::from(7);
    assert!(two(&receipt, &foreign).contains("different keys"));

    let against =
        |receipt: &ReceiptFile, proof: &PlaceProof| why(world.against(receipt, proof).unwrap_err());
    assert!(against(&world.receipt((6, 2, 1), U256::from(5)), &proof).contains("about block 7"));
    assert!(against(&world.receipt((7, 2, 2), U256::from(5)), &proof).contains("position 2"));
    let mut large = proof.clone();
    large.siblings[0] = U256::MAX;
    assert!(against(&receipt, &large).contains("no field element"));

    for bad in 0..4 {
        let mut unsigned = receipt.clone();
        let mut bytes = unsigned.signature.to_vec();
        match bad {
            0 => bytes.truncate(64),
            1 => bytes[64] = 29,
            2 => bytes[..32].fill(0xff),
            _ => {
                // The upper half of s: a second signature of the same receipt.
                let signature = Signature::from_slice(&bytes[..64]).unwrap();
                let upper = Signature::from_scalars(signature.r(), -signature.s()).unwrap();
                bytes[..64].copy_from_slice(&upper.to_bytes());
                bytes[64] = 55 - bytes[64];
            }
        }
        unsigned.signature = bytes.into();
        assert!(against(&unsigned, &proof).contains("signature"));
    }
}

/// The digest is that which the contract computes: a bond is lost by it in the tests above. This one is written down.
#[test]
fn files_are_read_as_they_are_written() {
    let world = World::new();
    let receipt = world.receipt((7, 2, 1), U256::from(5));
    let json = serde_json::to_value(&receipt).unwrap();
    assert_eq!(json["block"], 7);
    assert_eq!(serde_json::from_value::<ReceiptFile>(json.clone()).unwrap(), receipt);
    let mut more = json;
    more["surprise"] = 1.into();
    assert!(serde_json::from_value::<ReceiptFile>(more).is_err());
    let proof = world.block.proof(7, 2, 1);
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<PlaceProof>(&json).unwrap(), proof);
}
