//! Tokens to a condition, by recursive descent with bounded depth.

use bastion_protocol::Kind;

use super::lexer::{Spanned, Token};
use super::{Comparison, Node, Operand, MAX_DEPTH, MAX_NODES};
use crate::features::Feature;
use crate::SentinelError;

struct Parser<'a> {
    tokens: &'a [Spanned],
    next: usize,
    end: usize,
    nodes: usize,
}

pub(super) fn parse(text: &str, tokens: &[Spanned]) -> Result<Node, SentinelError> {
    let mut parser = Parser { tokens, next: 0, end: text.len(), nodes: 0 };
    let node = parser.condition(0)?;
    match parser.peek() {
        None => Ok(node),
        Some(token) => Err(parser.error(format!("{token:?} follows a complete condition"))),
    }
}

/// The name of a kind in conditions.
fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| crate::rules::kind_name(*kind) == name)
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn error(&self, why: impl Into<String>) -> SentinelError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        SentinelError::Condition { at, why: why.into() }
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Name(name)) if name == word);
        self.next += usize::from(is);
        is
    }

    fn is(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.next += usize::from(is);
        is
    }

    fn expect(&mut self, token: &Token) -> Result<(), SentinelError> {
        match self.is(token) {
            true => Ok(()),
            false => Err(self.error(format!("{token:?} is missing"))),
        }
    }

    fn count(&mut self) -> Result<(), SentinelError> {
        self.nodes += 1;
        match self.nodes <= MAX_NODES {
            true => Ok(()),
            false => Err(self.error(format!("it has more than {MAX_NODES} parts"))),
        }
    }

    fn condition(&mut self, depth: usize) -> Result<Node, SentinelError> {
        let mut nodes = vec![self.conjunction(depth)?];
        while self.word("or") {
            self.count()?;
            nodes.push(self.conjunction(depth)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn conjunction(&mut self, depth: usize) -> Result<Node, SentinelError> {
        let mut nodes = vec![self.negation(depth)?];
        while self.word("and") {
            self.count()?;
            nodes.push(self.negation(depth)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
    }

    fn negation(&mut self, depth: usize) -> Result<Node, SentinelError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("it has more than {MAX_DEPTH} levels")));
        }
        if self.word("not") {
            self.count()?;
            return Ok(Node::Not(Box::new(self.negation(depth + 1)?)));
        }
        if self.is(&Token::Open) {
            let node = self.condition(depth + 1)?;
            self.expect(&Token::Close)?;
            return Ok(node);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, SentinelError> {
        self.count()?;
        let left = self.operand()?;
        if self.word("in") {
            self.expect(&Token::Open)?;
            let mut set = vec![self.operand()?];
            while self.is(&Token::Comma) {
                self.count()?;
                set.push(self.operand()?);
            }
            self.expect(&Token::Close)?;
            return Ok(Node::In(left, set));
        }
        let how = self.how()?;
        Ok(Node::Compare(left, how, self.operand()?))
    }

    fn how(&mut self) -> Result<Comparison, SentinelError> {
        match self.peek() {
            Some(Token::Compare(how)) => {
                let how = *how;
                self.next += 1;
                Ok(how)
            }
            _ => Err(self.error("a comparison is missing: one of < <= > >= == != in")),
        }
    }

    fn operand(&mut self) -> Result<Operand, SentinelError> {
        let negative = self.is(&Token::Minus);
        let operand = match self.peek() {
            Some(Token::Int(value)) => Operand::Int(if negative { -value } else { *value }),
            Some(Token::Name(_)) if negative => {
                return Err(self.error("only integers can be negative"))
            }
            Some(Token::Name(name)) => match (Feature::named(name), kind(name)) {
                (Some(feature), _) => Operand::Feature(feature),
                (None, Some(kind)) => Operand::Int(kind as i128),
                (None, None) => {
                    return Err(self.error(format!("`{name}` is no feature and no kind")))
                }
            },
            Some(_) | None => return Err(self.error("a feature or an integer is missing")),
        };
        self.next += 1;
        Ok(operand)
    }
}
