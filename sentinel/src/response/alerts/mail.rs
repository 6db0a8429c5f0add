//! Mail by SMTP.

use std::time::SystemTime;

use lettre::message::{header::ContentType, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::channel::Failure;
use super::{form, http::chain, Alert, MailTls, Patience, Secret};

/// A mail server, and who gets mail from it.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    patience: Patience,
}

impl Mail {
    pub(super) fn new(
        (host, port, tls): (&str, u16, MailTls),
        (from, to): (&str, &[String]),
        login: Option<(String, Secret)>,
        patience: Patience,
    ) -> Result<Self, String> {
        let builder = match tls {
            MailTls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(host),
            MailTls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host),
            MailTls::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)),
        };
        let mut builder =
            builder.map_err(|e| chain(&e))?.port(port).timeout(Some(patience.timeout));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user, password.reveal().to_owned()));
        }
        let address = |text: &str| {
            text.parse::<Mailbox>().map_err(|e| format!("`{text}` is no address: {e}"))
        };
        let to = to.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
        Ok(Self { transport: builder.build(), from: address(from)?, to, patience })
    }

    pub(super) async fn deliver(&self, alert: &Alert) -> Result<(), Failure> {
        let broken = |why: String| Failure { why, again: false, after: None };
        let mut message = Message::builder()
            .from(self.from.clone())
            .date(SystemTime::now())
            .subject(form::headline(alert))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.body(form::mail(alert)).map_err(|e| broken(e.to_string()))?;
        // The server's own timeout is for each command.
        match tokio::time::timeout(self.patience.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            // A server that refuses for good says 5xx.
            Ok(Err(e)) => Err(Failure { again: !e.is_permanent(), why: chain(&e), after: None }),
            Err(_) => {
                Err(Failure { why: "the server takes too long".into(), again: true, after: None })
            }
        }
    }
}
