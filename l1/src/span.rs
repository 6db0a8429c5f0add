//! How many blocks a request for logs covers: as many as the node allows.

/// Blocks in the first request; what public nodes commonly allow.
const FIRST_SPAN: u64 = 10_000;
/// Blocks in any request.
const MAX_SPAN: u64 = 1 << 20;
/// Requests that must succeed after a refusal before a longer one is tried.
const CALM: u32 = 8;

/// How many blocks the next request covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    blocks: u64,
    /// Successes that a longer request must wait for.
    wait: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self { blocks: FIRST_SPAN, wait: 0 }
    }
}

impl Span {
    /// The last block of a request that begins with `from` and must not pass `last`.
    pub(crate) fn end(&self, from: u64, last: u64) -> u64 {
        from.saturating_add(self.blocks - 1).min(last)
    }

    /// A request succeeded.
    pub(crate) fn good(&mut self) {
        if self.wait > 0 {
            self.wait -= 1;
        } else {
            self.blocks = (2 * self.blocks).min(MAX_SPAN);
        }
    }

    /// A request for `asked` blocks covered too much.
    pub(crate) fn refused(&mut self, asked: u64) {
        self.blocks = (asked / 2).max(1);
        self.wait = CALM;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_halves_when_refused_and_grows_when_all_is_calm() {
        let mut span = Span::default();
        span.good();
        assert_eq!(span.blocks, 2 * FIRST_SPAN);
        span.refused(300);
        assert_eq!(span.blocks, 150);
        for _ in 0..CALM {
            span.good();
            assert_eq!(span.blocks, 150);
        }
        span.good();
        assert_eq!(span.blocks, 300);
        span.refused(1);
        assert_eq!(span.blocks, 1);
        assert_eq!((span.end(7, 9), span.end(7, 7)), (7, 7));
        span.wait = 0;
        for _ in 0..40 {
            span.good();
        }
        assert_eq!(span.blocks, MAX_SPAN);
        assert_eq!(span.end(u64::MAX - 1, u64::MAX), u64::MAX);
    }
}
