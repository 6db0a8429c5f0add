//! Streams of server-sent events, as far as they are used here.

use std::collections::VecDeque;

use reqwest::{Response, Url};

use super::transport::Client;
use crate::sharing::error::SharingError;
use crate::sharing::stix::MOST_OBJECT;

/// Bytes of an event at most.
const MOST_EVENT: usize = 4 * MOST_OBJECT;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Option<String>,
    /// Its data.
    pub data: String,
}

/// Takes bytes apart into events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    size: usize,
}

impl Parser {
    /// The events that end within the next bytes.
    ///
    /// # Errors
    /// [`SharingError::TooLarge`] for an event that is too long; [`SharingError::Malformed`] for one that
    /// is no text.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, SharingError> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.size += 1;
                if self.size > MOST_EVENT {
                    let what = "an event".to_owned();
                    return Err(SharingError::TooLarge {
                        what,
                        found: self.size,
                        most: MOST_EVENT,
                    });
                }
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line =
                String::from_utf8(line).map_err(|e| SharingError::malformed("an event", e))?;
            events.extend(self.take(line.strip_suffix('\r').unwrap_or(&line)));
        }
        Ok(events)
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (event, has_data) = (std::mem::take(&mut self.event), self.has_data);
            (self.has_data, self.size) = (false, 0);
            return has_data.then_some(event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.name = value.into(),
            "id" => self.event.id = Some(value.into()),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, which shows that the stream is alive, or something that is not used.
            _ => self.size = self.size.saturating_sub(line.len()),
        }
        None
    }
}

/// A stream.
#[derive(Debug)]
pub struct Events {
    client: Client,
    url: Url,
    response: Response,
    parser: Parser,
    waiting: VecDeque<Event>,
}

impl Events {
    pub(super) fn new(client: Client, url: Url, response: Response) -> Self {
        Self { client, url, response, parser: Parser::default(), waiting: VecDeque::new() }
    }

    /// The next event, once it is there; none at the end of the stream. A call that is given up loses
    /// nothing. `Some(None)` is a sign of life without an event.
    ///
    /// # Errors
    /// What becomes of the connection, and events that cannot be read.
    pub async fn next(&mut self) -> Result<Option<Option<Event>>, SharingError> {
        if let Some(event) = self.waiting.pop_front() {
            return Ok(Some(Some(event)));
        }
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|e| self.client.unreachable(&self.url, &e.without_url()))?;
        let Some(chunk) = chunk else { return Ok(None) };
        self.waiting.extend(self.parser.push(&chunk)?);
        Ok(Some(self.waiting.pop_front()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = b": alive\n\nevent: object\nid: 1\ndata: {\"a\":\ndata: 1}\n\nid:2\r\ndata:x\r\n\r\nevent: none\n\n";
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for part in text.chunks(size) {
                events.extend(parser.push(part).unwrap());
            }
            let first =
                Event { name: "object".into(), id: Some("1".into()), data: "{\"a\":\n1}".into() };
            let second = Event { name: String::new(), id: Some("2".into()), data: "x".into() };
            assert_eq!(events, [first, second]);
        }
    }

    #[test]
    fn events_are_bounded_and_life_is_not() {
        let mut parser = Parser::default();
        for _ in 0..200_000 {
            assert!(parser.push(b":alive\n").unwrap().is_empty());
        }
        let error = parser.push(&vec![b'x'; MOST_EVENT + 1]).unwrap_err();
        assert!(matches!(error, SharingError::TooLarge { .. }));
        let mut parser = Parser::default();
        let many = (0..MOST_EVENT).try_for_each(|_| parser.push(b"data:x\n").map(drop));
        assert!(many.is_err());
        assert!(Parser::default().push(b"data: \xff\n\n").is_err());
    }
}
