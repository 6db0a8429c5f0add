//! Kinds of failure, as a caller tells them apart.

/// What an error means to whoever started the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Anything else.
    Failure,
    /// A proof, or what it is about, does not hold.
    Invalid,
    /// Another version or circuit.
    Mismatch,
    /// A file or an artifact is missing or unusable.
    Missing,
    /// Not enough memory or disk.
    Resources,
}
