//! Operations in, receipts out.

use std::time::Instant;

use axum::extract::State;
use axum::Json;
use bastion_client::types::operation::{Rejection, MOST_OPERATIONS};
use bastion_client::types::{Answer, Answers, Bytes, Hash, Held, Inclusion, Operation, Submission};
use bastion_client::SignedReceipt;
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_state::executor;

use crate::api::extract::{Body, Path};
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::Shared;
use crate::sentinel::shown;
use crate::sequencer::{Decline, Refusal, Service};

/// Takes signed operations in order. Each answer is a receipt, which is on disk when it is given, or a
/// rejection. An operation that was accepted before gets the same receipt again.
#[utoipa::path(post, path = "/v1/operations", tag = "operations", request_body = Submission,
    responses((status = 200, body = Answers)))]
pub async fn submit(
    State(shared): State<Shared>,
    Body(submission): Body<Submission>,
) -> Result<Json<Answers>, Fault> {
    let start = Instant::now();
    let parts = &shared.backend.parts;
    let count = submission.operations.len();
    if !(1..=MOST_OPERATIONS).contains(&count) {
        let detail = format!("{count} operations: send 1 to {MOST_OPERATIONS}");
        return Err(Fault::new(Code::BadRequest, detail));
    }
    parts.control.accepting().map_err(|why| Fault::new(Code::NotAccepting, why))?;
    let read = blocking(&shared.backend, move |backend| {
        let service = &backend.parts.service;
        let read = |text: &String| {
            let op = read(service, text)?;
            let paid = backend.options.fees.check(&op);
            paid.map_err(|message| Rejection { code: "fee_too_low".into(), message })?;
            Ok(op)
        };
        Ok(submission.operations.iter().map(read).collect::<Vec<Result<SignedOp, Rejection>>>())
    });
    let read = read.await?;
    let operations: Vec<SignedOp> = read.iter().filter_map(|r| r.as_ref().ok()).copied().collect();
    let answers = match operations.is_empty() {
        true => Vec::new(),
        false => parts.service.submit(operations)?.await.map_err(|_| Refusal::Stopped)??,
    };
    let mut answers = answers.into_iter();
    let answers = read.into_iter().map(|read| match read {
        Err(rejection) => Ok(Answer::Rejection(rejection)),
        Ok(op) => Ok(match answers.next().ok_or(Refusal::Stopped)? {
            Ok(receipt) => Answer::Receipt(receipt),
            Err(decline) => declined(&op, decline),
        }),
    });
    let answers: Vec<Answer> = answers.collect::<Result<_, Fault>>()?;
    count_answers(&answers);
    metrics::histogram!("bastion_receipt_seconds").record(start.elapsed().as_secs_f64());
    Ok(Json(Answers { answers }))
}

fn read(service: &Service, text: &str) -> Result<SignedOp, Rejection> {
    let bytes = text.parse::<Bytes>();
    let read = bytes.and_then(|bytes| service.read(&bytes.0));
    read.map_err(|e| Rejection { code: "malformed".into(), message: e.to_string() })
}

fn count_answers(answers: &[Answer]) {
    for answer in answers {
        match answer {
            Answer::Receipt(_) => {
                metrics::counter!("bastion_operations_accepted_total").increment(1);
            }
            Answer::Held(_) => {
                metrics::counter!("bastion_operations_held_total").increment(1);
            }
            Answer::Rejection(rejection) => {
                let code = rejection.code.clone();
                metrics::counter!("bastion_operations_rejected_total", "code" => code).increment(1);
            }
        }
    }
}

fn declined(op: &SignedOp, decline: Decline) -> Answer {
    match decline {
        Decline::Rejected(rejection) => Answer::Rejection(rejected(&rejection)),
        Decline::Held { until, reasons } => Answer::Held(Held {
            operation: Hash(operation_hash(&Op::Signed(*op))),
            account: op.body.account,
            until,
            reasons: shown(&reasons),
            bytes: None,
        }),
        Decline::AuctionFull => {
            let (code, message) = ("auction_full".into(), decline.to_string());
            Answer::Rejection(Rejection { code, message })
        }
        Decline::Refused { .. } => {
            Answer::Rejection(Rejection { code: "refused".into(), message: decline.to_string() })
        }
    }
}

