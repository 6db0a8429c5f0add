//! What honest watchers and others earn, and for which parameters honesty pays best.
//!
//! `cargo run --release -p bastion-sentinel --example rewards`

use bastion_sentinel::rewards::{
    simulation::{Knob, Strategy, Study},
    Params, RewardError,
};

fn main() -> Result<(), RewardError> {
    let (study, base) = (Study { samples: 256, ..Study::default() }, Params::default());
    let all: Vec<Strategy> = Strategy::COVERED.into_iter().chain(Strategy::OPEN).collect();
    let region = study.compare(&base, &all)?;
    println!("| agent | profit per epoch | honesty better by | error | honesty is best |");
    println!("|---|---:|---:|---:|---|");
    println!("| {} | {:.1} | | | |", Strategy::Honest, region.honest);
    for m in &region.margins {
        let verdict = if m.holds() { "yes" } else { "no" };
        println!(
            "| {} | {:.1} | {:.3} | {:.3} | {verdict} |",
            m.strategy, m.profit, m.margin, m.error
        );
    }

    println!("\n| parameter | value | honest | best other | its profit | honesty is best | what breaks it |");
    println!("|---|---:|---:|---|---:|---|---|");
    for knob in Knob::ALL {
        for (value, region) in study.sweep(&base, knob, knob.values())? {
            let best = region.margins.iter().max_by(|a, b| a.profit.total_cmp(&b.profit));
            let (name, profit) =
                best.map_or((String::new(), 0.0), |m| (m.strategy.to_string(), m.profit));
            let broken: Vec<String> = region.broken().map(|m| m.strategy.to_string()).collect();
            let verdict = if region.inside() { "yes" } else { "no" };
            let (knob, honest, broken) = (knob.name(), region.honest, broken.join(", "));
            println!(
                "| {knob} | {value} | {honest:.1} | {name} | {profit:.1} | {verdict} | {broken} |"
            );
        }
    }
    Ok(())
}
