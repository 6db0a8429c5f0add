//! Circulations with bounds, by Dinic's maximum flow.

use std::collections::VecDeque;

/// An arc of a network: what flows along it lies within `low` and `high`. The sum of all bounds fits 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arc {
    pub from: usize,
    pub to: usize,
    pub low: u128,
    pub high: u128,
}

/// One direction of an arc of the residual network. Arc `i` and its reverse `i ^ 1` stand beside each other.
struct Half {
    to: usize,
    left: u128,
}

struct Network {
    halves: Vec<Half>,
    out: Vec<Vec<usize>>,
}

impl Network {
    fn add(&mut self, from: usize, to: usize, capacity: u128) {
        self.out[from].push(self.halves.len());
        self.halves.push(Half { to, left: capacity });
        self.out[to].push(self.halves.len());
        self.halves.push(Half { to: from, left: 0 });
    }

    /// Distances from the source over what is left, until the sink is found.
    fn levels(&self, source: usize, sink: usize) -> Option<Vec<u32>> {
        let mut level = vec![u32::MAX; self.out.len()];
        level[source] = 0;
        let mut queue = VecDeque::from([source]);
        while let Some(node) = queue.pop_front() {
            for half in self.out[node].iter().map(|&h| &self.halves[h]) {
                if half.left > 0 && level[half.to] == u32::MAX {
                    level[half.to] = level[node] + 1;
                    queue.push_back(half.to);
                }
            }
        }
        (level[sink] != u32::MAX).then_some(level)
    }

    /// Sends along one path of the level graph; returns how much, 0 if none is left.
    fn push(&mut self, source: usize, sink: usize, level: &[u32], next: &mut [usize]) -> u128 {
        let mut path: Vec<usize> = Vec::new();
        let mut node = source;
        while node != sink {
            let Some(&h) = self.out[node].get(next[node]) else {
                // A dead end: go back, and do not come here again.
                let Some(last) = path.pop() else { return 0 };
                node = self.halves[last ^ 1].to;
                next[node] += 1;
                continue;
            };
            let half = &self.halves[h];
            if half.left > 0 && level[half.to] == level[node] + 1 {
                path.push(h);
                node = half.to;
            } else {
                next[node] += 1;
            }
        }
        let sent = path.iter().map(|&h| self.halves[h].left).min().unwrap_or(0);
        for h in path {
            self.halves[h].left -= sent;
            self.halves[h ^ 1].left += sent;
        }
        sent
    }

    fn max_flow(&mut self, source: usize, sink: usize) -> u128 {
        let mut total = 0;
        while let Some(level) = self.levels(source, sink) {
            let mut next = vec![0; self.out.len()];
            loop {
                match self.push(source, sink, &level, &mut next) {
                    0 => break,
                    sent => total += sent,
                }
            }
        }
        total
    }
}

/// A flow on each arc within its bounds, such that as much enters each node as leaves it; `None` if there is
/// none. Nodes are numbered from 0 to below `nodes`.
pub(super) fn circulation(nodes: usize, arcs: &[Arc]) -> Option<Vec<u128>> {
    let (source, sink) = (nodes, nodes + 1);
    let mut network = Network { halves: Vec::new(), out: vec![Vec::new(); nodes + 2] };
    let (mut entering, mut leaving) = (vec![0_u128; nodes], vec![0_u128; nodes]);
    for arc in arcs {
        network.add(arc.from, arc.to, arc.high.checked_sub(arc.low)?);
        entering[arc.to] += arc.low;
        leaving[arc.from] += arc.low;
    }
    // What the lower bounds leave out of balance at a node must flow on over what is left.
    let mut needed = 0;
    for node in 0..nodes {
        let (more, less) = (entering[node], leaving[node]);
        if more > less {
            network.add(source, node, more - less);
            needed += more - less;
        } else if less > more {
            network.add(node, sink, less - more);
        }
    }
    if network.max_flow(source, sink) != needed {
        return None;
    }
    let sent = |i: usize| network.halves[2 * i + 1].left;
    Some(arcs.iter().enumerate().map(|(i, arc)| arc.low + sent(i)).collect())
}

