//! What is sent is answered, shown, and holds.

use bastion_client::check::{self, Rollup};
use bastion_client::http::BlockName;
use bastion_client::types::{Answer, Hash, JobState, Progressed, ProofKind, Stage};
use bastion_client::{Client, ClientError};
use bastion_node::api::{FeeOptions, Options};
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::service::TxInfo;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::{field, Address, Kind};

use crate::raw;
use crate::world::{
    circuit, generous, owner_of, signed, transfer, World, CHAIN, CONTRACT, ETH, TIME, USERS,
};

fn receipt(answer: &Answer) -> &bastion_client::SignedReceipt {
    match answer {
        Answer::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_get_receipts_that_hold() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let rollup = client.rollup(Some(CONTRACT), None).await.unwrap();
    assert_eq!(
        rollup,
        Rollup { chain_id: CHAIN, contract: CONTRACT, sequencer: world.parts.identity.sequencer }
    );
    assert!(client.rollup(Some(Address([8; 20])), None).await.is_err());
    let ops = [transfer(0, 0), transfer(0, 7), transfer(1, 0)];
    let answers = client.submit(&ops).await.unwrap();
    for (op, answer) in ops.iter().zip(&answers) {
        let hash = Hash(operation_hash(&Op::Signed(*op)));
        match answer {
            Answer::Receipt(signed) => check::receipt(signed, &rollup, hash).unwrap(),
            Answer::Held(held) => panic!("{held:?}"),
            Answer::Rejection(rejection) => {
                assert_eq!(op.body.nonce, 7);
                assert_eq!(rejection.code, "wrong_nonce");
                assert!(rejection.message.contains('7'), "{}", rejection.message);
            }
        }
    }
    // Again: the same receipts. And what was accepted is shown.
    assert_eq!(client.submit(&ops).await.unwrap()[0], answers[0]);
    let hash = Hash(operation_hash(&Op::Signed(ops[0])));
    let shown = client.operation(hash).await.unwrap();
    assert_eq!((shown.hash, shown.entry, shown.batch_number), (hash, 4, 0));
    assert_eq!((shown.kind, shown.status), (Kind::Transfer, Progressed::Sequenced));
    assert_eq!((shown.account, shown.to), (Some(FIRST_USER), Some(FIRST_USER + 1)));
    assert_eq!((shown.amount.0, shown.fee.0, shown.token), (1_000_000, 1_000, 0));
    assert_eq!(shown.bytes.0, Op::Signed(ops[0]).to_bytes());
    assert_eq!(&shown.receipt, receipt(&answers[0]));
    assert_eq!(client.receipt(hash).await.unwrap(), shown.receipt);
    let checked = client.submit_checked(&ops[2], &rollup).await.unwrap();
    assert_eq!(&checked, receipt(&answers[2]));
    let stranger = Rollup { sequencer: Address([1; 20]), ..rollup };
    let error = client.submit_checked(&ops[2], &stranger).await.unwrap_err();
    assert!(matches!(error, ClientError::Distrust(_)), "{error}");
    let error = client.submit_checked(&ops[1], &rollup).await.unwrap_err();
    assert_eq!(error.code(), Some("wrong_nonce"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_have_proofs_and_what_is_pending() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let before = client.account(FIRST_USER).await.unwrap();
    assert_eq!((before.account, before.batch, before.block), (None, 0, 0));
    assert_eq!(before.pending.unwrap().balance.0, ETH);
    check::account(&before).unwrap();
    client.submit(&[transfer(0, 0)]).await.unwrap();
    world.seal().await;
    client.submit(&[transfer(0, 1)]).await.unwrap();
    let after = client.account(FIRST_USER).await.unwrap();
    let root = check::account(&after).unwrap();
    assert_eq!(after.account.unwrap().nonce, 1);
    assert_eq!(after.pending.unwrap().nonce, 2);
    assert_eq!((after.batch, after.block, after.finalized), (2, 1, false));
    let block = client.block(BlockName::Number(1)).await.unwrap();
    assert_eq!(block.new_root.unwrap().0, root);
    world.l1(|l1| l1.finalized = 1);
    assert!(client.account(FIRST_USER).await.unwrap().finalized);
    let owned = client.accounts_of(owner_of(2)).await.unwrap();
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0].index, FIRST_USER + 2);
    check::account(&owned[0]).unwrap();
    assert!(client.accounts_of(field::reduce(&[9; 32])).await.unwrap().is_empty());
    let nobody = client.account(u32::MAX).await.unwrap();
    assert_eq!((nobody.account, nobody.pending), (None, None));
    check::account(&nobody).unwrap();
    let touched = client.operations_of(FIRST_USER, None, None).await.unwrap();
    let entries: Vec<u64> = touched.iter().map(|operation| operation.entry).collect();
    assert_eq!(entries, [4, 0], "newest first, sealed ones alone");
    assert_eq!(touched[1].kind, Kind::Deposit);
    assert_eq!(touched[1].account, None);
    let rest = client.operations_of(FIRST_USER, Some(4), Some(1)).await.unwrap();
    assert_eq!(rest[0].entry, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_come_through_their_stages() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let open = client.block(BlockName::Latest).await.unwrap();
    assert_eq!((open.number, open.stage, open.batches), (1, Stage::Open, 1));
    assert_eq!((open.operations, open.time, open.hash), (u64::from(USERS), TIME, None));
    let batch = client.batch(0).await.unwrap();
    assert_eq!((batch.operations, batch.first_entry, batch.job), (USERS, 0, None));
    client.submit(&[transfer(0, 0)]).await.unwrap();
    world.seal().await;
    let sealed = client.block(BlockName::Latest).await.unwrap();
    assert_eq!((sealed.stage, sealed.batches, sealed.operations), (Stage::Proving, 2, 5));
    assert!(sealed.data_bytes > 0 && !sealed.committed && !sealed.proven);
    let hash = sealed.hash.unwrap();
    assert_eq!(client.block(BlockName::Hash(hash)).await.unwrap(), sealed);
    let batches = client.batches_of(1).await.unwrap();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].old_root, sealed.old_root);
    assert_eq!(batches[1].new_root, sealed.new_root);
    let job = batches[0].job.clone().unwrap();
    assert_eq!((job.kind, job.state, job.number), (ProofKind::ProveBatch, JobState::Queued, 0));
    assert_eq!(job.circuit, format!("0x{}", circuit(1)));
    assert_eq!(client.jobs(None).await.unwrap().len(), 2);
    assert_eq!(client.jobs(Some(JobState::Queued)).await.unwrap()[0], job);
    assert!(client.jobs(Some(JobState::Done)).await.unwrap().is_empty());

    let tx = |n: u8| TxInfo { hash: [n; 32], block: n.into(), gas: 1_000, wei: 5_001, attempts: 1 };
    world.l1(|l1| {
        l1.committed = 1;
        l1.transactions.insert(1, [Some(tx(1)), None, None]);
    });
    let operation = transfer(0, 0);
    let name = Hash(operation_hash(&Op::Signed(operation)));
    assert_eq!(client.operation(name).await.unwrap().status, Progressed::Committed);
    let committed = client.block(BlockName::Number(1)).await.unwrap();
    assert!(committed.committed && !committed.proven);
    assert_eq!(committed.stage, Stage::Proving);
    assert_eq!(committed.transactions.commit.unwrap().hash, Hash([1; 32]));
    assert_eq!(committed.gas_per_operation, None);
    world.l1(|l1| l1.proven = 1);
    assert_eq!(client.block(BlockName::Number(1)).await.unwrap().stage, Stage::Settling);
    assert_eq!(client.operation(name).await.unwrap().status, Progressed::Proven);
    world.l1(|l1| {
        l1.finalized = 1;
        l1.transactions.insert(1, [1, 2, 3].map(|n| Some(tx(n))));
    });
    let last = client.block(BlockName::Finalized).await.unwrap();
    assert_eq!((last.number, last.stage), (1, Stage::Final));
    assert_eq!(last.gas_per_operation, Some(600));
    assert_eq!(last.wei_per_operation.unwrap().0, 3_001);
    assert_eq!(client.operation(name).await.unwrap().status, Progressed::Final);

    client.submit(&[transfer(0, 1)]).await.unwrap();
    world.seal().await;
    let numbers = |blocks: Vec<bastion_client::types::Block>| {
        blocks.iter().map(|b| b.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(client.blocks(None, None).await.unwrap()), [2, 1]);
    assert_eq!(numbers(client.blocks(None, Some(1)).await.unwrap()), [2]);
    assert_eq!(numbers(client.blocks(Some(2), None).await.unwrap()), [1]);
    assert!(client.blocks(Some(0), None).await.unwrap().is_empty());
}

/// Every kind of record stands where the inclusion says.
#[tokio::test(flavor = "multi_thread")]
async fn inclusions_are_of_the_posted_data() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let withdraw =
        |user, nonce| signed(user, nonce, Action::Withdraw { to: Address([9; 20]), amount: 1_000 });
    let make = |user, nonce| {
        let keyhash = dev_key(&format!("new {user}")).public().keyhash();
        signed(user, nonce, Action::TransferNew { keyhash, exit: dev_exit("new"), amount: 1_000 })
    };
    let change = signed(3, 0, Action::ChangeKey { keyhash: dev_key("other").public().keyhash() });
    let ops = [withdraw(0, 0), transfer(0, 1), make(1, 0), withdraw(1, 1), change, make(2, 0)];
    let answers = client.submit(&ops).await.unwrap();
    let hash = |op: &bastion_protocol::ops::SignedOp| Hash(operation_hash(&Op::Signed(*op)));
    let error = client.inclusion(hash(&ops[0])).await.unwrap_err();
    assert_eq!(error.code(), Some("not_sealed"));
    world.seal().await;
    let block = world.parts.coordinator.block(1).unwrap().unwrap();
    let data = world.parts.coordinator.data(&block).unwrap();
    for (op, answer) in ops.iter().zip(&answers) {
        let shown = client.inclusion(hash(op)).await.unwrap();
        check::inclusion(&shown, receipt(answer)).unwrap();
        assert_eq!(shown.records.len(), shown.offset.len());
        for (record, at) in shown.records.iter().zip(&shown.offset) {
            let at = *at as usize;
            assert_eq!(data[at..at + record.0.len()], record.0, "{:?}", op.body.action);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_tells_of_itself() {
    let fees = FeeOptions {
        proving_wei: 500,
        margin_percent: 10,
        units_per_ether: [(3, ETH / 1_000)].into(),
        least: Default::default(),
    };
    let world = World::start(Options { fees, ..generous() }).await;
    let client = Client::new(&world.url()).unwrap();
    let version = client.version().await.unwrap();
    assert_eq!((version.shape.as_str(), version.batches_per_block), ("tiny", 2));
    assert!(version.unsafe_dev_srs);
    assert_eq!(version.page, "bastion");
    assert_eq!(client.policy().await.unwrap(), dev_policy());
    assert_eq!(client.ready().await.unwrap().status, "ok");
    world.l1(|l1| l1.gas_price = 7);
    let estimate = client.fees(0).await.unwrap();
    assert_eq!(estimate.l1_gas_per_transfer, 1_000);
    assert_eq!((estimate.l1_wei_per_transfer.0, estimate.margin_percent), (7_000, 10));
    // (7000 + 500) x 1.1 = 8250, rounded up to what a fee can be.
    assert_eq!(estimate.suggested.0, 8_300);
    assert_eq!(client.fees(3).await.unwrap().suggested.0, 9);
    assert_eq!(client.fees(4).await.unwrap_err().code(), Some("no_price"));
    let status = client.status().await.unwrap();
    assert!(status.accepting && !status.paused && !status.draining && status.l1.synced);
    assert_eq!((status.entries, status.queue.taken), (u64::from(USERS), u64::from(USERS)));
    assert_eq!((status.blocks.open, status.blocks.sealed), (1, 0));
    assert_eq!((status.batches.closed, status.batches.sealed), (0, 0));
    world.seal().await;
    let status = client.status().await.unwrap();
    assert_eq!((status.blocks.open, status.blocks.sealed, status.batches.sealed), (0, 1, 2));
    assert_eq!(status.jobs.queued, 2);
    let job = world.parts.coordinator.lease("wendy", |_| true).unwrap().unwrap();
    let status = client.status().await.unwrap();
    assert_eq!((status.jobs.queued, status.jobs.leased), (1, 1));
    assert!(status.workers.iter().any(|worker| worker.name == "wendy" && worker.busy));
    let shown = client.jobs(Some(JobState::Leased)).await.unwrap();
    assert_eq!(shown[0].worker.as_deref(), Some("wendy"));
    world.parts.coordinator.fail("wendy", &job.key, job.lease, "no memory", true).unwrap();
    let shown = client.jobs(Some(JobState::Retryable)).await.unwrap();
    assert_eq!(
        (shown[0].attempts, shown[0].causes.as_slice()),
        (1, &["no memory".to_string()][..])
    );

    client.submit(&[transfer(0, 0), transfer(0, 0)]).await.unwrap();
    let metrics = raw::get(world.address, "/metrics").await;
    let text = String::from_utf8(metrics.body.clone()).unwrap();
    for line in [
        "bastion_operations_accepted_total",
        "bastion_receipt_seconds_bucket{le=\"0.005\"}",
        "bastion_entries",
        "bastion_jobs{state=\"retryable\"}",
        "bastion_job_failures_total{class=\"worker\"}",
        "bastion_blocks{stage=\"proving\"}",
        "bastion_http_requests_total{route=\"/v1/status\",status=\"200\"}",
        "bastion_memory_bytes",
        "bastion_breaker 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(raw::get(world.address, "/healthz").await.json()["status"], "ok");
}
