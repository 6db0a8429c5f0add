//! A channel that is ready to deliver.

use std::time::{Duration, SystemTime};

use bastion_protocol::hash::keccak;
use reqwest::{Client, Url};

use super::mail::Mail;
use super::{config, form, http, sign, Alert, Patience, Secret, Target};
use super::{DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::response::ResponseError;

/// Why an attempt failed, without secrets.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    /// Whether another attempt may help.
    pub(super) again: bool,
    /// How long the server asks to wait.
    pub(super) after: Option<Duration>,
}

/// A channel over the network. It has no debug output: it holds secrets.
pub(super) enum Channel {
    Webhook { client: Client, url: Url, secret: Secret },
    Slack { client: Client, url: Url },
    Pagerduty { client: Client, url: Url, key: Secret },
    Mail(Box<Mail>),
}

impl Channel {
    /// Reads the secrets of a target, and makes it ready. A feed is none.
    pub(super) fn new(
        name: &str,
        target: &Target,
        patience: Patience,
    ) -> Result<Option<Self>, ResponseError> {
        let wrong = |why| ResponseError::Channel { channel: name.to_owned(), why };
        let client = || http::client(&patience).map_err(wrong);
        Ok(Some(match target {
            Target::Webhook { url, secret } => Self::Webhook {
                client: client()?,
                url: config::url(url).map_err(wrong)?,
                secret: secret.read()?,
            },
            Target::Slack { url } => Self::Slack {
                client: client()?,
                url: config::url(url.read()?.reveal()).map_err(wrong)?,
            },
            Target::Pagerduty { key, url } => Self::Pagerduty {
                client: client()?,
                url: config::url(url).map_err(wrong)?,
                key: key.read()?,
            },
            Target::Mail { host, port, tls, from, to, user, password } => {
                let login = match (user, password) {
                    (Some(user), Some(password)) => Some((user.clone(), password.read()?)),
                    (Some(_) | None, _) => None,
                };
                let mail =
                    Mail::new((host, *port, *tls), (from, to), login, patience).map_err(wrong)?;
                Self::Mail(Box::new(mail))
            }
            Target::Feed {} => return Ok(None),
        }))
    }

    /// Tries once.
    pub(super) async fn deliver(&self, alert: &Alert) -> Result<(), Failure> {
        match self {
            Self::Webhook { client, url, secret } => {
                let body = form::webhook(alert).to_string().into_bytes();
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let time = since.unwrap_or_default().as_secs();
                let signature = sign::sign(secret, time, &body).map_err(|e| Failure {
                    why: e.to_string(),
                    again: false,
                    after: None,
                })?;
                let headers = [
                    (TIMESTAMP_HEADER, time.to_string()),
                    (SIGNATURE_HEADER, signature),
                    (DELIVERY_HEADER, hex::encode(&keccak(&[&body])[..16])),
                ];
                http::post(client, url, body, &headers).await
            }
            Self::Slack { client, url } => {
                http::post(client, url, form::slack(alert).to_string().into_bytes(), &[]).await
            }
            Self::Pagerduty { client, url, key } => {
                let body = form::pagerduty(alert, key.reveal());
                http::post(client, url, body.to_string().into_bytes(), &[]).await
            }
            Self::Mail(mail) => mail.deliver(alert).await,
        }
    }
}
