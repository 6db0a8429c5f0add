//! A market for the demo: traders with an account in each token, and the orders that they sign.

mod blind;
mod dispute;
mod hidden;
mod receipts;
mod reorder;
mod summary;

use std::collections::BTreeSet;

use bastion_auction::sample::Rng;
use bastion_circuits::{Shape, Slots};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::blind::{BURNED_EXIT, BURNED_KEYHASH};
use bastion_protocol::ops::{Action, Body, Deposit, Float, Op, AMOUNT_BITS, FEE_BITS};
use bastion_protocol::{Address, Fr, Index, Kind, Limit, Token};
use bastion_state::state::State;

use crate::block::{Source, Waiting};
use crate::devnet::{dev_exit, dev_key};
use crate::error::NodeError;

pub use blind::{Blinds, Play, Told};
pub use dispute::{Dispute, Operator, Steps};
pub use hidden::{Fate, HiddenOrder};
pub use receipts::{compare, sign_false, Compared};
pub use reorder::{reorder, Reordered};
pub use summary::{summary, Classes, PairSummary, Summary, TokenSummary};

/// What a token stands for in the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coin {
    /// Its name.
    pub name: &'static str,
    /// What one is worth, in cents.
    cents: u128,
    /// Digits behind the point.
    pub decimals: u32,
}

impl Coin {
    /// Smallest units that some cents buy.
    fn units(&self, cents: u128) -> u128 {
        cents * 10u128.pow(self.decimals) / self.cents
    }
}

/// The tokens by their numbers; token 0 is ether.
pub const COINS: [Coin; 5] = [
    Coin { name: "ETH", cents: 300_000, decimals: 18 },
    Coin { name: "USD", cents: 100, decimals: 6 },
    Coin { name: "BTC", cents: 6_000_000, decimals: 8 },
    Coin { name: "SOL", cents: 15_000, decimals: 9 },
    Coin { name: "ARB", cents: 40, decimals: 18 },
];

/// Orders of one trader.
const ORDERS_EACH: usize = 10;
/// What each account begins with, in cents.
const DEPOSIT: u128 = 10_000_000;
/// What is lost with an order that is not revealed, in cents.
const BOND: u128 = 5_000;
/// Limits lie within so much of the fair price, in parts of 65,536: two in a hundred.
const SPREAD: u64 = 1_300;
/// How long orders hold, in seconds.
const VALID: u64 = 3_600;

/// How large a market is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Orders.
    pub orders: usize,
    /// Tokens: at least 2, and no more than [`COINS`].
    pub tokens: usize,
    /// Traders, each with an account in each token.
    pub traders: usize,
    /// Orders that are hidden until the batch is closed, at most: each is the last one of its account.
    pub blind: usize,
}

/// Why a market cannot have a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A shape without orders, or with fewer than two.
    #[error(
        "a batch of shape `{shape}` has no room for a market: give --shape tiny, or --shape market"
    )]
    NoMarket {
        /// The shape.
        shape: String,
    },
    /// A number of orders that do not fit.
    #[error("{wanted} orders: a batch of shape `{shape}` takes 2 to {most} of this market")]
    Orders {
        /// What was asked for.
        wanted: usize,
        /// The most.
        most: usize,
        /// The shape.
        shape: String,
    },
    /// The orders fit, but none of them can be blind.
    #[error("{blind} blind orders: a batch of shape `{shape}` has no room for any beside {orders} orders: give --blind 0, {more}")]
    NoBlind {
        /// What was asked for.
        blind: usize,
        /// Orders.
        orders: usize,
        /// What else helps.
        more: &'static str,
        /// The shape.
        shape: String,
    },
    /// More blind orders than there can be.
    #[error("{blind} blind orders: of {orders} orders at most {most} can be blind (the last one of an account, and as many as the shape has room for): give --blind {most} or less")]
    Blind {
        /// What was asked for.
        blind: usize,
        /// Orders.
        orders: usize,
        /// The most.
        most: usize,
    },
}