/// A rejection with its code: the name of its variant.
fn rejected(rejection: &executor::Rejection) -> Rejection {
    use executor::Rejection as R;
    let code = match rejection {
        R::NoSuchAccount(_) => "no_such_account",
        R::IsLimiter(_) => "is_limiter",
        R::BadSignature(_) => "bad_signature",
        R::NotOwner(_) => "not_owner",
        R::NotGuardian => "not_guardian",
        R::WrongNonce { .. } => "wrong_nonce",
        R::NonceExhausted(_) => "nonce_exhausted",
        R::InsufficientBalance { .. } => "insufficient_balance",
        R::CostOverflow { .. } => "cost_overflow",
        R::WrongToken { .. } => "wrong_token",
        R::PastDeadline { .. } => "past_deadline",
        R::Frozen { .. } => "frozen",
        R::SelfTransfer(_) => "self_transfer",
        R::ZeroAmount => "zero_amount",
        R::BalanceOverflow(_) => "balance_overflow",
        R::FreezeOutOfBounds { .. } => "freeze_out_of_bounds",
        R::Cooldown { .. } => "cooldown",
        R::WrongFreeze { .. } => "wrong_freeze",
        R::NotAFloat { .. } => "not_a_float",
        R::Encoding(_) => "encoding",
        R::TreeFull => "tree_full",
        R::SystemAccount(_) => "system_account",
        R::OtherOwner { .. } => "other_owner",
        R::SameToken(_) => "same_token",
        _ => "rejected",
    };
    Rejection { code: code.into(), message: rejection.to_string() }
}

/// An accepted signed operation, by keccak256 of its bytes.
#[utoipa::path(get, path = "/v1/operations/{hash}", tag = "operations",
    params(("hash" = Hash, Path)), responses((status = 200, body = Operation)))]
pub async fn operation(
    State(shared): State<Shared>,
    Path(hash): Path<String>,
) -> Result<Json<Operation>, Fault> {
    let hash = parse(&hash)?;
    let view = blocking(&shared.backend, move |backend| {
        let (number, entry) = backend.entry_of(hash)?;
        backend.operation(number, entry)
    });
    view.await.map(Json)
}

/// The receipt of an operation.
#[utoipa::path(get, path = "/v1/operations/{hash}/receipt", tag = "operations",
    params(("hash" = Hash, Path)), responses((status = 200, body = SignedReceipt)))]
pub async fn receipt(
    State(shared): State<Shared>,
    Path(hash): Path<String>,
) -> Result<Json<SignedReceipt>, Fault> {
    let hash = parse(&hash)?;
    let view = blocking(&shared.backend, move |backend| Ok(backend.entry_of(hash)?.1.receipt));
    view.await.map(Json)
}

/// Where an operation stands in the data that its block posts on L1. There is none before the block is
/// sealed.
#[utoipa::path(get, path = "/v1/operations/{hash}/inclusion", tag = "operations",
    params(("hash" = Hash, Path)), responses((status = 200, body = Inclusion)))]
pub async fn inclusion(
    State(shared): State<Shared>,
    Path(hash): Path<String>,
) -> Result<Json<Inclusion>, Fault> {
    let hash = parse(&hash)?;
    let view = blocking(&shared.backend, move |backend| {
        let (_, entry) = backend.entry_of(hash)?;
        backend.inclusion(&entry)
    });
    view.await.map(Json)
}

fn parse(hash: &str) -> Result<Hash, Fault> {
    let parsed = hash.parse();
    parsed.map_err(|e| Fault::new(Code::BadRequest, format!("operation hash: {e}")))
}
