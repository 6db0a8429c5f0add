//! Starts, watches and stops the parts of a node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::Address;
use bastion_circuits::Shape;
use bastion_l1::{At, Failover, FailoverOptions, L1Error, ReadLogs};
use bastion_protocol::times::MAX_CLOCK_LAG;
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;
use tracing::{info, warn};

use super::clock::L1Clock;
use super::config::{Mode, NodeConfig};
use super::intake::Intake;
use super::manifest::Rollup;
use super::policies::Policies;
use super::settler::Settler;
use super::supervise::{Next, Supervisor};
use super::{keys, restored, Control, Identity, L1View};
use crate::coordinator::verifiers::Verifiers;
use crate::coordinator::Coordinator;
use crate::error::NodeError;
use crate::nats::server::NatsServer;
use crate::pipeline::Cache;
use crate::recommend::MemoryPlan;
use crate::sentinel::{self, Sentinel, Watch};
use crate::sequencer::{Ledger, LogReader, Packing, ReceiptSigner, Running, Sequencer, Service};
use crate::worker::keys::WorkerKeys;
use crate::worker::Worker;

/// How often leases and back-pressure are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Age of a block that is not final, in seconds, after which nothing more is accepted: half of the time in
/// which it must be committed, and in which its commit must be proven.
const LATE: u64 = MAX_CLOCK_LAG / 2;
/// How long a node that is stopped waits for its workers' proofs. What is cut off is proven again.
const GRACE: Duration = Duration::from_secs(10);

/// The parts of a node that others talk to.
#[derive(Clone)]
pub struct Parts {
    /// What it is.
    pub identity: Arc<Identity>,
    /// Takes operations.
    pub service: Service,
    /// Their log.
    pub log: LogReader,
    /// Accounts with proofs.
    pub ledger: Ledger,
    /// Blocks and jobs.
    pub coordinator: Arc<Coordinator>,
    /// What the operator does.
    pub control: Control,
    /// What L1 says.
    pub l1: L1View,
    /// What the operator asks of the settler.
    pub orders: Orders,
    /// Who looks at operations before they are included, unless it is off.
    pub sentinel: Option<Watch>,
}

/// What the operator asks of the settler: it has the only hand on the account.
pub type Orders = std::sync::mpsc::Sender<Order>;

/// A request to the settler.
#[derive(Debug)]
pub enum Order {
    /// Pays more for a transaction now.
    Resend(String, tokio::sync::oneshot::Sender<Result<(), String>>),
    /// Takes a transaction back.
    Cancel(String, tokio::sync::oneshot::Sender<Result<(), String>>),
    /// Tells of all transactions.
    List(tokio::sync::oneshot::Sender<Vec<bastion_l1::txmgr::Intent>>),
}

/// A node that runs.
pub struct Node {
    parts: Parts,
    supervisor: Supervisor,
    sequencer: Running,
    stop: Arc<AtomicBool>,
    worker: Option<std::thread::JoinHandle<()>>,
}

