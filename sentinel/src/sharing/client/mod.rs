//! A client of TAXII 2.1, and of the stream beside it. Answers are bounded, redirects are refused.
//!
//! | module | content |
//! |---|---|
//! | `transport` | one request |
//! | `requests` | what can be asked |
//! | [`sse`] | streams |
//! | [`follow`] | following a collection of another chain |

pub mod follow;
mod requests;
pub mod sse;
mod transport;

pub use follow::{Feed, Follower, Pace, Taken};
pub use requests::{Filter, ObjectPage};
pub use transport::{Client, ClientOptions};
