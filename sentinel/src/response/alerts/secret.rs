//! Secrets, which no log shows.

use std::io::Read;
use std::path::PathBuf;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::response::ResponseError;

/// Most bytes of a secret.
const MAX: u64 = 4096;

/// A secret. It is wiped from memory when it is no longer needed, and its debug output is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A secret from a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text. Write it nowhere.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Where a secret is: `{ file = "path" }` or `{ env = "NAME" }`. A configuration never holds one itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// In a file; a line break at its end is not part of it.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

impl SecretSource {
    /// Reads it.
    ///
    /// # Errors
    /// [`ResponseError::Secret`], which names the place and never the content.
    pub fn read(&self) -> Result<Secret, ResponseError> {
        let place = match self {
            Self::File(path) => path.display().to_string(),
            Self::Env(name) => format!("${name}"),
        };
        let fail = |why: String| ResponseError::Secret { place: place.clone(), why };
        let text =
            match self {
                Self::File(path) => {
                    let mut text = Zeroizing::new(String::new());
                    let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
                    let read = file.take(MAX + 1).read_to_string(&mut text);
                    read.map_err(|e| fail(e.to_string()))?;
                    text
                }
                Self::Env(name) => {
                    let text = std::env::var(name);
                    Zeroizing::new(text.map_err(|_| {
                        fail("the variable is not set, or is no text; set it".into())
                    })?)
                }
            };
        if text.len() as u64 > MAX {
            return Err(fail(format!(
                "it is longer than {MAX} bytes; it is probably another file"
            )));
        }
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(fail("it is empty; write the secret there".into())),
            text if text.chars().any(char::is_control) => {
                Err(fail("it has control characters or several lines; write one line".into()))
            }
            text => Ok(Secret::new(text)),
        }
    }
}
