//! Things that are open for long (connections, streams of events), so many for each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::limit::network;

/// What each client has open.
#[derive(Debug, Clone)]
pub struct Shares {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One thing that a client has open, until this is dropped.
#[derive(Debug)]
pub struct Share {
    client: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Shares {
    /// At most so many for each client.
    pub fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// One more for a client, if it has not too many.
    pub fn take(&self, client: IpAddr) -> Option<Share> {
        let client = network(client);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        // Whoever has none open is never refused, and leaves no entry behind.
        if *count >= self.most.max(1) {
            return None;
        }
        *count += 1;
        Some(Share { client, open: self.open.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_takes_what_is_another_s() {
        let shares = Shares::new(2);
        let (one, other): (IpAddr, IpAddr) =
            ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = shares.take(one).unwrap();
        let _second = shares.take(one).unwrap();
        assert!(shares.take(one).is_none() && shares.take(one).is_none());
        assert!(shares.take(other).is_some());
        drop(first);
        assert!(shares.take(one).is_some());
        assert_eq!(shares.open.lock().unwrap().len(), 1);
    }
}
