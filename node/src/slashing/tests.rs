mod blind;

use super::*;

use alloy_primitives::address;
use bastion_contract::rollup::slashing as contract;
use bastion_l1::{DevChain, EmbeddedL1, SendL1};
use bastion_protocol::order::{counts_word, next, OrderTree};
use bastion_protocol::Receipt;
use k256::ecdsa::{Signature, SigningKey};

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
    batches: Vec<(OrderTree, [u64; 4])>,
    inputs: [Fr; 16],
}

impl Block {
    fn new() -> Self {
        let batch = |n: u64| {
            let leaves: Vec<Fr> = (0..n).map(|i| Fr::from(100 * n + i)).collect();
            (OrderTree::new(&leaves), [0, n, 0, 0])
        };
        let batches: Vec<_> = [5, 0, 3].into_iter().map(batch).collect();
        let mut inputs: [Fr; 16] = std::array::from_fn(|i| Fr::from(1_000 + i as u64));
        inputs[3] = batches.iter().fold(Fr::from(0_u64), |c, (tree, counts)| {
            next(c, tree.root(), counts_word(*counts, tree.operations()))
        });
        inputs[8] = Fr::from(TIME_OF_BLOCK);
        Self { batches, inputs }
    }

    fn proof(&self, number: u64, batch: usize, position: usize) -> InclusionProof {
        InclusionProof::build(number, self.inputs, &self.batches, batch, position).unwrap()
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
        let inputs = keccak256(words(&block.inputs).abi_encode());
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

    fn receipt(&self, (block, batch, position): (u64, u32, u32), leaf: Fr) -> SignedReceipt {
        let place = Place { block, batch, position };
        let (operation, time) = ([1; 32], TIME_OF_BLOCK);
        self.sign(Receipt { epoch: 0, place, operation, leaf, time })
    }

    fn sign(&self, receipt: Receipt) -> SignedReceipt {
        let digest = receipt.digest(self.l1.chain_id(), L2Address(self.rollup.into_array()));
        let (signature, id) = self.key.sign_prehash_recoverable(&digest).unwrap();
        let bytes: Bytes = [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat().into();
        SignedReceipt { receipt, signature: bytes.to_string() }
    }

    fn against(
        &self,
        receipt: &SignedReceipt,
        proof: &InclusionProof,
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
    let leaf = Fr::from(12_345_u64);
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
    let mut late = world.receipt((7, 2, 1), proof.leaf).receipt;
    late.time += 1;
    let (evidence, found) = fault(world.against(&world.sign(late), &proof));
    assert_eq!(found, Fault::OtherTime);
    world.slash(&evidence);

    let mut world = world.bonded();
    let mut early = world.receipt((9, 0, 0), leaf).receipt;
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
    let broken = world.receipt((7, 2, 1), Fr::from(12_345_u64));
    let (evidence, _) = fault(world.against(&broken, &proof));
    let mut forged = evidence.clone();
    let Shown::Block(shown) = &mut forged.shown else { panic!("{forged:?}") };
    shown.1.leaf += Fr::from(1_u64);
    let verdict = world.verdict(&forged);
    assert!(
        matches!(&verdict, Verdict::Refused(why) if why.contains("WrongBatches")),
        "{verdict:?}"
    );
    let mut other = proof.clone();
    other.inputs[0] += Fr::from(1_u64);
    let (of_other, _) = fault(world.against(&broken, &other));
    let verdict = world.verdict(&of_other);
    assert!(
        matches!(&verdict, Verdict::Refused(why) if why.contains("NotItsInputs")),
        "{verdict:?}"
    );
    let elsewhere = evidence.verdict(&mut world.l1, world.slashing, REPORTER, EXITS).unwrap();
    assert!(
        matches!(&elsewhere, Verdict::Refused(why) if why.contains("no bond")),
        "{elsewhere:?}"
    );
}

/// A forged proof decides nothing, neither for the sequencer nor against it.
#[test]
fn a_proof_that_does_not_hold_decides_nothing() {
    let world = World::new();
    let proof = world.block.proof(7, 2, 1);
    let hash = keccak256(words(&proof.inputs).abi_encode());
    holds(&proof, hash).unwrap();
    let unproven = |error: NodeError, why: &str| {
        assert!(matches!(error, NodeError::Unproven(_)), "{error}");
        assert_eq!(error.class(), bastion_prover::ErrorClass::Invalid);
        assert!(error.to_string().contains(why), "{error}");
    };
    let mut forged = proof.clone();
    forged.leaf = Fr::from(12_345_u64);
    unproven(holds(&forged, hash).unwrap_err(), "c_out");
    // The first is what the block has, the second what the forger says, the third is of a later block.
    for (block, leaf) in [(7, proof.leaf), (7, forged.leaf), (9, forged.leaf)] {
        let receipt = world.receipt((block, 2, 1), leaf);
        unproven(world.against(&receipt, &forged).unwrap_err(), "c_out");
    }
    // Another time would break every receipt of the block.
    let mut late = proof.clone();
    late.inputs[8] += Fr::from(1_u64);
    unproven(holds(&late, hash).unwrap_err(), "of block 7");
    // A shorter path is none.
    let mut short = proof;
    short.siblings.pop();
    unproven(holds(&short, hash).unwrap_err(), "siblings");
}

#[test]
fn what_shows_nothing_is_refused_before() {
    let world = World::new();
    let (chain, rollup) = (world.l1.chain_id(), world.rollup);
    let proof = world.block.proof(7, 2, 1);
    let receipt = world.receipt((7, 2, 1), Fr::from(5_u64));
    let why = |error: NodeError| {
        assert_eq!(error.class(), bastion_prover::ErrorClass::Invalid);
        error.to_string()
    };
    let two =
        |a: &SignedReceipt, b: &SignedReceipt| why(Evidence::two(a, b, chain, rollup).unwrap_err());
    assert!(two(&receipt, &receipt).contains("same receipt"));
    assert!(two(&receipt, &world.receipt((7, 2, 2), Fr::from(6_u64))).contains("places"));
    let mut foreign = world.receipt((7, 2, 1), Fr::from(6_u64));
    foreign.receipt.leaf = Fr::from(7_u64);
    assert!(two(&receipt, &foreign).contains("different keys"));

    let against = |receipt: &SignedReceipt, proof: &InclusionProof| {
        why(world.against(receipt, proof).unwrap_err())
    };
    assert!(against(&world.receipt((6, 2, 1), Fr::from(5_u64)), &proof).contains("about block 7"));
    assert!(against(&world.receipt((7, 2, 2), Fr::from(5_u64)), &proof).contains("position 2"));
    let mut large = proof.clone();
    large.counts = -Fr::from(1_u64);
    assert!(against(&receipt, &large).contains("no word of counts"));

    for bad in 0..4 {
        let mut unsigned = receipt.clone();
        let mut bytes = unsigned.signature.parse::<Bytes>().unwrap().to_vec();
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
        unsigned.signature = Bytes::from(bytes).to_string();
        assert!(against(&unsigned, &proof).contains("signature"));
    }
}
