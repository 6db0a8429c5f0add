//! The vector of an operation that the models see.

use crate::features::{Feature, View};
use crate::fixed::log16;

/// Features of a vector.
pub const FEATURES: usize = 12;
/// Values are from 0 to `LIMIT - 1`.
pub const LIMIT: i32 = 1024;
/// Seconds over which counts go.
const WINDOW: u64 = 3600;

/// The vector. Each value is cut to 0..1023; differences of logarithms are centred at 512, in quarters
/// of a sixteenth; times are logarithms.
#[must_use]
pub fn vector(view: &View<'_>) -> [i32; FEATURES] {
    let value = |feature| view.value(feature, WINDOW);
    let cut = |x: i128| x.clamp(0, i128::from(LIMIT) - 1) as i32;
    let difference = |feature| cut(512 + value(feature) * 2);
    let time = |feature| {
        let seconds = u128::try_from(value(feature)).unwrap_or(0);
        cut(i128::from(log16(seconds + 1)) * 2)
    };
    let share = |feature| cut(value(feature));
    let count = |feature| cut(value(feature) * 30);
    [
        difference(Feature::AmountVsOwn),
        difference(Feature::AmountVsToken),
        difference(Feature::FeeVsToken),
        share(Feature::OutShare),
        share(Feature::OutWindowShare),
        count(Feature::OutCount),
        count(Feature::OutPeers),
        time(Feature::Age),
        time(Feature::Idle),
        time(Feature::SinceDeposit),
        share(Feature::Taint),
        cut(value(Feature::ReceiverNew) * 512
            + value(Feature::TargetNew) * 256
            + value(Feature::ExitCount) * 8),
    ]
}
