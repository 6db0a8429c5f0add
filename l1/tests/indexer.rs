//! An indexer against a chain that reorganizes at any moment, and against the embedded one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use alloy::primitives::{keccak256, Address, Bytes, LogData, B256, U256};
use bastion_l1::{
    At, Cursor, EmbeddedL1, Event, Finality, Indexer, L1Error, Pin, ReadLogs, SendL1, DEV_OPERATOR,
};
use proptest::prelude::*;

const CONTRACT: Address = Address::repeat_byte(1);
const DEPTH: u64 = 4;

/// Something that happens to a chain.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// New blocks.
    Grow(u64),
    /// The last blocks are replaced by as many, and one more.
    Reorg(u64),
}

/// A chain in which something may happen before each request.
struct Fake {
    blocks: Vec<(Pin, Vec<Event>)>,
    acts: Vec<Act>,
    made: u64,
    /// Blocks that a request for logs may cover.
    most: u64,
    /// How many of its logs each request for logs gives at most, from the last on; later ones give all.
    lossy: Vec<usize>,
}

impl Fake {
    fn new(acts: Vec<Act>, most: u64) -> Self {
        let mut chain = Self { blocks: Vec::new(), acts, made: 0, most, lossy: Vec::new() };
        chain.grow(1);
        chain
    }

    fn grow(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.made += 1;
            let number = self.blocks.len() as u64;
            let block = Pin { number, hash: keccak256(self.made.to_be_bytes()), time: self.made };
            let event = |index| Event {
                address: CONTRACT,
                data: LogData::new_unchecked(Vec::new(), self.made.to_be_bytes().to_vec().into()),
                transaction: block.hash,
                index,
                block,
            };
            // Blocks without logs, too.
            let events = (0..self.made % 3).map(event).collect();
            self.blocks.push((block, events));
        }
    }

    fn act(&mut self) {
        match self.acts.pop() {
            Some(Act::Grow(blocks)) => self.grow(blocks),
            Some(Act::Reorg(depth)) => {
                // The first block stays.
                let depth = depth.min(self.blocks.len() as u64 - 1);
                self.blocks.truncate(self.blocks.len() - depth as usize);
                self.grow(depth + 1);
            }
            None => {}
        }
    }

    fn holds(&self, cursor: Cursor) -> bool {
        self.blocks.get(cursor.number as usize).is_some_and(|(pin, _)| pin.hash == cursor.hash)
    }

    /// All logs up to a block.
    fn up_to(&self, last: u64) -> Vec<Event> {
        let blocks = self.blocks.iter().take(last as usize + 1);
        blocks.flat_map(|(_, events)| events.clone()).collect()
    }
}

impl ReadLogs for Fake {
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error> {
        self.act();
        Ok(match at {
            At::Number(number) => self.blocks.get(number as usize).map(|(pin, _)| *pin),
            At::Latest => self.blocks.last().map(|(pin, _)| *pin),
            At::Settled | At::Safe | At::Finalized => None,
        })
    }

    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.act();
        assert_eq!(of, [CONTRACT]);
        if to - from >= self.most {
            let asked = bastion_l1::Asked::once("eth_getLogs", "http://h:1".into());
            return Err(L1Error::TooLong { asked, limit: 1 });
        }
        let inside = self.blocks.iter().filter(|(pin, _)| (from..=to).contains(&pin.number));
        let all = inside.flat_map(|(_, events)| events.clone());
        Ok(all.take(self.lossy.pop().unwrap_or(usize::MAX)).collect())
    }
}

fn act(deepest: u64) -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u64..=6).prop_map(Act::Grow),
        (1..=deepest).prop_map(Act::Reorg),
        Just(Act::Grow(0)),
    ]
}