impl Size {
    /// The market with some orders that one batch of a shape holds. By default there are 200 orders, or as many
    /// as fit, and a quarter of them is hidden.
    ///
    /// # Errors
    /// [`SizeError`] if there is no room for so many orders or blind ones, or they are fewer than 2.
    pub fn of(
        shape: &Shape,
        orders: Option<usize>,
        blind: Option<usize>,
    ) -> Result<Self, SizeError> {
        let slots = &shape.slots;
        // A quote for each token, and one for each pair.
        let tokens = slots.quotes.isqrt().min(COINS.len());
        let sized = |orders: usize, blind: usize| {
            let traders = orders.div_ceil(ORDERS_EACH).max(2);
            Self { orders, tokens, traders, blind }
        };
        let fits = |size: Self| {
            let made = size.deposits();
            let accounts = made + tokens;
            // Two runs of neighbours, users and fees, and the paths above them.
            let nodes = accounts + 64;
            let kinds = [
                (Kind::DepositNew, made),
                (Kind::Order, size.orders),
                (Kind::Quote, tokens * tokens),
            ];
            let each = kinds.into_iter().flat_map(|(kind, n)| std::iter::repeat_n(kind, n));
            let add = |usage: Slots, kind| usage.with(kind, accounts, nodes, 0);
            each.fold(Slots::empty(), add).fits(slots)
        };
        // What fits with so many blind orders; the smallest shapes have room for none.
        let most_with = |blind: &dyn Fn(usize) -> usize| {
            let mut sizes = (0..=slots.orders).rev().map(|orders| sized(orders, blind(orders)));
            sizes.find(|size| fits(*size)).map_or(0, |size| size.orders)
        };
        let shape = || shape.name.clone();
        let plain = most_with(&|_| 0);
        if tokens < 2 || plain < 2 {
            return Err(SizeError::NoMarket { shape: shape() });
        }
        let quarter = |orders: usize| orders.div_ceil(4);
        let (most, blind) = match blind {
            Some(blind) => (most_with(&|_| blind), blind),
            None => match most_with(&quarter) {
                most if most >= 2.max(orders.unwrap_or(0)) => {
                    (most, quarter(orders.unwrap_or(most.min(200))))
                }
                _ => (plain, 0),
            },
        };
        let wanted = orders.unwrap_or(most.clamp(2, 200));
        if wanted < 2 || wanted > plain {
            return Err(SizeError::Orders { wanted, most: plain, shape: shape() });
        }
        // The orders fit, so it is blind ones that do not.
        let room = (0..=blind.min(tokens)).rev().find(|blind| fits(sized(wanted, *blind)));
        // Accounts for forfeits take room, one for each token at most.
        let room = room.map_or(0, |room| if room == tokens { wanted } else { room });
        match blind.min(wanted).min(room) {
            most if most == blind => Ok(sized(wanted, blind)),
            0 => {
                let more = match wanted {
                    2 => "or --shape market",
                    _ => "fewer --orders, or --shape market",
                };
                Err(SizeError::NoBlind { blind, orders: wanted, more, shape: shape() })
            }
            most => Err(SizeError::Blind { blind, orders: wanted, most }),
        }
    }

    /// The same, if as many of the orders of a seed can be blind: only the last one of an account can, and a seed does
    /// not give every account an order.
    ///
    /// # Errors
    /// Those of [`Size::of`], and [`SizeError::Blind`] if fewer can be blind than were asked for.
    pub fn seeded(
        shape: &Shape,
        orders: Option<usize>,
        blind: Option<usize>,
        seed: u64,
    ) -> Result<Self, SizeError> {
        let Some(asked) = blind else {
            return Self::of(shape, orders, None);
        };
        let size = match Self::of(shape, orders, blind) {
            Err(SizeError::Blind { orders, most, .. }) => {
                Self::of(shape, Some(orders), Some(most))?
            }
            other => other?,
        };
        let drafts = drafts(&size, &mut Rng::new(seed));
        let accounts: BTreeSet<_> = drafts.iter().map(|d| (d.trader, d.pair[0])).collect();
        match size.blind.min(accounts.len()) {
            most if most < asked => {
                Err(SizeError::Blind { blind: asked, orders: size.orders, most })
            }
            _ => Ok(size),
        }
    }

    /// Deposits: one for each account of a trader, and for each one that forfeits are paid to.
    fn deposits(&self) -> usize {
        self.traders * self.tokens + self.blind.min(self.tokens)
    }
}

/// Deposits, then signed orders.
pub struct Market {
    deposits: Vec<Op>,
    orders: Vec<Op>,
    hidden: Vec<HiddenOrder>,
    /// An order that is signed like the others and that no batch takes.
    left_out: Op,
    next: usize,
    waiting: Waiting,
}

/// Signs orders, each with the nonce of its account.
struct Signers {
    size: Size,
    domain: Fr,
    deadline: u64,
    nonces: Vec<u32>,
}

impl Signers {
    fn account(&self, trader: usize, token: usize) -> Index {
        FIRST_USER + (trader * self.size.tokens + token) as Index
    }

    fn order(
        &mut self,
        trader: usize,
        [sell, buy]: [usize; 2],
        amount: u128,
        asked: u128,
    ) -> Result<Op, NodeError> {
        let (sold, bought) = (COINS[sell], COINS[buy]);
        let unit = |coin: Coin, other: Coin| other.cents * 10u128.pow(coin.decimals);
        let limit = Limit::of(unit(bought, sold) * asked, unit(sold, bought) << 16)?;
        let (account, to) = (self.account(trader, sell), self.account(trader, buy));
        let nonce = &mut self.nonces[trader * self.size.tokens + sell];
        let body = Body {
            account,
            token: sell as Token,
            nonce: *nonce,
            deadline: self.deadline,
            fee: rounded(sold.units(2), FEE_BITS),
            action: Action::Order {
                to,
                buy: buy as Token,
                amount: rounded(amount, AMOUNT_BITS),
                limit,
            },
        };
        *nonce += 1;
        let (key, exit) = trader_keys(trader);
        Ok(Op::Signed(body.sign(&key, self.domain, exit)?))
    }
}