impl Node {
    /// Starts a node: opens its data, checks that contract, circuits and keys belong together, goes on
    /// where it ended. It runs until `stop` is set or a part of it fails.
    ///
    /// # Errors
    /// With what does not fit, before anything is accepted.
    pub fn start(
        config: &NodeConfig,
        cache: &Cache,
        memory: MemoryBudget,
        stop: Arc<AtomicBool>,
        progress: &Progress,
    ) -> Result<Self, NodeError> {
        let rollup = Rollup::read(&config.rollup.manifest)?;
        // Before databases are opened and anything is written.
        let operator = keys::operator(&config.l1)?;
        let mode = config.rollup.data_mode;
        let blobs = keys::of_mode(&config.l1, mode)?;
        let shape = Shape::named(&rollup.shape)?;
        let contract = Address::from(rollup.contract.0);
        let folder = |block: &super::manifest::BlockCircuit| {
            cache.verifier_dir(&rollup.shape, block.batches as usize, block.circuit)
        };
        let folders: Vec<_> = rollup.blocks.iter().map(folder).collect();
        if let Some(missing) = folders.iter().find(|folder| !folder.exists()) {
            let (dir, shape) = (missing.display().to_string(), rollup.shape.clone());
            return Err(NodeError::NoDocuments { dir, shape });
        }
        let verifiers = Verifiers::open(&folders)?;
        let keys = match config.worker.embedded {
            true => {
                let sizes = rollup.sizes();
                let choice = SrsChoice::Held;
                Some(WorkerKeys::open(&shape, &sizes, cache, choice, memory, progress)?)
            }
            false => None,
        };
        let connect = || {
            let options = FailoverOptions { chain_id: Some(rollup.chain_id), ..Default::default() };
            Failover::connect(&config.l1.urls, options)
        };
        let mut l1 = connect()?;
        let data = &config.rollup.data_dir;
        // Before anything is signed.
        restored::go_on(data, &rollup, &mut l1, config.l1.finality.into())?;
        let latest = l1.block(At::Latest)?.ok_or(L1Error::NoNamed { name: "latest" })?;
        let clock = L1Clock::new(latest.time);
        let signer = ReceiptSigner::new(
            &keys::sequencer(&config.sequencer)?,
            rollup.chain_id,
            rollup.contract,
        )?;
        let identity = Identity {
            chain_id: rollup.chain_id,
            contract: rollup.contract,
            sequencer: bastion_protocol::Address(signer.address().into_array()),
            shape: rollup.shape.clone(),
            batches: verifiers.sizes(),
            batch_circuit: verifiers.batch_circuit(),
            block_circuits: verifiers
                .blocks()
                .map(|(batches, block)| (batches, block.verifier.circuit_id))
                .collect(),
            unsafe_dev_srs: rollup.unsafe_dev_srs,
            policy: rollup.policy.clone(),
        };
        let sizes = verifiers.sizes();
        let wall: crate::coordinator::Clock = Arc::new(wall_clock);
        let coordinator = Arc::new(Coordinator::open(data, verifiers, wall)?.posting(mode));
        // In calldata too: what is sealed now may be posted after a restart in the other mode.
        let most = sizes.last().map_or(1, |most| *most as usize);
        let slots = config.rollup.max_blobs.room(&shape, most);
        let packing = Packing {
            shape: Shape { slots, ..shape.clone() },
            mode,
            sizes,
            batch_seconds: config.sequencer.batch_seconds,
            block_seconds: config.sequencer.block_seconds,
        };
        let (mut sequencer, sealer) =
            Sequencer::open(&data.join("sequencer"), signer, packing, rollup.policy.clone())?;
        let control = Control::default();
        // It may be another one than the manifest's by now: a block under an old one would be refused for ever.
        let unread = "which policy is in force on L1 was not read yet";
        control.set_trouble("policy", Some(unread.into()));
        sequencer.controlled_by(control.clone());
        let sentinel = match config.sentinel.mode {
            Mode::Off => None,
            Mode::Watch | Mode::Enforce => {
                let (chain_id, contract) = (rollup.chain_id, rollup.contract);
                let of = sentinel::Rollup { chain_id, contract };
                let entries = sequencer.entries()?;
                let dir = data.join("sentinel");
                let state = sequencer.state();
                let opened = Sentinel::open(&dir, &config.sentinel, of, state, entries)?;
                let watch: Watch = Arc::new(Mutex::new(opened));
                sequencer.watched_by(watch.clone(), clock.now())?;
                Some(watch)
            }
        };
        let (log, ledger) = (sequencer.log().reader(), sealer.ledger());
        let keeper = coordinator.clone();
        let times = clock.clone();
        let (service, running) = Service::start(
            sequencer,
            sealer,
            move || times.now(),
            move |sealed| keeper.keep(sealed),
        )?;
        let view = L1View::default();
        let (orders, ordered) = std::sync::mpsc::channel();
        let parts = Parts {
            identity: Arc::new(identity),
            service: service.clone(),
            log,
            ledger,
            coordinator: coordinator.clone(),
            control: control.clone(),
            l1: view.clone(),
            orders,
            sentinel: sentinel.clone(),
        };
        let mut supervisor = Supervisor::new(stop.clone());
        let poll = Duration::from_secs(config.l1.poll_seconds.max(1));

        let policies = Policies::new(
            Address::from(rollup.governance.0),
            rollup.policy.clone(),
            config.rollup.policies.clone(),
            parts.service.clone(),
        )?;
        let mut settler = Settler::open(
            &data.join("transactions"),
            l1,
            operator,
            config.l1.tx_options(),
            contract,
            coordinator.clone(),
            control.clone(),
            view.clone(),
            policies,
            clock,
            sentinel,
        )?;
        if let Some(wallet) = blobs {
            let (path, options) = (data.join("transactions-of-blobs"), config.l1.tx_options());
            settler = settler.sending_blobs(&path, connect()?, wallet, options)?;
        }
        settler.settle_in_one(config.rollup.settle_in_one);
        // Before anything is taken: a data folder that is not the contract's must not get blocks of its own.
        settler.check()?;
        let mut intake = Intake::open(
            &data.join("intake"),
            connect()?,
            contract,
            rollup.first_block,
            config.l1.finality.into(),
            service,
        )?;
        supervisor.start("intake", move || {
            Ok(if intake.step()? { Next::Again } else { Next::Rest(poll) })
        })?;

        supervisor.start("settler", move || {
            settler.obey(&ordered, wall_clock());
            settler.step(wall_clock())?;
            Ok(Next::Rest(poll))
        })?;

        let (ticking, limit) = (parts.clone(), config.sequencer.max_backlog);
        let drained = stop.clone();
        supervisor.start("coordinator", move || {
            ticking.coordinator.tick()?;
            ticking.press(limit)?;
            if ticking.control.draining() && ticking.is_drained()? {
                info!("drained: everything that was accepted is final");
                drained.store(true, Ordering::Relaxed);
                return Ok(Next::End);
            }
            Ok(Next::Rest(TICK))
        })?;

        if let Some(url) = &config.nats.url {
            let desk = coordinator.clone();
            let mut server =
                NatsServer::start(url, rollup.chain_id, rollup.contract, desk.clone())?;
            supervisor.start("nats", move || {
                server.step()?;
                // A job is published when it is there.
                desk.wait_for_work(TICK);
                Ok(Next::Again)
            })?;
        }

        let worker = match keys {
            None => None,
            Some(keys) => {
                let plan =
                    MemoryPlan::new(&shape, rollup.sizes().into_iter().max().unwrap_or(1) as usize);
                let admission = plan.admission(memory, config.worker.slots);
                let desk = Arc::new(coordinator.clone());
                let worker = Worker::new("embedded", desk, Arc::new(keys), admission, stop.clone());
                let spawned = std::thread::Builder::new().name("worker".into());
                let spawned = spawned.spawn(move || worker.run());
                Some(
                    spawned
                        .map_err(|source| NodeError::Io { path: "thread worker".into(), source })?,
                )
            }
        };
        Ok(Self { parts, supervisor, sequencer: running, stop, worker })
    }