fn indexer() -> Indexer {
    Indexer::from_block(0, vec![CONTRACT], Finality::Tag { otherwise: DEPTH })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Above the depth nothing is noticed: all logs come once, in order.
    #[test]
    fn reorganizations_above_the_depth_are_not_noticed(
        acts in prop::collection::vec(act(DEPTH), 0..120),
        most in 1_u64..9,
    ) {
        let mut chain = Fake::new(acts, most);
        let mut indexer = indexer();
        let mut events = Vec::new();
        loop {
            let quiet = chain.acts.is_empty();
            match indexer.next(&mut chain).unwrap() {
                Some(chunk) => {
                    events.extend(chunk.events);
                    prop_assert!(chain.holds(chunk.cursor));
                    prop_assert_eq!(&events, &chain.up_to(chunk.cursor.number));
                }
                None if quiet => break,
                None => {}
            }
        }
        let last = (chain.blocks.len() as u64 - 1).checked_sub(DEPTH);
        prop_assert_eq!(indexer.cursor().map(|c| c.number), last);
    }

    /// Below it each one is noticed, whenever it happens, and undone up to the block named.
    #[test]
    fn reorganizations_below_the_depth_are_undone(
        acts in prop::collection::vec(act(3 * DEPTH), 0..120),
        most in 1_u64..9,
    ) {
        let mut chain = Fake::new(acts, most);
        let mut indexer = indexer();
        let mut events: Vec<Event> = Vec::new();
        let mut cursors: Vec<Cursor> = Vec::new();
        loop {
            let quiet = chain.acts.is_empty();
            match indexer.next(&mut chain) {
                Ok(Some(chunk)) => {
                    events.extend(chunk.events);
                    cursors.push(chunk.cursor);
                    // It may be gone again already; if it is not, all before it is right.
                    if chain.holds(chunk.cursor) {
                        prop_assert_eq!(&events, &chain.up_to(chunk.cursor.number));
                    }
                }
                Ok(None) if quiet => break,
                Ok(None) => {}
                Err(L1Error::Reorg { common: Some(common), .. }) => {
                    events.retain(|event| event.block.number <= common.number);
                    cursors.retain(|cursor| cursor.number < common.number);
                    let of = vec![CONTRACT];
                    indexer = Indexer::resume(common, of, Finality::Depth(DEPTH))
                        .with_known(cursors.clone());
                    cursors.push(common);
                }
                Err(L1Error::Reorg { common: None, .. }) => {
                    events.clear();
                    cursors.clear();
                    indexer = self::indexer();
                }
                Err(other) => panic!("{other}"),
            }
        }
        let last = (chain.blocks.len() as u64 - 1).checked_sub(DEPTH);
        prop_assert_eq!(indexer.cursor().map(|c| c.number), last);
        prop_assert_eq!(events, last.map_or_else(Vec::new, |last| chain.up_to(last)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A node gives a part of the logs, and the contract counts all of them.
    #[test]
    fn logs_that_a_node_lacks_are_noticed_by_a_check(
        acts in prop::collection::vec(act(DEPTH), 0..60),
        most in 1_u64..9,
        lossy in prop::collection::vec(0_usize..6, 0..20),
    ) {
        let mut chain = Fake { lossy, ..Fake::new(acts, most) };
        let mut indexer = indexer();
        let mut events: Vec<Event> = Vec::new();
        loop {
            let quiet = chain.acts.is_empty() && chain.lossy.is_empty();
            let before = indexer.cursor();
            let next = indexer.next_checked(&mut chain, |chain, chunk| {
                let pin = chunk.pin();
                assert_eq!((pin.number, pin.hash), (chunk.cursor.number, chunk.cursor.hash));
                let counted = chain.up_to(pin.number).len();
                match events.len() + chunk.events.len() == counted {
                    true => Ok(()),
                    false => Err(L1Error::NoNamed { name: "sound" }),
                }
            });
            match next {
                Ok(Some(chunk)) => {
                    events.extend(chunk.events);
                    prop_assert_eq!(&events, &chain.up_to(chunk.cursor.number));
                }
                Ok(None) if quiet => break,
                Ok(None) => {
                    // Nothing is asked for while there is nothing new.
                    if chain.acts.is_empty() {
                        chain.grow(1);
                    }
                }
                Err(L1Error::NoNamed { name: "sound" }) => prop_assert_eq!(indexer.cursor(), before),
                Err(other) => panic!("{other}"),
            }
        }
        let last = (chain.blocks.len() as u64 - 1).checked_sub(DEPTH);
        prop_assert_eq!(events, last.map_or_else(Vec::new, |last| chain.up_to(last)));
    }
}

#[test]
fn a_common_block_lies_before_the_cursor() {
    let mut chain = Fake::new(vec![Act::Grow(200)], 9);
    chain.act();
    let there = |number: u64| {
        let (pin, _) = chain.blocks[number as usize];
        Cursor { number, hash: pin.hash }
    };
    let gone = |number| Cursor { number, hash: B256::ZERO };
    let mut cases = vec![
        (vec![there(100), there(101), gone(99)], None),
        (vec![there(101), there(98), there(97), gone(99)], Some(there(98))),
    ];
    // The last 64 are kept.
    for (newer, common) in [(63, Some(there(1))), (64, None)] {
        let newer = (100 - newer..100).map(gone);
        cases.push((std::iter::once(there(1)).chain(newer).collect(), common));
    }
    for (known, expected) in cases {
        let mut indexer = Indexer::resume(gone(100), vec![CONTRACT], Finality::Depth(DEPTH))
            .with_known(known.clone());
        match indexer.next(&mut chain).unwrap_err() {
            L1Error::Reorg { block: 100, common } => assert_eq!(common, expected, "{known:?}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn the_embedded_chain_is_followed_and_gone_on_with() {
    let mut l1 = EmbeddedL1::new(1_800_000_000);
    // Logs its calldata.
    let code: &[u8] = &[
        0x6b, 0x36, 0x60, 0, 0x60, 0, 0x37, 0x60, 7, 0x36, 0x60, 0, 0xa1, 0x60, 0, 0x52, 0x60, 12,
        0x60, 20, 0xf3,
    ];
    let mut deploy = || l1.deploy(DEV_OPERATOR, Bytes::copy_from_slice(code)).unwrap().0;
    let (one, other) = (deploy(), deploy());
    let send = |l1: &mut EmbeddedL1, to, byte: u8| {
        l1.send(DEV_OPERATOR, to, U256::ZERO, vec![byte].into()).unwrap();
    };
    send(&mut l1, one, 1);
    send(&mut l1, other, 2);
    let finality = Finality::Tag { otherwise: 0 };
    let mut indexer = Indexer::from_block(0, vec![one], finality);
    let chunk = indexer.next(&mut l1).unwrap().unwrap();
    let [event] = &chunk.events[..] else { panic!("{:?}", chunk.events) };
    assert_eq!((event.block.number, event.index, &event.data.data[..]), (3, 0, &[1][..]));
    assert_eq!(event.data.topics(), [B256::with_last_byte(7)]);
    assert_eq!((chunk.cursor.number, chunk.time), (4, 1_800_000_000));
    assert_eq!(indexer.next(&mut l1).unwrap(), None);
    // Another process goes on.
    send(&mut l1, one, 3);
    let mut indexer = Indexer::resume(chunk.cursor, vec![one, other], finality);
    let chunk = indexer.next(&mut l1).unwrap().unwrap();
    let [event] = &chunk.events[..] else { panic!("{:?}", chunk.events) };
    assert_eq!((event.block.number, &event.data.data[..]), (5, &[3][..]));
    // A cursor of another chain is none of this one.
    let foreign = Cursor { hash: B256::ZERO, ..chunk.cursor };
    let error = Indexer::resume(foreign, vec![one], finality).next(&mut l1).unwrap_err();
    assert!(matches!(error, L1Error::Reorg { block: 5, common: None }), "{error}");
}