/// Adds flow along circles until each circle has an arc at its upper bound: nobody who could trade more
/// with others at the same prices is left.
pub(super) fn saturate(nodes: usize, arcs: &[Arc], flow: &mut [u128]) {
    let mut out = vec![Vec::new(); nodes];
    for (i, arc) in arcs.iter().enumerate() {
        out[arc.from].push(i);
    }
    let mut next = vec![0; nodes];
    for start in 0..nodes {
        // Depth-first; a node that is left for good lies on no circle any more.
        let mut path: Vec<usize> = Vec::new();
        let mut on_path = vec![usize::MAX; nodes];
        let mut node = start;
        on_path[start] = 0;
        loop {
            let Some(&i) = out[node].get(next[node]) else {
                on_path[node] = usize::MAX;
                let Some(last) = path.pop() else { break };
                node = arcs[last].from;
                next[node] += 1;
                continue;
            };
            if flow[i] >= arcs[i].high {
                next[node] += 1;
                continue;
            }
            let to = arcs[i].to;
            path.push(i);
            if on_path[to] == usize::MAX {
                node = to;
                on_path[to] = path.len();
                continue;
            }
            // A circle: fill it, and go on from where it began.
            let circle = path.split_off(on_path[to]);
            let room = circle.iter().map(|&i| arcs[i].high - flow[i]).min().unwrap_or(0);
            for i in circle {
                flow[i] += room;
                if arcs[i].from != to {
                    on_path[arcs[i].from] = usize::MAX;
                }
            }
            node = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NODES: usize = 4;

    fn arcs() -> impl Strategy<Value = Vec<Arc>> {
        let arc = (0..NODES, 1..NODES, 0_u128..4, 0_u128..4).prop_map(|(from, step, low, room)| {
            Arc { from, to: (from + step) % NODES, low, high: low + room }
        });
        prop::collection::vec(arc, 1..7)
    }

    fn balanced(arcs: &[Arc], flow: &[u128]) -> bool {
        let within = arcs.iter().zip(flow).all(|(a, f)| (a.low..=a.high).contains(f));
        let sum = |end: fn(&Arc) -> usize, node| -> u128 {
            arcs.iter().zip(flow).filter(|(a, _)| end(a) == node).map(|(_, f)| f).sum()
        };
        within && (0..NODES).all(|node| sum(|a| a.from, node) == sum(|a| a.to, node))
    }

    /// Every assignment of flows, counted like an odometer.
    fn any_balanced(arcs: &[Arc]) -> bool {
        let mut flow: Vec<u128> = arcs.iter().map(|a| a.low).collect();
        loop {
            if balanced(arcs, &flow) {
                return true;
            }
            let Some(i) = (0..arcs.len()).find(|&i| flow[i] < arcs[i].high) else { return false };
            flow[i] += 1;
            for j in 0..i {
                flow[j] = arcs[j].low;
            }
        }
    }

    /// Whether a circle of arcs has room, by removing nodes without a way on.
    fn circle(arcs: &[Arc], flow: &[u128]) -> bool {
        let mut alive = [true; NODES];
        for _ in 0..NODES {
            for node in 0..NODES {
                let on = |(a, f): (&Arc, &u128)| a.from == node && *f < a.high && alive[a.to];
                alive[node] &= arcs.iter().zip(flow).any(on);
            }
        }
        alive.contains(&true)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn finds_a_circulation_if_there_is_one(arcs in arcs()) {
            match circulation(NODES, &arcs) {
                Some(mut flow) => {
                    prop_assert!(balanced(&arcs, &flow));
                    saturate(NODES, &arcs, &mut flow);
                    prop_assert!(balanced(&arcs, &flow));
                    prop_assert!(!circle(&arcs, &flow));
                }
                None => prop_assert!(!any_balanced(&arcs)),
            }
        }
    }
}
