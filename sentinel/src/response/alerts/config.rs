//! Channels, as they are configured.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::SecretSource;
use crate::response::ResponseError;

/// All channels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertsConfig {
    /// The channels, by `[[channel]]`.
    #[serde(default)]
    pub channel: Vec<ChannelConfig>,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelConfig {
    /// Its name, which playbooks use.
    pub name: String,
    /// Where it leads.
    pub to: Target,
    /// Alerts a minute, from 1 to 600. Critical ones are counted apart, so that others cannot crowd them out.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// Seconds in which an alert of the same key is not repeated, a day at most.
    #[serde(default = "quiet")]
    pub quiet: u64,
    /// Alerts that wait at most, from 1 to 10 000.
    #[serde(default = "queue")]
    pub queue: usize,
}

fn per_minute() -> u32 {
    20
}

fn quiet() -> u64 {
    300
}

fn queue() -> usize {
    256
}

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Target {
    /// JSON over HTTP, signed with HMAC-SHA256.
    Webhook {
        /// Where.
        url: String,
        /// The shared secret.
        secret: SecretSource,
    },
    /// What Slack, Mattermost and others take.
    Slack {
        /// Where; it is a secret itself.
        url: SecretSource,
    },
    /// Events of PagerDuty, version 2, or of what understands them.
    Pagerduty {
        /// The routing key.
        key: SecretSource,
        /// Where.
        #[serde(default = "pagerduty")]
        url: String,
    },
    /// Mail by SMTP.
    Mail {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        tls: MailTls,
        /// Sender.
        from: String,
        /// Receivers, from 1 to 50.
        to: Vec<String>,
        /// User, if the server wants one.
        #[serde(default)]
        user: Option<String>,
        /// Password, if the server wants one.
        #[serde(default)]
        password: Option<SecretSource>,
    },
    /// Whoever listens in this process: [`Alerts::subscribe`](super::Alerts::subscribe).
    Feed {},
}

fn pagerduty() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS; a server that does not offer it gets nothing.
    Starttls,
    /// None: for a server on this machine alone.
    None,
}

/// How patient deliveries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often an alert is tried, at least once.
    pub attempts: u32,
    /// Until the second attempt; each later one waits twice as long.
    pub first: Duration,
    /// The longest time between attempts, whatever a server asks for.
    pub longest: Duration,
    /// Until an attempt has failed.
    pub timeout: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
        }
    }
}

/// Whether a host is this machine.
pub(super) fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Reads an address. It is not part of the error: it may be a secret.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("its url does not parse: {e}"))?;
    let local = url.host_str().is_some_and(is_local);
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err("its url must begin with https://, or http:// on this machine".into());
    }
    match url.username().is_empty() && url.password().is_none() && url.fragment().is_none() {
        true => Ok(url),
        false => Err("its url must have no user, no password and no fragment".into()),
    }
}

impl AlertsConfig {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`ResponseError::Toml`] and [`ResponseError::Channel`].
    pub fn parse(text: &str) -> Result<Self, ResponseError> {
        let config: Self = toml::from_str(text)
            // Without the text: somebody may have written a secret into it.
            .map_err(|e| ResponseError::Toml { why: format!("channels: {}", e.message()) })?;
        config.check()?;
        Ok(config)
    }

    /// The names of the channels.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.channel.iter().map(|c| c.name.as_str()).collect()
    }

    /// Checks names and ranges.
    ///
    /// # Errors
    /// [`ResponseError::Channel`].
    pub fn check(&self) -> Result<(), ResponseError> {
        let mut names = BTreeSet::new();
        for channel in &self.channel {
            let wrong = |why| ResponseError::Channel { channel: channel.name.clone(), why };
            if !names.insert(&channel.name) {
                return Err(wrong("two channels have this name".into()));
            }
            channel.check().map_err(wrong)?;
        }
        Ok(())
    }
}

impl ChannelConfig {
    fn check(&self) -> Result<(), String> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(good) {
            return Err("a name has 1 to 64 lower-case letters, digits and dashes".into());
        }
        let bounds = [
            ("per-minute", u64::from(self.per_minute), 1, 600),
            ("quiet", self.quiet, 0, 86_400),
            ("queue", self.queue as u64, 1, 10_000),
        ];
        for (what, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(format!("{what} is {value}, but must be from {least} to {most}"));
            }
        }
        match &self.to {
            Target::Webhook { url: text, .. } | Target::Pagerduty { url: text, .. } => {
                url(text).map(drop)
            }
            Target::Mail { host, tls: MailTls::None, .. } if !is_local(host) => {
                Err(format!("mail without TLS is for this machine alone, and {host} is not"))
            }
            Target::Mail { to, .. } if to.is_empty() || to.len() > 50 => {
                Err(format!("it has {} receivers, but must have 1 to 50", to.len()))
            }
            Target::Mail { user, password, .. } if user.is_some() != password.is_some() => {
                Err("user and password belong together".into())
            }
            Target::Mail { .. } | Target::Slack { .. } | Target::Feed {} => Ok(()),
        }
    }
}
