//! Names with stars.

/// A pattern in which `*` stands for any characters, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the whole name fits. Takes time in proportion to the product of the lengths at most.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut p, mut n) = (0, 0);
        // Behind the last star, and how far its characters reach.
        let mut back: Option<(usize, usize)> = None;
        while n < name.len() {
            match (pattern.get(p), back) {
                (Some(b'*'), _) => {
                    p += 1;
                    back = Some((p, n));
                }
                (Some(c), _) if *c == name[n] => (p, n) = (p + 1, n + 1),
                (_, Some((star, reached))) => {
                    (p, n) = (star, reached + 1);
                    back = Some((star, reached + 1));
                }
                (_, None) => return false,
            }
        }
        pattern[p..].iter().all(|c| *c == b'*')
    }
}