/// The largest number that has a float and is not above `value`.
fn rounded(value: u128, bits: u32) -> u128 {
    Float::floor(value, bits).value().unwrap_or(0)
}

fn trader_keys(trader: usize) -> (bastion_protocol::keys::SecretKey, Address) {
    let name = format!("trader {trader}");
    (dev_key(&name), dev_exit(&name))
}

/// An order before it is signed.
struct Draft {
    trader: usize,
    pair: [usize; 2],
    amount: u128,
    asked: u128,
}

/// Random orders. The first two are willing, and want opposite things.
fn drafts(size: &Size, rng: &mut Rng) -> Vec<Draft> {
    let tokens = size.tokens.min(COINS.len());
    let mut drafts = Vec::with_capacity(size.orders);
    let mut pair = [0, 1];
    for i in 0..size.orders {
        pair.reverse();
        if i % 2 == 0 && i > 0 {
            let first = rng.below(tokens as u64) as usize;
            let others = (tokens as u64).saturating_sub(1);
            pair = [first, (first + 1 + rng.below(others) as usize) % tokens];
        }
        let better = if i < 2 { 0 } else { rng.below(2 * SPREAD + 1) };
        let asked = u128::from(65_536 - SPREAD + better);
        // From one to eight parts in a hundred of what the account has, so that it can pay all its orders.
        let cents = DEPOSIT / 100 + u128::from(rng.below(DEPOSIT as u64 * 7 / 100));
        let amount = COINS[pair[0]].units(cents);
        drafts.push(Draft { trader: i % size.traders, pair, amount, asked });
    }
    drafts
}

impl Market {
    /// Random orders, the same for the same seed. The first two are willing, and want opposite things.
    ///
    /// # Errors
    /// Those of signing.
    pub fn new(size: Size, domain: Fr, time: u64, seed: u64) -> Result<Self, NodeError> {
        let Size { orders, tokens, traders, blind } = size;
        let tokens = tokens.min(COINS.len());
        let mut deposits = Vec::with_capacity(traders * tokens);
        for trader in 0..traders {
            let (key, exit) = trader_keys(trader);
            let keyhash = key.public().keyhash();
            deposits.extend((0..).zip(&COINS[..tokens]).map(|(token, coin)| {
                Op::Deposit(Deposit { token, amount: coin.units(DEPOSIT), keyhash, exit })
            }));
        }
        let nonces = vec![0; traders * tokens];
        let mut signers = Signers { size, domain, deadline: time + VALID, nonces };
        let mut rng = Rng::new(seed);
        let mut signed = Vec::with_capacity(orders);
        for Draft { trader, pair, amount, asked } in drafts(&size, &mut rng) {
            signed.push(signers.order(trader, pair, amount, asked)?);
        }
        let left_out = signers.order(0, [0, 1], COINS[0].units(DEPOSIT / 50), 65_536)?;
        let chosen = hidden::last_of_accounts(blind, &signed);
        let burned: BTreeSet<Token> = chosen.iter().map(|(_, body)| body.token).collect();
        deposits.extend(burned.iter().map(|token| {
            let (keyhash, exit) = (BURNED_KEYHASH, BURNED_EXIT);
            let amount = COINS[usize::from(*token)].units(BOND);
            Op::Deposit(Deposit { token: *token, amount, keyhash, exit })
        }));
        let hidden = hidden::hide(&size, domain, chosen, &burned, &mut rng)?;
        Ok(Self {
            deposits,
            orders: signed,
            hidden,
            left_out,
            next: 0,
            waiting: Waiting::default(),
        })
    }

    /// What the traders bring to L1, in order.
    pub fn deposits(&self) -> &[Op] {
        &self.deposits
    }

    /// The orders, in order.
    pub fn orders(&self) -> &[Op] {
        &self.orders
    }

    /// The orders that are hidden, in order.
    pub fn hidden(&self) -> &[HiddenOrder] {
        &self.hidden
    }

    /// An order of the first trader that is none of [`Market::orders`].
    pub fn left_out(&self) -> &Op {
        &self.left_out
    }
}

impl Source for Market {
    fn next(&mut self, _: &State) -> Result<Option<(String, Op)>, NodeError> {
        let n = self.next;
        self.next += 1;
        let op = match n.checked_sub(self.deposits.len()) {
            None => self.deposits.get(n),
            Some(place) => self.orders.get(place),
        };
        Ok(op.map(|op| (format!("operation {}", n + 1), *op)))
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

#[cfg(test)]
mod tests;
