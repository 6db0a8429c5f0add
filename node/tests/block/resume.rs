//! A submission that is cut short goes on where it stopped, and what is done is not done again.

use alloy_primitives::{Address, Bytes, B256, U256};
use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_l1::blob::Sidecar;
use bastion_l1::{
    Asked, At, Called, DevChain, EmbeddedL1, Event, L1Error, Pin, ReadL1, ReadLogs, SendL1,
    DEV_OPERATOR,
};
use bastion_node::block_store::StoredBlock;
use bastion_node::deploy::rollup_address;
use bastion_node::settle::to_u256;
use bastion_node::submit::{Steps, Submission};
use bastion_node::NodeError;
use bastion_protocol::Policy;

use crate::TIME;

/// An L1 that hangs up after a number of transactions.
struct Failing<'a> {
    l1: &'a mut EmbeddedL1,
    left: usize,
    /// Whether the transaction whose answer is lost takes effect.
    takes_effect: bool,
    sent: usize,
}

impl Failing<'_> {
    fn transact<T>(
        &mut self,
        act: impl FnOnce(&mut EmbeddedL1) -> Result<T, L1Error>,
    ) -> Result<T, L1Error> {
        let lost = || L1Error::Transport {
            asked: Asked::once("eth_sendTransaction", "http://h:1".into()),
            why: "the line is dead".into(),
            passing: true,
        };
        if self.left == 0 {
            return Err(lost());
        }
        self.left -= 1;
        if self.left > 0 {
            self.sent += 1;
            return act(self.l1);
        }
        if self.takes_effect {
            self.sent += 1;
            act(self.l1)?;
        }
        Err(lost())
    }
}

impl ReadLogs for Failing<'_> {
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error> {
        self.l1.block(at)
    }
    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.l1.logs(from, to, of)
    }
}

impl ReadL1 for Failing<'_> {
    fn chain_id(&self) -> u64 {
        self.l1.chain_id()
    }
    fn now(&mut self) -> Result<u64, L1Error> {
        self.l1.now()
    }
    fn code(&mut self, account: Address) -> Result<Bytes, L1Error> {
        self.l1.code(account)
    }
    fn nonce(&mut self, account: Address) -> Result<u64, L1Error> {
        self.l1.nonce(account)
    }
    fn balance(&mut self, account: Address) -> Result<U256, L1Error> {
        self.l1.balance(account)
    }
    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.l1.view(to, data)
    }
    fn pin(&mut self) -> Result<Pin, L1Error> {
        self.l1.pin()
    }
    fn hold(&mut self, pin: &Pin) -> Result<(), L1Error> {
        self.l1.hold(pin)
    }
    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.l1.view_at(pin, to, data)
    }
    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, L1Error> {
        self.l1.code_at(pin, account)
    }
    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.l1.events(pin, of)
    }
    fn called(&mut self, transaction: B256) -> Result<Called, L1Error> {
        self.l1.called(transaction)
    }
    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, L1Error> {
        self.l1.inner_calls(transaction, to)
    }
}

impl SendL1 for Failing<'_> {
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), L1Error> {
        self.transact(|l1| l1.deploy(from, code))
    }
    fn send(&mut self, from: Address, to: Address, wei: U256, data: Bytes) -> Result<u64, L1Error> {
        self.transact(|l1| l1.send(from, to, wei, data))
    }
    fn send_blobs(
        &mut self,
        from: Address,
        to: Address,
        data: Bytes,
        blobs: &[Sidecar],
    ) -> Result<u64, L1Error> {
        self.transact(|l1| l1.send_blobs(from, to, data, blobs))
    }
}

impl DevChain for Failing<'_> {
    fn fund(&mut self, account: Address, wei: U256) -> Result<(), L1Error> {
        self.l1.fund(account, wei)
    }
    fn advance(&mut self, seconds: u64) -> Result<(), L1Error> {
        self.l1.advance(seconds)
    }
    fn blob(&mut self, versioned_hash: B256) -> Result<Option<Bytes>, L1Error> {
        self.l1.blob(versioned_hash)
    }
}

