//! The sequencer as a service: a thread that writes, a thread that seals behind it, and a handle for
//! any number of callers.
//!
//! Whatever waits when the writer is free becomes one group, which costs one sync of the disk: under
//! load the groups grow, and nobody waits for a timer.

use std::collections::HashMap;
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use bastion_protocol::keys::PublicKey;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::{Account, Fr, Index, Policy, ProtocolError};
use tokio::sync::oneshot;
use tracing::error;

use super::{Answer, Closed, Sealed, Sealer, Sequencer};
use crate::error::NodeError;
use crate::sentinel::rewards::{Ask, Taken};

/// Operations of a group at most: what follows waits for the next sync.
const GROUP: usize = 2_048;
/// Requests that may wait. More are refused ([`Refusal::Busy`]), so that memory stays bounded.
const WAITING: usize = 16_384;
/// Closed batches that may wait for the sealer. With more, the writer waits.
const UNSEALED: usize = 16;
/// How often the time of batches and blocks is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Accounts of an owner that are told at most.
const ACCOUNTS: usize = 100;
/// Keys that are remembered as valid.
const KEYS: usize = 1 << 18;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too many requests wait.
    #[error("the sequencer is busy: {WAITING} requests wait; try again in a moment")]
    Busy,
    /// More operations than a request may have.
    #[error("a request of {got} operations: send at most {GROUP} in one")]
    TooMany {
        /// Operations of the request.
        got: usize,
    },
    /// It does not run any more, or could not write its log.
    #[error(
        "the sequencer has stopped: nothing is accepted until the operator has started it again"
    )]
    Stopped,
    /// Entries of the L1 queue were left out.
    #[error(
        "the L1 queue was taken up to entry {expected}, not {got}: give the entries between them"
    )]
    QueueGap {
        /// The next entry.
        expected: u64,
        /// The first entry given.
        got: u64,
    },
}

/// What a request is answered by: one answer for each of its operations.
pub type Reply = Result<Vec<Answer>, Refusal>;

