//! A rollup whose verifier takes every proof that begins with a one: real contracts, no proving.

use alloy_primitives::{keccak256, Address, Bytes, FixedBytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::{governance, rollup, IRollup};
use bastion_l1::{DevChain, ReadL1, SendL1, DEV_OPERATOR};
use bastion_node::settle::to_u256;
use bastion_protocol::header::domain;
use bastion_protocol::Fr;
use bastion_protocol::Header;
use bastion_state::state::State;

/// The policy root; nobody looks behind it here.
const POLICY: u64 = 22;
/// The circuit.
const CIRCUIT: [u8; 32] = [1; 32];

/// Creation code that leaves `runtime`.
pub fn creation(runtime: &[u8]) -> Bytes {
    let length = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    let copy = [0x61, length[0], length[1], 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x3d, 0xf3];
    [&copy, runtime].concat().into()
}

/// `verify(instances, proof)`: whether the proof's first byte is 1.
const VERIFIER: [u8; 22] = [
    0x60, 0x24, 0x35, // the proof's offset
    0x60, 0x24, 0x01, 0x35, // its first word
    0x60, 0x00, 0x1a, // its first byte
    0x60, 0x01, 0x14, // is it 1?
    0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3, 0x00,
];

/// Calls `to` with what lies in memory, whose length is on the stack; reverts if that does.
fn call(to: Address) -> Vec<u8> {
    let mut code = vec![0x60, 0, 0x60, 0, 0x82, 0x60, 0, 0x60, 0, 0x73];
    code.extend(to.as_slice());
    code.extend([0x5a, 0xf1]);
    code
}

/// The end of a relay: reverts unless the call succeeded.
pub fn check(mut code: Vec<u8>) -> Vec<u8> {
    let end = u16::try_from(code.len() + 9).unwrap().to_be_bytes();
    code.extend([0x61, end[0], end[1], 0x57, 0x60, 0, 0x60, 0, 0xfd, 0x5b, 0x00]);
    code
}

/// A contract that passes on its calldata but for the first `skip` bytes.
pub fn forwarder(to: Address, skip: usize) -> Bytes {
    let skip = u16::try_from(skip).unwrap().to_be_bytes();
    let mut code = vec![0x61, skip[0], skip[1], 0x36, 0x03];
    code.extend([0x80, 0x61, skip[0], skip[1], 0x60, 0, 0x37]);
    code.extend(call(to));
    creation(&check(code))
}

/// A contract that makes a call which stands in its code, whatever its calldata.
pub fn reciter(to: Address, data: &[u8]) -> Bytes {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let build = |at: usize| {
        let at = u16::try_from(at).unwrap().to_be_bytes();
        let mut code = vec![0x61, length[0], length[1], 0x80];
        code.extend([0x61, at[0], at[1], 0x60, 0, 0x39]);
        code.extend(call(to));
        check(code)
    };
    let code = build(build(0).len());
    creation(&[&code, data].concat())
}

/// A rollup and its operators: the development operator, and contracts that pass calls on.
pub struct World {
    pub rollup: Address,
    /// Time of its blocks.
    time: u64,
    blocks: u64,
}

impl World {
    /// Deploys; the first `relays` contracts that the operator makes afterwards are operators too.
    pub fn deploy(l1: &mut dyn DevChain, relays: u64) -> Self {
        l1.fund(DEV_OPERATOR, U256::ZERO).unwrap();
        let nonce = l1.nonce(DEV_OPERATOR).unwrap();
        let (verifier, _) = l1.deploy(DEV_OPERATOR, creation(&VERIFIER)).unwrap();
        let members = |first: u8, n: u8| (0..n).map(|i| Address::repeat_byte(first + i)).collect();
        let relays = (0..relays).map(|i| DEV_OPERATOR.create(nonce + 3 + i));
        let config = IGovernance::Config {
            policyRoot: U256::from(POLICY),
            circuitId: FixedBytes::from(CIRCUIT),
            verifier,
            governor: DEV_OPERATOR,
            operators: [DEV_OPERATOR].into_iter().chain(relays).collect(),
            guardians: members(10, 3),
            toPause: U256::from(2),
            council: members(20, 5),
            toUnpause: U256::from(3),
        };
        let args = (config,).abi_encode_params();
        let code = governance().unwrap().with_args(&args);
        let (governance, _) = l1.deploy(DEV_OPERATOR, code).unwrap();
        let args = (to_u256(&State::new().root()), governance).abi_encode_params();
        let code = rollup().unwrap().with_args(&args);
        let (rollup, _) = l1.deploy(DEV_OPERATOR, code).unwrap();
        Self { rollup, time: l1.now().unwrap(), blocks: 0 }
    }

    /// The calls of an empty block: commit, prove, finalize, all three in one, and the last two in one.
    /// It stays the next one until [`World::next`].
    pub fn block(&self, l1: &dyn ReadL1, proof: &[u8]) -> [Bytes; 5] {
        let root = State::new().root();
        // A batch without records, and another for each block, so that no two are alike.
        let batches = self.blocks as u32 + 1;
        let data = vec![0; 8 * batches as usize];
        let header = Header {
            old_root: root,
            new_root: root,
            policy_root: Fr::from(POLICY),
            domain: domain(l1.chain_id(), bastion_protocol::Address(self.rollup.into_array())),
            time: self.time,
            c_out: Fr::from(3u64),
            batches,
        };
        let told = IRollup::Header {
            oldRoot: to_u256(&root),
            newRoot: to_u256(&root),
            policyRoot: U256::from(POLICY),
            time: header.time,
            cOut: U256::from(3),
            batches,
        };
        let inputs = header.public_inputs(&data).unwrap().into_array().map(|x| to_u256(&x));
        let accumulator = [U256::from(5); 12];
        let number = U256::from(self.blocks + 1);
        let (circuit, proof): (_, Bytes) = (FixedBytes::from(CIRCUIT), proof.to_vec().into());
        let commit = IRollup::commitCall { header: told.clone(), data: data.clone().into() };
        let prove = IRollup::proveCall {
            number,
            circuitId: circuit,
            accumulator,
            inputs,
            exitRoot: B256::ZERO,
            proof: proof.clone(),
        };
        let both = IRollup::proveAndFinalizeCall {
            number,
            circuitId: circuit,
            accumulator,
            inputs,
            exitRoot: B256::ZERO,
            proof: proof.clone(),
        };
        let settle = IRollup::settleCall {
            header: told,
            data: data.into(),
            circuitId: circuit,
            accumulator,
            proof,
        };
        [
            commit.abi_encode(),
            prove.abi_encode(),
            IRollup::finalizeCall { number }.abi_encode(),
            settle.abi_encode(),
            both.abi_encode(),
        ]
        .map(Bytes::from)
    }

    /// The block that was the next one is there.
    pub fn next(&mut self) {
        self.blocks += 1;
    }

    /// Sends the three calls of the next block directly.
    pub fn plain(&mut self, l1: &mut dyn SendL1) {
        let [commit, prove, finalize, ..] = self.block(l1, &[1]);
        for call in [commit, prove, finalize] {
            self.send(l1, self.rollup, call);
        }
        self.next();
    }

    /// Asks for something that waits in the queue.
    pub fn entry(&self, l1: &mut dyn SendL1) {
        let call = IRollup::requestForcedExitCall { index: 1 << 17, token: 0 };
        self.send(l1, self.rollup, call.abi_encode().into());
    }

    /// Sends as the operator.
    pub fn send(&self, l1: &mut dyn SendL1, to: Address, data: Bytes) {
        l1.send(DEV_OPERATOR, to, U256::ZERO, data).unwrap();
    }

    /// Deploys a contract as the operator.
    pub fn create(&self, l1: &mut dyn SendL1, code: Bytes) -> Address {
        l1.deploy(DEV_OPERATOR, code).unwrap().0
    }
}

/// Identity of what a history holds of its blocks, to compare histories of unlike chains.
pub fn digest(history: &bastion_audit::History) -> String {
    let blocks = format!("{:?}{:?}", history.blocks, history.queue);
    keccak256(blocks).to_string()
}
