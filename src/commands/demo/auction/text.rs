//! The report of the auction for people.

use bastion_node::market::COINS;
use bastion_protocol::Token;
use comfy_table::{presets, CellAlignment, Table};

use super::Report;
use crate::commands::srs_line;
use crate::commands::wallet::amount;

/// Worth of one in dollars is shown, dollars being token 1.
const DOLLARS: Token = 1;

fn name(token: Token) -> &'static str {
    COINS.get(usize::from(token)).map_or("?", |coin| coin.name)
}

/// Units of a token as whole coins with four digits.
fn coins(token: Token, units: u128) -> String {
    let decimals = COINS.get(usize::from(token)).map_or(0, |coin| coin.decimals);
    let unit = 10u128.pow(decimals);
    let digits = units % unit * 10_000 / unit;
    format!("{}.{digits:04}", units / unit)
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(head);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn tokens(r: &Report) -> Table {
    let mut table = table(&["token", "USD", "sell orders", "sold", "paid", "surplus"]);
    for t in &r.auction.tokens {
        let price = match r.auction.rate(t.token, DOLLARS) {
            Some(rate) => format!("{rate:.6}"),
            None if t.price == 0 => "suspended".into(),
            None => format!("market {}", t.market),
        };
        let amount = |units| coins(t.token, units);
        let surplus = format!("{} units", t.surplus);
        table.add_row(vec![
            t.name.to_string(),
            price,
            t.orders.to_string(),
            amount(t.sold),
            amount(t.paid),
            surplus,
        ]);
    }
    table
}

fn pairs(r: &Report) -> Table {
    let head = [
        "pair",
        "inside",
        "at the margin",
        "outside",
        "suspended",
        "filled",
        "part",
        "sold",
        "paid",
    ];
    let mut table = table(&head);
    for p in &r.auction.pairs {
        let part = p.fraction.map_or("-".into(), |n| format!("{:.4}", n as f64 / 2f64.powi(32)));
        let c = &p.classes;
        table.add_row(vec![
            format!("{} for {}", name(p.sell), name(p.buy)),
            c.inside.to_string(),
            c.marginal.to_string(),
            c.outside.to_string(),
            (c.suspended + c.apart).to_string(),
            c.filled.to_string(),
            part,
            coins(p.sell, p.sold),
            coins(p.buy, p.paid),
        ]);
    }
    table
}

pub(super) fn text(r: &Report) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    let mut row = |name: &str, value: String| {
        table.add_row(vec![name.to_string(), value]);
    };
    let (c, g, t, d) = (&r.auction.classes, &r.gas, &r.timings, &r.dispute);
    row(
        "orders",
        format!("{} of {} traders, after {} deposits", r.auction.orders, r.traders, r.deposits),
    );
    row(
        "by class",
        format!(
            "{} inside, {} at the margin, {} outside, {} suspended",
            c.inside,
            c.marginal,
            c.outside,
            c.suspended + c.apart
        ),
    );
    row("filled", format!("{}, whole or in part", c.filled));
    row(
        "cleared in other orders",
        format!("{}: the same prices and fills in {}", r.reordered.tried, r.reordered.same),
    );
    let b = &r.blind;
    if b.orders > 0 {
        row(
            "blind orders",
            format!(
                "{}: {} revealed to the operator, {} on L1, {} forfeited",
                b.orders, b.revealed, b.on_l1, b.forfeited
            ),
        );
        row(
            "a blind receipt; an opening",
            format!("{:.1} ms; {:.1} ms (99 of 100)", b.receipt_ms, b.reveal_ms),
        );
    }
    if b.on_l1 > 0 {
        row("gas: an opening on L1", b.reveal_gas.to_string());
    }
    row("receipts", format!("{}, and L1 shows {} kept", r.receipts.receipts, r.receipts.kept));
    row("operations of the batch", format!("{} (shape {})", r.operations, r.shape));
    row("finalized root", r.finalized_root.clone());
    row("contract", r.contract.clone());
    row("reference string", srs_line(&r.srs, r.unsafe_dev_srs));
    row("setup; execute", format!("{:.1} s; {:.2} s", r.setup_seconds, r.execute_seconds));
    row(
        "witness; batch proof; block proof",
        format!("{:.1} s; {:.1} s; {:.1} s", t.witness, t.prove, t.aggregate),
    );
    row("total", format!("{:.1} s", r.total_seconds));
    row(
        "an order",
        format!("{} cells, {} posted bytes", r.cost.cells_per_order, r.cost.posted_bytes_per_order),
    );
    row("gas: deposits", g.deposits.to_string());
    row("gas: commit, prove and finalize", format!("{}, {}", g.commit, g.prove));
    row("gas of an order", g.per_order.to_string());
    row("audit from L1 data", r.audit.to_string());
    let place = d.place;
    row(
        "a false receipt",
        format!(
            "block {}, batch {}, position {}: {}",
            place.block, place.batch, place.position, d.fault
        ),
    );
    row("the operator's bond", format!("{}, then {}", ether(d.bond), ether(d.bond_after)));
    row("the stranger's reward", ether(d.reward));
    row("gas: bond, announce, report", format!("{}, {}, {}", g.bond, d.gas.announce, d.gas.report));
    format!("{}\n{}\n{table}", tokens(r), pairs(r))
}

fn ether(wei: u128) -> String {
    amount::shown(wei, 0)
}
