//! Which orders of the market are hidden, and what becomes of them.

use std::collections::BTreeSet;

use bastion_auction::sample::Rng;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::blind::{conceal, BlindError, Hidden};
use bastion_protocol::ops::{Body, Op, AMOUNT_BITS};
use bastion_protocol::{Fr, Index, Token};

use super::{rounded, trader_keys, Size, BOND, COINS};
use crate::error::NodeError;

/// What becomes of a hidden order when the batch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its owner reveals it to the operator.
    Revealed,
    /// The operator does not hear its owner, who reveals it on L1.
    OnL1,
    /// Its owner keeps it, and loses the forfeit.
    Withheld,
}

/// A hidden order of the market.
#[derive(Debug, Clone)]
pub struct HiddenOrder {
    /// Which of the orders it is.
    pub place: usize,
    /// What the operator gets, and what the owner keeps.
    pub hidden: Hidden,
    /// What becomes of it.
    pub fate: Fate,
}

/// The last orders that are the last ones of their accounts, with their places.
pub(super) fn last_of_accounts(blind: usize, orders: &[Op]) -> Vec<(usize, Body)> {
    let (mut later, mut places) = (BTreeSet::new(), Vec::new());
    for (place, op) in orders.iter().enumerate().rev() {
        if let Op::Signed(signed) = op {
            if later.insert(signed.body.account) && places.len() < blind {
                places.push((place, signed.body));
            }
        }
    }
    places.reverse();
    places
}

/// Hides orders. Of three or more, one is revealed on L1 and one is kept; of two, one is revealed on L1. `burned` are
/// the tokens with an account for forfeits, in the order of these accounts.
pub(super) fn hide(
    size: &Size,
    domain: Fr,
    orders: Vec<(usize, Body)>,
    burned: &BTreeSet<Token>,
    rng: &mut Rng,
) -> Result<Vec<HiddenOrder>, NodeError> {
    let failed = |why: BlindError| NodeError::Receipt { why: why.to_string() };
    let count = orders.len();
    let mut hidden = Vec::with_capacity(count);
    for (n, (place, body)) in orders.into_iter().enumerate() {
        let fate = match n {
            0 if count > 1 => Fate::OnL1,
            1 if count > 2 => Fate::Withheld,
            _ => Fate::Revealed,
        };
        let sell = usize::from(body.token);
        let trader = place % size.traders;
        let own = |token: usize| FIRST_USER + (trader * size.tokens + token) as Index;
        let paid = (0..size.tokens).filter(|token| *token != sell).map(own).collect();
        let rank = burned.range(..body.token).count();
        let burned = FIRST_USER + (size.traders * size.tokens + rank) as Index;
        let bond = rounded(COINS[sell].units(BOND), AMOUNT_BITS);
        let order = conceal(body, [rng.bits(), rng.bits()]).map_err(failed)?;
        let (key, _) = trader_keys(trader);
        let order = Hidden::new(order, paid, (burned, bond), &key, domain).map_err(failed)?;
        hidden.push(HiddenOrder { place, hidden: order, fate });
    }
    Ok(hidden)
}