/// Runs a submission on an L1 that hangs up; how many transactions were made, and the result.
fn attempt(
    submission: &Submission<'_>,
    l1: &mut EmbeddedL1,
    left: usize,
    takes_effect: bool,
) -> (usize, Result<Vec<Steps>, NodeError>) {
    let mut failing = Failing { l1, left, takes_effect, sent: 0 };
    let result = submission.run(&mut failing);
    (failing.sent, result.map(|(_, steps)| steps))
}

pub fn goes_on_wherever_it_stopped(
    verifier: &StoredBlockVerifier,
    policy: &Policy,
    block: &StoredBlock,
) {
    let blocks = std::slice::from_ref(block);
    let submission =
        Submission { contract: rollup_address(DEV_OPERATOR, 0), verifier, policy, blocks };
    let mut l1 = EmbeddedL1::new(TIME);
    let (all, steps) = attempt(&submission, &mut l1, usize::MAX, false);
    let steps = steps.unwrap();
    assert!(steps[0].commit.is_some() && steps[0].prove.is_some());
    let (none, again) = attempt(&submission, &mut l1, usize::MAX, false);
    assert_eq!((none, again.unwrap()), (0, vec![Steps::default()]));

    // The line breaks at every transaction in turn, before it takes effect or after.
    for takes_effect in [false, true] {
        let mut l1 = EmbeddedL1::new(TIME);
        let mut sent = 0;
        for left in 1.. {
            let (more, result) = attempt(&submission, &mut l1, left, takes_effect);
            sent += more;
            match result {
                Ok(_) => break,
                Err(e) => assert!(e.to_string().contains("the line is dead"), "{e}"),
            }
        }
        let rollup = submission.contract;
        let root = bastion_contract::rollup::IRollup::stateRootCall {};
        let root = alloy_sol_types::SolCall::abi_encode(&root);
        let root = U256::from_be_slice(&l1.view(rollup, root.into()).unwrap());
        assert_eq!(root, to_u256(&block.header.new_root));
        // Only what a deposit needs beforehand (a token, its allowance) may be made once more.
        assert!(sent >= all, "{sent} of {all}");
        let nonce = l1.nonce(DEV_OPERATOR).unwrap();
        assert_eq!(attempt(&submission, &mut l1, usize::MAX, false).0, 0);
        assert_eq!(l1.nonce(DEV_OPERATOR).unwrap(), nonce);
    }
    refuses_before_anything_is_sent(&submission);
}

fn refuses_before_anything_is_sent(submission: &Submission<'_>) {
    let refused = |submission: &Submission<'_>, l1: &mut EmbeddedL1, words: &str| {
        let (sent, result) = attempt(submission, l1, usize::MAX, false);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(sent, 0, "{error}");
    };
    // A block from the future.
    refused(submission, &mut EmbeddedL1::new(TIME - 100), "ahead of L1");
    // A contract that is at none of the operator's addresses.
    let other = Submission { contract: Address::repeat_byte(7), ..*submission };
    refused(&other, &mut EmbeddedL1::new(TIME), "fresh development node");
    // A node on which the operator has done something else.
    let mut used = EmbeddedL1::new(TIME);
    let elsewhere = Address::repeat_byte(9);
    used.send(DEV_OPERATOR, elsewhere, U256::ZERO, Bytes::new()).unwrap();
    refused(submission, &mut used, "fresh development node");
    // A proof that the contract refuses.
    let mut block = submission.blocks[0].clone();
    let last = block.proof.proof.len() - 1;
    block.proof.proof[last] ^= 1;
    let forged = Submission { blocks: std::slice::from_ref(&block), ..*submission };
    refused(&forged, &mut EmbeddedL1::new(TIME), "revert");
}
