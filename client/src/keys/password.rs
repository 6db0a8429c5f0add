//! Where the password of a key file comes from.

use std::fs;
use std::io::IsTerminal;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::error::ClientError;

/// Characters of a new password at least.
const LEAST: usize = 8;

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// The terminal.
    Prompt,
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl PasswordSource {
    /// The password of a file that exists.
    ///
    /// # Errors
    /// [`ClientError::Password`], [`ClientError::File`].
    pub fn read(&self) -> Result<Zeroizing<String>, ClientError> {
        let password = match self {
            Self::Prompt => prompt("Password: ")?,
            Self::File(path) => {
                let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|source| {
                    ClientError::File { action: "read", path: path.clone(), source }
                })?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
            Self::Variable(name) => {
                let value = std::env::var(name)
                    .map_err(|e| bad(format!("environment variable {name} cannot be read: {e}")))?;
                Zeroizing::new(value)
            }
        };
        match password.is_empty() {
            true => Err(bad("it is empty".into())),
            false => Ok(password),
        }
    }

    /// The password of a new file: on a terminal it is asked for twice.
    ///
    /// # Errors
    /// [`ClientError::Password`] if it is short, or the second one is another; those of
    /// [`PasswordSource::read`].
    pub fn read_new(&self) -> Result<Zeroizing<String>, ClientError> {
        let password = self.read()?;
        if password.chars().count() < LEAST {
            return Err(bad(format!("it has fewer than {LEAST} characters: choose a longer one")));
        }
        if *self == Self::Prompt && prompt("The same again: ")? != password {
            return Err(bad("the second one is another: nothing was written".into()));
        }
        Ok(password)
    }
}

fn prompt(text: &str) -> Result<Zeroizing<String>, ClientError> {
    if !std::io::stdin().is_terminal() {
        return Err(bad(
            "there is no terminal to ask: name a file (--password-file) or set BASTION_WALLET_PASSWORD".into()
        ));
    }
    rpassword::prompt_password(text).map(Zeroizing::new).map_err(|e| bad(e.to_string()))
}

fn bad(why: String) -> ClientError {
    ClientError::Password { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_comes_from_the_first_line_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let source = PasswordSource::File(path.clone());
        assert!(matches!(source.read().unwrap_err(), ClientError::File { .. }));
        fs::write(&path, "correct horse\r\nmore\n").unwrap();
        assert_eq!(source.read_new().unwrap().as_str(), "correct horse");
        fs::write(&path, "short\n").unwrap();
        assert_eq!(source.read().unwrap().as_str(), "short");
        assert!(source.read_new().is_err());
        fs::write(&path, "").unwrap();
        assert!(source.read().is_err());
    }

    #[test]
    fn a_variable_must_be_there() {
        let error = PasswordSource::Variable("BASTION_NO_SUCH".into()).read().unwrap_err();
        assert!(error.to_string().contains("BASTION_NO_SUCH"), "{error}");
    }
}