    /// The parts that others talk to.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Stops it.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until the node is to end. Then whoever has its parts should drop them.
    pub fn wait(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            if self.sequencer.has_ended() || self.supervisor.a_part_has_ended() {
                self.stop.store(true, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the node has ended, and gives what ended it, if it was a failure.
    ///
    /// # Errors
    /// The failure.
    pub fn join(self) -> Result<(), NodeError> {
        self.wait();
        let outcome = self.supervisor.join();
        drop(self.parts);
        // The handles of the API and of the intake are gone: the sequencer writes what waits, and ends.
        let sequencer = self.sequencer.join_within(GRACE);
        if let Some(worker) = self.worker {
            let mut left = GRACE;
            while !worker.is_finished() && !left.is_zero() {
                std::thread::sleep(Duration::from_millis(100));
                left = left.saturating_sub(Duration::from_millis(100));
            }
            if !worker.is_finished() {
                warn!("the worker is cut off: its jobs are proven again after the next start");
            }
        }
        outcome.and(sequencer)
    }
}

impl Parts {
    /// Stops or resumes accepting by what the coordinator has to do.
    fn press(&self, limit: u64) -> Result<(), NodeError> {
        let waiting = self.backlog()?;
        let full = (waiting > limit).then(|| {
            format!(
                "{waiting} sealed blocks wait for proof and L1, more than {limit}: try again later"
            )
        });
        self.control.set_trouble("backlog", full);
        let oldest = self.oldest()?;
        let late = (oldest > LATE).then(|| {
            format!(
                "block {} is not final after {} hours: after a day its commit may be taken back, and cannot be \
                 made again; nothing is accepted until it is final",
                self.final_blocks() + 1,
                oldest / 3_600
            )
        });
        self.control.set_trouble("age", late);
        self.control.set_trouble("breaker", self.coordinator.breaker());
        Ok(())
    }

    /// Blocks that are final on L1.
    fn final_blocks(&self) -> u64 {
        self.l1.read().unwrap_or_else(PoisonError::into_inner).finalized
    }

    /// Age of the oldest sealed block that is not final, by its time on L2, in seconds.
    fn oldest(&self) -> Result<u64, NodeError> {
        let now = self.l1.read().unwrap_or_else(PoisonError::into_inner).time;
        let block = self.coordinator.block(self.final_blocks() + 1)?;
        Ok(block.map_or(0, |block| now.saturating_sub(block.header.time)))
    }

    /// Sealed blocks that are not final on L1.
    ///
    /// # Errors
    /// [`NodeError::Database`].
    pub fn backlog(&self) -> Result<u64, NodeError> {
        Ok(self.coordinator.last_block()?.saturating_sub(self.final_blocks()))
    }

    /// Whether everything that was accepted is final.
    fn is_drained(&self) -> Result<bool, NodeError> {
        let last = self.log.last_batch()?;
        let open = last.as_ref().is_some_and(|(_, row)| row.sealed.is_none() || !row.ends_block);
        if open {
            // What is open is closed now, instead of when its time is up.
            if let Ok(answer) = self.service.close_block() {
                let _ = answer.blocking_recv();
            }
            return Ok(false);
        }
        let Some((_, row)) = last else {
            return Ok(true);
        };
        Ok(self.coordinator.block(row.block)?.is_some_and(|block| block.final_at.is_some()))
    }
}

/// This machine's time in seconds.
pub fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
