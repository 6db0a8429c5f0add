//! Users who send transfers all the time, remember every receipt, and insist on an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bastion_client::check::{self, Rollup};
use bastion_client::types::{Answer, Hash};
use bastion_client::{Client, SignedReceipt};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::{Action, Body, Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::Fr;

use crate::rig::USERS;

/// Transfers of a request.
const AT_ONCE: u32 = 4;

/// What the users know.
#[derive(Default)]
pub struct Book {
    /// Every operation that has a receipt.
    pub receipts: Mutex<BTreeMap<[u8; 32], (SignedOp, SignedReceipt)>>,
    /// Receipts that contradict an earlier one of the same operation.
    pub contradicted: AtomicU64,
    /// Rejections, none of which an honest user should see.
    pub rejected: Mutex<Vec<String>>,
    pub stop: AtomicBool,
}

impl Book {
    pub fn count(&self) -> usize {
        self.receipts.lock().unwrap().len()
    }

    pub fn keep(&self, op: &SignedOp, receipt: SignedReceipt) {
        let hash = operation_hash(&Op::Signed(*op));
        let mut receipts = self.receipts.lock().unwrap();
        if let Some((_, earlier)) = receipts.insert(hash, (*op, receipt.clone())) {
            if earlier != receipt {
                self.contradicted.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

pub fn transfer(user: u32, nonce: u32, domain: Fr) -> SignedOp {
    let body = Body {
        account: FIRST_USER + user,
        token: 0,
        nonce,
        deadline: (1 << 40) - 1,
        fee: 0,
        action: Action::Transfer {
            to: FIRST_USER + (user + 1 + nonce % (USERS - 1)) % USERS,
            amount: u128::from(1_000 + nonce % 7),
        },
    };
    body.sign(&dev_key(&format!("chaos {user}")), domain, dev_exit("chaos")).unwrap()
}

/// Starts a user; he ends when the book says so.
pub fn start(
    user: u32,
    url: String,
    rollup: Rollup,
    domain: Fr,
    book: Arc<Book>,
    pause: Duration,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = Client::new(&url).unwrap();
        let mut nonce = 0;
        while !book.stop.load(Ordering::Relaxed) {
            let group: Vec<SignedOp> =
                (nonce..nonce + AT_ONCE).map(|nonce| transfer(user, nonce, domain)).collect();
            // Whatever happens to the node, the same operations are sent until they have an answer.
            loop {
                if let Ok(answers) = runtime.block_on(client.submit(&group)) {
                    for (op, answer) in group.iter().zip(answers) {
                        match answer {
                            Answer::Receipt(receipt) => {
                                let hash = Hash(operation_hash(&Op::Signed(*op)));
                                check::receipt(&receipt, &rollup, hash).unwrap();
                                book.keep(op, receipt);
                            }
                            Answer::Held(held) => panic!("held back: {held:?}"),
                            Answer::Rejection(rejection) => {
                                book.rejected.lock().unwrap().push(format!("{rejection:?}"));
                            }
                        }
                    }
                    break;
                }
                if book.stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            nonce += AT_ONCE;
            std::thread::sleep(pause);
        }
    })
}
