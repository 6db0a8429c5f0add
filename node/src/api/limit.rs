//! A bucket of tokens for each client: it fills at a rate, and a request takes one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Clients that are remembered at most. Further ones share a bucket.
const CLIENTS: usize = 1 << 16;

/// Buckets of all clients.
#[derive(Debug)]
pub struct Limiter {
    per_second: f64,
    burst: f64,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_client: HashMap<IpAddr, Bucket>,
    rest: Option<Bucket>,
    cleaned: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Limiter {
    /// Buckets that hold `burst` and fill by `per_second`.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let (per_second, burst) = (f64::from(per_second.max(1)), f64::from(burst.max(1)));
        Self { per_second, burst, buckets: Mutex::default() }
    }

    /// Takes a token of a client; false if there is none.
    pub fn take(&self, client: IpAddr, now: Instant) -> bool {
        let client = network(client);
        let full = Bucket { tokens: self.burst, at: now };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.by_client.len() >= CLIENTS && !buckets.by_client.contains_key(&client) {
            self.clean(&mut buckets, now);
        }
        let bucket = match buckets.by_client.len() < CLIENTS {
            true => buckets.by_client.entry(client).or_insert(full),
            false => match buckets.by_client.contains_key(&client) {
                true => buckets.by_client.entry(client).or_insert(full),
                false => buckets.rest.get_or_insert(full),
            },
        };
        bucket.tokens = self.tokens(bucket, now);
        bucket.at = now;
        let has = bucket.tokens >= 1.0;
        if has {
            bucket.tokens -= 1.0;
        }
        has
    }

    fn tokens(&self, bucket: &Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + passed * self.per_second).min(self.burst)
    }

    /// Forgets buckets that are full again, once a second at most.
    fn clean(&self, buckets: &mut Buckets, now: Instant) {
        let since = |then| now.saturating_duration_since(then).as_secs();
        if buckets.cleaned.is_some_and(|then| since(then) == 0) {
            return;
        }
        buckets.cleaned = Some(now);
        buckets.by_client.retain(|_, bucket| self.tokens(bucket, now) < self.burst);
    }
}

/// Whoever has an IPv6 address has all of its network of 64 bits.
pub(super) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limiter = Limiter::new(2, 3);
        let start = Instant::now();
        let client: IpAddr = "10.0.0.1".parse().unwrap();
        let other: IpAddr = "10.0.0.2".parse().unwrap();
        let taken = |at: Instant| (0..10).filter(|_| limiter.take(client, at)).count();
        assert_eq!(taken(start), 3);
        assert!(limiter.take(other, start));
        assert_eq!(taken(start + Duration::from_secs(1)), 2);
        assert_eq!(taken(start + Duration::from_secs(100)), 3);
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let limiter = Limiter::new(1, 1);
        let now = Instant::now();
        assert!(limiter.take("2001:db8::1".parse().unwrap(), now));
        assert!(!limiter.take("2001:db8::2".parse().unwrap(), now));
        assert!(limiter.take("2001:db8:0:1::2".parse().unwrap(), now));
        assert!(limiter.take("10.0.0.1".parse().unwrap(), now));
        assert!(!limiter.take("::ffff:10.0.0.1".parse().unwrap(), now));
    }

    #[test]
    fn memory_is_bounded_however_many_ask() {
        let limiter = Limiter::new(1, 2);
        let now = Instant::now();
        for n in 0..CLIENTS as u32 + 10 {
            limiter.take(IpAddr::V4(n.into()), now);
        }
        let count = || limiter.buckets.lock().unwrap().by_client.len();
        assert_eq!(count(), CLIENTS);
        // Those that are full again make room.
        assert!(limiter.take(IpAddr::V4((CLIENTS as u32 * 2).into()), now + Duration::from_secs(5)));
        assert_eq!(count(), 1);
    }
}
