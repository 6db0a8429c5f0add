//! The rows of a batch's orders and quotes, from what the executor found.

use bastion_auction::{Class, TokenQuote};
use bastion_protocol::records::Section;
use bastion_state::executor::{BatchTrace, Flow, OrderTrace, QuoteTrace};

use crate::auction::order::{OrderRow, Priced};
use crate::auction::quote::QuoteRow;
use crate::auction::Posted;
use crate::witness::convert::{small, wide};

/// The rows of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) orders: Vec<OrderRow>,
    pub(super) quotes: Vec<QuoteRow>,
}

impl Rows {
    /// Those of a batch whose L2 records are where `mode` says: 1 for a blob.
    pub(super) fn of(trace: &BatchTrace, mode: u64) -> Self {
        let mut rows = Self::default();
        let mut position = 0;
        for op in &trace.ops {
            rows.orders.extend(op.order.map(|order| order_row(&order, position, mode)));
            rows.quotes.extend(op.quote.map(|quote| quote_row(&quote, position, mode)));
            position += op.kind.records(Section::L2) as u64;
        }
        rows
    }

    /// The largest key of a quote, 0 if there is none.
    pub(super) fn last_key(&self) -> u64 {
        self.quotes.iter().map(QuoteRow::key).max().unwrap_or(0)
    }
}

fn order_row(order: &OrderTrace, position: u64, mode: u64) -> OrderRow {
    let OrderTrace { limit, ruling, .. } = *order;
    let priced = |quote: TokenQuote| Priced { market: quote.market, price: quote.price };
    let sum = |flow: Flow| wide(flow.sold) - wide(flow.paid);
    let marginal = ruling.class == Some(Class::Marginal);
    OrderRow {
        posted: Posted {
            sell: small(order.sell.into()),
            buy: small(order.buy.into()),
            amount: wide(order.amount),
            sold: wide(order.sold),
            paid: wide(order.paid),
            word: wide(limit.word()),
            position: small(position),
            mode: small(mode),
        },
        limit: (limit.mantissa(), limit.exponent()),
        prices: order.quotes.map(priced),
        inside: ruling.class == Some(Class::Inside),
        marginal,
        fraction: if marginal { ruling.part } else { 0 },
        due: ruling.due,
        payment: ruling.payment,
        fits: ruling.fits,
        flows: order.before.map(sum),
    }
}

fn quote_row(quote: &QuoteTrace, position: u64, mode: u64) -> QuoteRow {
    QuoteRow {
        sell: quote.quote.a,
        buy: quote.quote.b,
        value: quote.quote.value,
        surplus: wide(quote.surplus),
        position,
        mode,
        last_key: quote.previous.unwrap_or(0),
        uses: quote.uses,
    }
}
