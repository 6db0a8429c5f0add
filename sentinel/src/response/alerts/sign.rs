//! The signature of a webhook.
//!
//! `X-Bastion-Signature: v1=` and the hexadecimal HMAC-SHA256, under the shared secret, of the text of
//! `X-Bastion-Timestamp` (seconds since 1970), a dot, and the body. A receiver compares in constant time,
//! refuses a timestamp that is more than 300 seconds away, and remembers `X-Bastion-Delivery` for as long: that
//! id is the same when a delivery is repeated.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::Secret;
use crate::response::ResponseError;

/// Seconds that a timestamp may be away from the receiver's clock.
pub const REPLAY_WINDOW: u64 = 300;
/// Header of the time of the attempt.
pub const TIMESTAMP_HEADER: &str = "X-Bastion-Timestamp";
/// Header of the signature.
pub const SIGNATURE_HEADER: &str = "X-Bastion-Signature";
/// Header of the delivery's id.
pub const DELIVERY_HEADER: &str = "X-Bastion-Delivery";

fn mac(secret: &Secret, timestamp: u64, body: &[u8]) -> Result<Hmac<Sha256>, ResponseError> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    let mut mac = mac.map_err(|e| ResponseError::Signature { why: e.to_string() })?;
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Ok(mac)
}

/// The value of the signature's header.
///
/// # Errors
/// None in practice: a key of HMAC has any length.
pub fn sign(secret: &Secret, timestamp: u64, body: &[u8]) -> Result<String, ResponseError> {
    Ok(format!("v1={}", hex::encode(mac(secret, timestamp, body)?.finalize().into_bytes())))
}

/// What a receiver does.
///
/// # Errors
/// [`ResponseError::Signature`] for headers that do not parse, a time outside of the window, or a signature that
/// is not of this body and time.
pub fn verify(
    secret: &Secret,
    timestamp: &str,
    body: &[u8],
    signature: &str,
    now: u64,
) -> Result<(), ResponseError> {
    let fail = |why: &str| ResponseError::Signature { why: why.to_owned() };
    let time: u64 = timestamp.parse().map_err(|_| fail("the timestamp is no number"))?;
    if time.to_string() != timestamp {
        return Err(fail("the timestamp is not plainly written"));
    }
    if time.abs_diff(now) > REPLAY_WINDOW {
        return Err(fail("the timestamp is too far from now: check the clocks, or it is a replay"));
    }
    let text = signature.strip_prefix("v1=").ok_or_else(|| fail("it does not begin with v1="))?;
    let bytes = hex::decode(text).map_err(|_| fail("it is not hexadecimal"))?;
    let right = mac(secret, time, body)?.verify_slice(&bytes);
    right.map_err(|_| fail("it is not of this secret, time and body"))
}
