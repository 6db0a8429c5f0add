//! A coordinator on another machine, over NATS.
