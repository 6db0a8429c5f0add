//! What a scene, an attack or an honest event, needs to be written.

use bastion_protocol::{Address, Token};

use super::cast::{Book, Cast, Person};
use super::clock::{Span, HOUR};
use super::label::{Family, Label, LookAlike, Part, Role};
use super::script::{Amount, Deed, Script};
use super::Random;

/// The trunk of an attack: a hold there stops all that follows.
pub const TRUNK: u16 = 0;

/// Where a scene plays.
pub struct Stage<'s> {
    /// People.
    pub cast: &'s mut Cast,
    /// What is usual.
    pub book: &'s Book,
    /// Where the scene is written.
    pub script: &'s mut Script,
    /// Dice.
    pub random: Random,
    /// When it may play.
    pub span: Span,
    /// How many others an honest person of the rows behaves like; see [`Cast::alias`].
    pub aliases: u64,
    /// Number of the scene.
    pub id: u32,
}

impl Stage<'_> {
    /// Somebody new.
    pub fn stranger(&mut self) -> Person {
        let exit = self.random.address();
        self.cast.join(exit)
    }

    /// An honest person who is no hub, and a token of his.
    pub fn somebody(&mut self) -> (Person, Token) {
        let (address, token) = self.book.sender(&mut self.random);
        let k = self.random.skewed(self.aliases);
        (self.cast.alias(address, k, &mut self.random), token)
    }

    /// An exchange or a pool, and a token of its.
    pub fn hub(&mut self) -> (Person, Token) {
        let (address, token) = self.book.hub(&mut self.random);
        (self.cast.alias(address, 0, &mut self.random), token)
    }

    /// An amount between two quantiles in thousandths.
    pub fn amount(&mut self, token: Token, low: u64, high: u64) -> u128 {
        self.book.amount(token, low, high, &mut self.random)
    }

    /// An honest person who gets a deposit worth stealing in the hours before, and then lives on until
    /// the time. Before the span begins nobody would notice.
    pub fn victim(&mut self, at: u64) -> (Person, Token, u128) {
        let (victim, token) = self.free();
        let amount = self.fund(victim, token, at);
        (victim, token, amount)
    }

    /// As [`Stage::victim`], with a given token.
    pub fn victim_of(&mut self, token: Token, at: u64) -> Person {
        let victim = self.free().0;
        self.fund(victim, token, at);
        victim
    }

    /// Somebody whom no other scene counts on.
    fn free(&mut self) -> (Person, Token) {
        for _ in 0..100 {
            let (person, token) = self.somebody();
            if self.script.reserved.insert(person) {
                return (person, token);
            }
        }
        let (person, token) = (self.stranger(), self.somebody().1);
        self.script.reserved.insert(person);
        (person, token)
    }

    /// A deposit worth stealing, in the hours before: 2 to 32 times a large amount of the token.
    pub fn fund(&mut self, who: Person, token: Token, at: u64) -> u128 {
        let amount = self.amount(token, 800, 990) << self.random.between(1, 5);
        let before = self.random.between(HOUR, 12 * HOUR).min(at);
        self.ordinary(at - before, Deed::Deposit { who, token, amount });
        amount
    }

    /// An everyday deed.
    pub fn ordinary(&mut self, at: u64, deed: Deed) {
        self.script.wish(at, Label::Ordinary, deed);
    }

    /// An honest deed that looks like an attack.
    pub fn alike(&mut self, at: u64, kind: LookAlike, deed: Deed) {
        self.script.wish(at, Label::LookAlike(kind), deed);
    }

    /// A later time: between two lengths after `at`.
    pub fn later(&mut self, at: u64, low: u64, high: u64) -> u64 {
        at + self.random.between(low, high)
    }

    /// The hand that writes an attack.
    pub fn attack(&mut self, family: Family) -> Hand<'_> {
        let id = self.id;
        Hand { script: self.script, family, id }
    }
}

/// Writes the operations of one attack.
pub struct Hand<'s> {
    script: &'s mut Script,
    family: Family,
    id: u32,
}

impl Hand<'_> {
    /// Any deed.
    pub fn deed(&mut self, at: u64, lane: u16, role: Role, deed: Deed) {
        let part = Part { family: self.family, id: self.id, lane, role };
        self.script.wish(at, Label::Attack(part), deed);
    }

    /// One pays another.
    pub fn pay(
        &mut self,
        at: u64,
        (lane, role): (u16, Role),
        (from, to): (Person, Person),
        token: Token,
        amount: Amount,
    ) {
        self.deed(at, lane, role, Deed::Pay { from, to, token, amount, forged: 0 });
    }

    /// Money goes to L1, out of reach.
    pub fn leave(
        &mut self,
        at: u64,
        lane: u16,
        who: Person,
        token: Token,
        to: Address,
        share: u64,
    ) {
        let amount = Amount::Share(share);
        self.deed(at, lane, Role::Lose, Deed::Leave { who, token, to, amount });
    }

    /// Says how much is out of reach after the last deed, where that is not its amount.
    pub fn loses(&mut self, amount: u128) {
        if let Some(wish) = self.script.wishes.last_mut() {
            wish.loses = Some(amount);
        }
    }

    /// From then on the victim does nothing of his own.
    pub fn robs(&mut self, victim: Person, at: u64) {
        self.script.robbed.push((victim, at));
    }
}
