//! The stream of events (server-sent events).

use reqwest::Response;

use super::transport::{why, Transport};
use crate::error::ClientError;
use crate::types::Event;

const PATH: &str = "/v1/events";
/// Bytes of an event at most.
const MOST: usize = 1 << 20;

/// Events as they come. The stream ends when the node hangs up; the caller opens another one.
#[derive(Debug)]
pub struct Events {
    transport: Transport,
    response: Response,
    parser: Parser,
}

impl Events {
    pub(super) async fn open(transport: &Transport) -> Result<Self, ClientError> {
        let response = transport.stream(PATH).await?;
        Ok(Self { transport: transport.clone(), response, parser: Parser::default() })
    }

    /// The next event; none at the end of the stream. Events of names that this version does not know
    /// are passed over.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the connection breaks, [`ClientError::Malformed`].
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        let request = format!("GET {PATH}");
        loop {
            while let Some((name, data)) = self.parser.take() {
                let read = Event::read(&name, &data);
                let read = read.map_err(|e| self.transport.malformed(&request, e.to_string()))?;
                if let Some(event) = read {
                    return Ok(Some(event));
                }
            }
            let chunk = self.response.chunk().await;
            let chunk = chunk.map_err(|e| self.transport.unreachable(&request, why(e)))?;
            let Some(chunk) = chunk else {
                return Ok(None);
            };
            if !self.parser.push(&chunk) {
                let why = format!("an event of more than {MOST} bytes");
                return Err(self.transport.malformed(&request, why));
            }
        }
    }
}

/// Reads the lines of a stream of events.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
    done: std::collections::VecDeque<(String, String)>,
}

impl Parser {
    /// Takes bytes in; false if an event gets too long.
    fn push(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte => self.line.push(*byte),
            }
            if self.line.len() + self.data.len() > MOST {
                return false;
            }
        }
        true
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            if !data.is_empty() {
                self.done.push_back((name, data));
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = value.to_owned(),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }

    fn take(&mut self) -> Option<(String, String)> {
        self.done.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let text =
            ": hello\r\n\nevent: a\ndata: 1\n\nevent:b\r\ndata: 2\r\ndata:3\r\n\r\ndata: x\n";
        for cut in 1..text.len() {
            let mut parser = Parser::default();
            for part in text.as_bytes().chunks(cut) {
                assert!(parser.push(part));
            }
            assert_eq!(parser.take(), Some(("a".into(), "1".into())));
            assert_eq!(parser.take(), Some(("b".into(), "2\n3".into())));
            assert_eq!(parser.take(), None, "the last one has not ended");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        assert!(!parser.push(&vec![b'x'; MOST + 1]));
    }
}