enum Request {
    Submit {
        ops: Vec<SignedOp>,
        reply: oneshot::Sender<Reply>,
    },
    Queue {
        from: u64,
        ops: Vec<Op>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Close {
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Epoch {
        epoch: u32,
    },
    Account {
        index: Index,
        reply: oneshot::Sender<Option<Account>>,
    },
    AccountsOf {
        owner: Fr,
        reply: oneshot::Sender<Vec<(Index, Account)>>,
    },
    Guardian {
        index: Index,
        seconds: Option<u64>,
        report: Option<u64>,
        reply: oneshot::Sender<Result<SignedOp, NodeError>>,
    },
    Rewards {
        ask: Box<Ask>,
        reply: oneshot::Sender<Result<Taken, NodeError>>,
    },
    Policy {
        policy: Box<Policy>,
        reply: oneshot::Sender<Result<(), ProtocolError>>,
    },
}

/// A handle of a sequencer that runs.
#[derive(Clone)]
pub struct Service {
    requests: SyncSender<Request>,
    keys: Arc<RwLock<HashMap<[u8; PublicKey::LEN], PublicKey>>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}

/// The threads of a sequencer. They end when the last [`Service`] is dropped.
#[derive(Debug)]
pub struct Running {
    writer: JoinHandle<Result<(), NodeError>>,
    sealer: JoinHandle<Result<(), NodeError>>,
}

impl Running {
    /// Whether one of them has ended.
    pub fn has_ended(&self) -> bool {
        self.writer.is_finished() || self.sealer.is_finished()
    }

    /// As [`Running::join`], but waits no longer than a time: a handle may still be in use somewhere. What
    /// was promised is on disk in any case.
    ///
    /// # Errors
    /// As [`Running::join`].
    pub fn join_within(self, most: Duration) -> Result<(), NodeError> {
        let mut left = most;
        while !(self.writer.is_finished() && self.sealer.is_finished()) {
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(TICK);
            left = left.saturating_sub(TICK);
        }
        self.join()
    }

    /// Waits until both have ended. What was closed is sealed.
    ///
    /// # Errors
    /// The error that ended one of them.
    pub fn join(self) -> Result<(), NodeError> {
        let outcome = |thread: JoinHandle<Result<(), NodeError>>| {
            // A panic is a fault of this code; the log is as good as after a crash.
            thread.join().unwrap_or(Err(NodeError::Stopped))
        };
        let (writer, sealer) = (outcome(self.writer), outcome(self.sealer));
        writer.and(sealer)
    }
}

impl Service {
    /// Starts the threads. `clock` tells the time in seconds; `sink` keeps every sealed batch, in order.
    /// After a crash the last one may come again, so that none is lost.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        sequencer: Sequencer,
        sealer: Sealer,
        clock: impl Fn() -> u64 + Send + 'static,
        sink: impl FnMut(&Sealed) -> Result<(), NodeError> + Send + 'static,
    ) -> Result<(Self, Running), NodeError> {
        let (requests, waiting) = sync_channel(WAITING);
        let (closed, unsealed) = sync_channel(UNSEALED);
        let thread = |name: &str| Builder::new().name(name.into());
        let failed = |source| NodeError::Io { path: "a thread of the sequencer".into(), source };
        let writer = thread("sequencer").spawn(move || write(sequencer, waiting, closed, clock));
        let sealer = thread("sealer").spawn(move || seal(sealer, unsealed, sink));
        let running = Running { writer: writer.map_err(failed)?, sealer: sealer.map_err(failed)? };
        Ok((Self { requests, keys: Arc::default() }, running))
    }

    /// Reads an operation that a user sent. Keys that were read before are not checked again.
    ///
    /// # Errors
    /// Those of [`Op::from_bytes`], and [`ProtocolError::Malformed`] for what users do not send.
    pub fn read(&self, bytes: &[u8]) -> Result<SignedOp, ProtocolError> {
        let known = |bytes: &[u8; PublicKey::LEN]| {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.get(bytes).copied()
        };
        let read_key = |bytes: &[u8; PublicKey::LEN]| {
            if let Some(key) = known(bytes) {
                return Ok(key);
            }
            let key = PublicKey::from_bytes(bytes)?;
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            if keys.len() >= KEYS {
                keys.clear();
            }
            keys.insert(*bytes, key);
            Ok(key)
        };
        match Op::from_bytes_with(bytes, read_key)? {
            Op::Signed(op) => Ok(op),
            Op::Quote(_) => Err(ProtocolError::Malformed {
                what: "operation",
                why: "it is a quote: the operator makes them when a batch is packed".into(),
            }),
            Op::Deposit(_) | Op::ForcedExit(_) | Op::Noop => Err(ProtocolError::Malformed {
                what: "operation",
                why: "it is not signed: deposits and forced exits are made on L1".into(),
            }),
        }
    }

    /// Hands operations to the sequencer. The reply comes when they are on disk.
    ///
    /// # Errors
    /// [`Refusal`], at once or as the reply.
    pub fn submit(&self, ops: Vec<SignedOp>) -> Result<oneshot::Receiver<Reply>, Refusal> {
        if ops.len() > GROUP {
            return Err(Refusal::TooMany { got: ops.len() });
        }
        let (reply, answer) = oneshot::channel();
        self.send(Request::Submit { ops, reply })?;
        Ok(answer)
    }

    /// Hands over entries of the L1 queue ([`Sequencer::take_from_queue`]).
    ///
    /// # Errors
    /// As [`Service::submit`].
    pub fn take_from_queue(
        &self,
        from: u64,
        ops: Vec<Op>,
    ) -> Result<oneshot::Receiver<Result<(), Refusal>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Queue { from, ops, reply })?;
        Ok(answer)
    }

    /// Closes the open block, whether its time is up or not.
    ///
    /// # Errors
    /// As [`Service::submit`].
    pub fn close_block(&self) -> Result<oneshot::Receiver<Result<(), Refusal>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Close { reply })?;
        Ok(answer)
    }

    /// Receipts of blocks that open from now on have this epoch ([`Sequencer::set_epoch`]).
    ///
    /// # Errors
    /// As [`Service::submit`].
    pub fn set_epoch(&self, epoch: u32) -> Result<(), Refusal> {
        self.send(Request::Epoch { epoch })
    }

    /// An account as of the last operation.
    ///
    /// # Errors
    /// [`Refusal::Busy`] or [`Refusal::Stopped`].
    pub async fn account(&self, index: Index) -> Result<Option<Account>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Account { index, reply })?;
        answer.await.map_err(|_| Refusal::Stopped)
    }

    /// The accounts of an owner as of the last operation, at most 100.
    ///
    /// # Errors
    /// As [`Service::account`].
    pub async fn accounts_of(&self, owner: Fr) -> Result<Vec<(Index, Account)>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::AccountsOf { owner, reply })?;
        answer.await.map_err(|_| Refusal::Stopped)
    }

    /// Signs as the guardian ([`Sequencer::sign_as_guardian`]).
    ///
    /// # Errors
    /// As [`Service::account`]; within, those of [`Sequencer::sign_as_guardian`].
    pub async fn sign_as_guardian(
        &self,
        index: Index,
        seconds: Option<u64>,
        report: Option<u64>,
    ) -> Result<Result<SignedOp, NodeError>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Guardian { index, seconds, report, reply })?;
        answer.await.map_err(|_| Refusal::Stopped)
    }

    /// Takes a call about rewards ([`Sequencer::ask`]). The signature of a watcher's call was checked.
    ///
    /// # Errors
    /// As [`Service::account`]; within, those of [`Sequencer::ask`].
    pub async fn ask(&self, ask: Ask) -> Result<Result<Taken, NodeError>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Rewards { ask: Box::new(ask), reply })?;
        answer.await.map_err(|_| Refusal::Stopped)
    }

    /// The next block to open takes this policy ([`Sequencer::set_policy`]).
    ///
    /// # Errors
    /// As [`Service::submit`].
    pub fn set_policy(
        &self,
        policy: Policy,
    ) -> Result<oneshot::Receiver<Result<(), ProtocolError>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Policy { policy: Box::new(policy), reply })?;
        Ok(answer)
    }

    fn send(&self, request: Request) -> Result<(), Refusal> {
        self.requests.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Busy,
            TrySendError::Disconnected(_) => Refusal::Stopped,
        })
    }
}

