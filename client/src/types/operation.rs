//! Operations: what is sent, what is answered, and where they stand.

use bastion_protocol::{Index, Kind, Token};
use serde::{Deserialize, Serialize};

use super::sentinel::Held;
use super::text::{Amount, Bytes, Element, Hash};
use crate::receipt::SignedReceipt;

/// Operations of a submission at most.
pub const MOST_OPERATIONS: usize = 256;

/// Signed operations in their canonical encoding, which are executed in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// 1 to 256 operations.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Bytes>, min_items = 1, max_items = 256))]
    pub operations: Vec<String>,
}

/// The answers to a submission, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answers {
    /// One for each operation.
    pub answers: Vec<Answer>,
}

/// The answer to one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is executed, and has its place for good. The same operation gets the same receipt again.
    Receipt(SignedReceipt),
    /// It is held back, and executed later by itself.
    Held(Held),
    /// It was not executed, and leaves no mark.
    Rejection(Rejection),
}

/// Why an operation was not executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rejection {
    /// The reason in a word, such as `wrong_nonce`; `malformed` if the bytes are no operation.
    pub code: String,
    /// The reason in a sentence, with values.
    pub message: String,
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = OperationStatus))]
#[serde(rename_all = "snake_case")]
pub enum Progressed {
    /// It has its place.
    Sequenced,
    /// Its batch is sealed: the root after it is known.
    Sealed,
    /// The data of its block are on L1.
    Committed,
    /// The proof of its block holds.
    Proven,
    /// Its block is final on L1.
    Final,
}

impl std::str::FromStr for Progressed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sequenced" => Ok(Self::Sequenced),
            "sealed" => Ok(Self::Sealed),
            "committed" => Ok(Self::Committed),
            "proven" => Ok(Self::Proven),
            "final" => Ok(Self::Final),
            _ => Err("give sequenced, sealed, committed, proven or final".into()),
        }
    }
}

/// An accepted operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Operation {
    /// keccak256 of its bytes. Two deposits may have the same.
    pub hash: Hash,
    /// Its number in the sequencer's log.
    pub entry: u64,
    /// What it is, as its bytes say.
    #[cfg_attr(feature = "schema", schema(value_type = KindName))]
    pub kind: Kind,
    /// Its canonical encoding.
    pub bytes: Bytes,
    /// What the operator promised.
    pub receipt: SignedReceipt,
    /// How far it has come.
    pub status: Progressed,
    /// Number of its batch since genesis.
    pub batch_number: u64,
    /// The account that acts or leaves, or is frozen; null for a deposit.
    pub account: Option<Index>,
    /// The token.
    pub token: Token,
    /// The amount that it names, 0 if none. A forced exit takes all, an order sells at most this.
    pub amount: Amount,
    /// The fee, 0 for operations of L1.
    pub fee: Amount,
    /// The receiver of a transfer to an account that exists, or the account that an order pays.
    pub to: Option<Index>,
    /// What an order got; null before its batch is closed, and for other operations.
    pub filled: Option<Filled>,
}

/// What an order got in the auction of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Filled {
    /// What it sold; 0 if it was not filled.
    pub sold: Amount,
    /// The token that it bought.
    pub buy: Token,
    /// What it was paid of that token.
    pub paid: Amount,
}

/// Operations, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Operations {
    /// The operations.
    pub operations: Vec<Operation>,
}

/// Where an operation stands in the data of its block, to be compared with L1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Inclusion {
    /// Hash of the operation.
    pub operation: Hash,
    /// Its block.
    pub block: u64,
    /// Its batch in the block.
    pub batch: u32,
    /// Its position in the batch.
    pub position: u32,
    /// The records that are posted for it, in the order of the sections.
    pub records: Vec<Bytes>,
    /// Its leaf in the order tree, over the words of the records: what the receipt promises.
    pub leaf: Element,
    /// Where each record begins in the data of the block, in bytes; empty if a blob holds records of it.
    pub offset: Vec<u64>,
    /// The L1 transaction that posted the data, once there is one.
    pub commit_transaction: Option<Hash>,
}

#[cfg(feature = "schema")]
mod schemas {
    use std::borrow::Cow;

    use bastion_protocol::Kind;
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    /// Kinds that an operation's bytes can name.
    pub struct KindName;

    impl PartialSchema for KindName {
        fn schema() -> RefOr<Schema> {
            let named =
                |kind: &Kind| kind.is_signed() || matches!(kind, Kind::Deposit | Kind::ForcedExit);
            let kinds = Kind::ALL.into_iter().filter(named);
            let object = ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(kinds.filter_map(|kind| serde_json::to_value(kind).ok())));
            object.build().into()
        }
    }

    impl ToSchema for KindName {
        fn name() -> Cow<'static, str> {
            "OperationKind".into()
        }
    }
}
#[cfg(feature = "schema")]
pub use schemas::KindName;
