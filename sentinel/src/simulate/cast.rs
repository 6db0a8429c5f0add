//! The people of a simulation, and what is known about the real ones.

use std::collections::{BTreeMap, HashMap};

use bastion_protocol::{Address, Token};

use super::{Random, Rows, SimulateError};

/// A person: a number for an exit address.
pub type Person = u32;

/// A key: the person who has it, and how many that person had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId {
    /// Who knows the secret.
    pub person: Person,
    /// 0 for the first.
    pub version: u32,
}

/// Everybody who takes part, by exit address.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    exits: Vec<Address>,
    aliases: HashMap<(Address, u64), Person>,
}

impl Cast {
    /// The exit address of a person.
    #[must_use]
    pub fn exit(&self, person: Person) -> Address {
        self.exits.get(person as usize).copied().unwrap_or_default()
    }

    /// All exit addresses by person.
    #[must_use]
    pub fn exits(&self) -> &[Address] {
        &self.exits
    }

    /// A new person with this exit address.
    pub fn join(&mut self, exit: Address) -> Person {
        self.exits.push(exit);
        (self.exits.len() - 1) as Person
    }

    /// The `k`-th person who behaves as an address of the rows does; the 0-th is itself.
    pub fn alias(&mut self, address: Address, k: u64, random: &mut Random) -> Person {
        if let Some(person) = self.aliases.get(&(address, k)) {
            return *person;
        }
        let exit = if k == 0 { address } else { random.address() };
        let person = self.join(exit);
        self.aliases.insert((address, k), person);
        person
    }
}

/// What the rows tell about tokens and people.
#[derive(Debug, Clone)]
pub struct Book {
    /// Sorted amounts by token.
    amounts: BTreeMap<Token, Vec<u128>>,
    /// Tokens that are used most, best first.
    popular: Vec<Token>,
    /// How often an address takes part.
    degrees: HashMap<Address, u32>,
    /// Busiest addresses, with a token of theirs.
    hubs: Vec<(Address, Token)>,
    /// Everybody else who sends, with a token of theirs.
    senders: Vec<(Address, Token)>,
}

/// From so many rows on, an address is a hub: an exchange, a pool, a router.
const HUB: u32 = 20;

impl Book {
    /// Reads the rows.
    ///
    /// # Errors
    /// [`SimulateError::NoRows`].
    pub fn new(rows: &Rows) -> Result<Self, SimulateError> {
        let mut amounts: BTreeMap<Token, Vec<u128>> = BTreeMap::new();
        let mut degrees: HashMap<Address, u32> = HashMap::new();
        for row in rows.iter() {
            amounts.entry(row.token).or_default().push(row.amount);
            *degrees.entry(row.from).or_default() += 1;
            *degrees.entry(row.to).or_default() += 1;
        }
        amounts.values_mut().for_each(|a| a.sort_unstable());
        let mut popular: Vec<Token> = amounts.keys().copied().collect();
        popular.sort_by_key(|t| (usize::MAX - amounts.get(t).map_or(0, Vec::len), *t));
        let most = amounts.values().map(Vec::len).max().unwrap_or(0);
        // Of rare tokens nothing is known that an attack could hide in.
        popular.retain(|t| amounts.get(t).map_or(0, Vec::len) * 200 >= most);
        popular.truncate(10);
        let mut seen = std::collections::BTreeSet::new();
        let (mut hubs, mut senders) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|r| popular.contains(&r.token)) {
            if seen.insert((row.from, row.token)) {
                let busy = degrees.get(&row.from).is_some_and(|d| *d >= HUB);
                if busy { &mut hubs } else { &mut senders }.push((row.from, row.token));
            }
        }
        if senders.is_empty() {
            senders.clone_from(&hubs);
        }
        if hubs.is_empty() {
            hubs.clone_from(&senders);
        }
        match senders.is_empty() {
            true => Err(SimulateError::NoRows),
            false => Ok(Self { amounts, popular, degrees, hubs, senders }),
        }
    }

    /// Whether an address is a hub.
    #[must_use]
    pub fn is_hub(&self, address: Address) -> bool {
        self.degrees.get(&address).is_some_and(|d| *d >= HUB)
    }

    /// A hub and a token that it sends.
    pub fn hub(&self, random: &mut Random) -> (Address, Token) {
        random.pick(&self.hubs).copied().unwrap_or_default()
    }

    /// Somebody else, and a token that is sent.
    pub fn sender(&self, random: &mut Random) -> (Address, Token) {
        random.pick(&self.senders).copied().unwrap_or_default()
    }

    /// A token, those that are used more before the others.
    pub fn token(&self, random: &mut Random) -> Token {
        let n = random.skewed(self.popular.len() as u64) as usize;
        self.popular.get(n).copied().unwrap_or_default()
    }

    /// An amount of a token between two quantiles in thousandths, stretched by up to an octave.
    pub fn amount(&self, token: Token, low: u64, high: u64, random: &mut Random) -> u128 {
        let Some(sorted) = self.amounts.get(&token).filter(|a| !a.is_empty()) else {
            return 1;
        };
        let last = sorted.len() - 1;
        let at = random.between(low, high).min(1000) as usize * last / 1000;
        let amount = sorted.get(at).copied().unwrap_or(1);
        // No amount is so large that a rollup with all of them could overflow.
        random.stretch(amount.min(1 << 100), 1)
    }
}