/// The writer's thread.
fn write(
    mut sequencer: Sequencer,
    waiting: Receiver<Request>,
    closed: SyncSender<Closed>,
    clock: impl Fn() -> u64,
) -> Result<(), NodeError> {
    let mut next = None;
    loop {
        for batch in sequencer.take_closed() {
            // Without its sealer the writer must not go on: batches would pile up.
            closed.send(batch).map_err(|_| NodeError::Stopped)?;
        }
        let request = match next.take().map_or_else(|| waiting.recv_timeout(TICK), Ok) {
            Ok(request) => Some(request),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let now = clock();
        let done = match request {
            None => sequencer.tick(now),
            Some(Request::Submit { ops, reply }) => {
                let mut group = Group::of(ops, reply);
                next = group.fill(&waiting);
                group.run(&mut sequencer, now).and_then(|()| sequencer.tick(now))
            }
            Some(Request::Queue { from, ops, reply }) => {
                answer(sequencer.take_from_queue(from, &ops, now), reply)
            }
            Some(Request::Close { reply }) => answer(sequencer.close(true), reply),
            Some(Request::Epoch { epoch }) => {
                sequencer.set_epoch(epoch);
                Ok(())
            }
            Some(Request::Account { index, reply }) => {
                let _ = reply.send(sequencer.state().account(index).copied());
                Ok(())
            }
            Some(Request::AccountsOf { owner, reply }) => {
                let _ = reply.send(sequencer.state().owned_by(owner).take(ACCOUNTS).collect());
                Ok(())
            }
            Some(Request::Guardian { index, seconds, report, reply }) => {
                let signed = sequencer.sign_as_guardian(index, seconds, report, now);
                let fatal = matches!(&signed, Err(error) if !error.is_refusal());
                let _ = reply.send(signed);
                if fatal {
                    Err(NodeError::Stopped)
                } else {
                    Ok(())
                }
            }
            Some(Request::Rewards { ask, reply }) => {
                let outcome = sequencer.ask(*ask, now);
                let fatal = matches!(&outcome, Err(error) if !error.is_refusal());
                let _ = reply.send(outcome);
                // What was taken is not on disk: nothing may follow it.
                if fatal {
                    Err(NodeError::Stopped)
                } else {
                    Ok(())
                }
            }
            Some(Request::Policy { policy, reply }) => {
                let set = sequencer.set_policy(*policy).map_err(|error| match error {
                    NodeError::Protocol(error) => error,
                    other => ProtocolError::Policy(other.to_string()),
                });
                let _ = reply.send(set);
                Ok(())
            }
        };
        let done = done.and_then(|()| sequencer.run_due(now));
        if let Err(error) = done {
            error!(%error, "the sequencer stops");
            return Err(error);
        }
    }
}

/// Passes an outcome on: a caller's mistake is the caller's, everything else ends the writer.
fn answer(
    outcome: Result<(), NodeError>,
    reply: oneshot::Sender<Result<(), Refusal>>,
) -> Result<(), NodeError> {
    let (said, done) = match outcome {
        Ok(()) => (Ok(()), Ok(())),
        Err(NodeError::QueueGap { expected, got }) => {
            (Err(Refusal::QueueGap { expected, got }), Ok(()))
        }
        Err(error) => (Err(Refusal::Stopped), Err(error)),
    };
    // Whoever asked may be gone.
    let _ = reply.send(said);
    done
}

/// Requests that share a sync.
struct Group {
    ops: Vec<SignedOp>,
    replies: Vec<(usize, oneshot::Sender<Reply>)>,
}

impl Group {
    fn of(ops: Vec<SignedOp>, reply: oneshot::Sender<Reply>) -> Self {
        Self { replies: vec![(ops.len(), reply)], ops }
    }

    /// Takes what waits, in order, up to the size of a group; gives the request that does not belong.
    fn fill(&mut self, waiting: &Receiver<Request>) -> Option<Request> {
        while self.ops.len() < GROUP {
            match waiting.try_recv() {
                Ok(Request::Submit { ops, reply }) => {
                    self.replies.push((ops.len(), reply));
                    self.ops.extend(ops);
                }
                Ok(other) => return Some(other),
                Err(_) => return None,
            }
        }
        None
    }

    fn run(self, sequencer: &mut Sequencer, now: u64) -> Result<(), NodeError> {
        let outcome = sequencer.sequence(&self.ops, now);
        let mut answers = match outcome {
            Ok(answers) => answers.into_iter(),
            Err(error) => {
                for (_, reply) in self.replies {
                    let _ = reply.send(Err(Refusal::Stopped));
                }
                return Err(error);
            }
        };
        for (count, reply) in self.replies {
            // Whoever asked may be gone; the receipt stays, and comes again when asked for.
            let _ = reply.send(Ok(answers.by_ref().take(count).collect()));
        }
        Ok(())
    }
}

/// The sealer's thread.
fn seal(
    mut sealer: Sealer,
    unsealed: Receiver<Closed>,
    mut sink: impl FnMut(&Sealed) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    for closed in unsealed {
        if let Err(error) = sealer.seal(closed, &mut sink) {
            error!(%error, "the sealer stops");
            return Err(error);
        }
    }
    Ok(())
}
