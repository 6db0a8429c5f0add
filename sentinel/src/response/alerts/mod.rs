//! Alerts: telling people.
//!
//! [`Alerts`] takes an alert for a channel, drops repetitions, keeps to a rate and hands it to the channel's
//! own task, so that a channel that hangs holds up no other. [`Deliveries`] ends the tasks in order.

mod alert;
mod channel;
mod config;
mod form;
mod gate;
mod http;
mod mail;
mod secret;
mod sender;
mod sign;
#[cfg(test)]
mod tests;

pub use alert::{alerts_of, Alert, Event, Severity};
pub use config::{AlertsConfig, ChannelConfig, MailTls, Patience, Target};
pub use secret::{Secret, SecretSource};
pub use sender::{Alerts, Counts, Deliveries, Sent};
pub use sign::{sign, verify, DELIVERY_HEADER, REPLAY_WINDOW, SIGNATURE_HEADER, TIMESTAMP_HEADER};
