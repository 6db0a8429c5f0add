//! A small mail server on this machine.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// What a server says.
#[derive(Clone, Copy)]
struct Manners {
    extensions: &'static [&'static str],
    /// Answer to the receiver's address.
    rcpt: &'static str,
}

const PLAIN: Manners = Manners { extensions: &["AUTH PLAIN LOGIN"], rcpt: "250 ok" };

/// Speaks just enough SMTP, and tells every line that it reads.
async fn serve(manners: Manners) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, manners, tell.clone()));
        }
    });
    (port, lines)
}

async fn talk(
    stream: tokio::net::TcpStream,
    manners: Manners,
    tell: mpsc::UnboundedSender<String>,
) {
    let mut stream = BufReader::new(stream);
    let mut data = false;
    stream.write_all(b"220 test\r\n").await.unwrap();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_owned();
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match (data, word.as_str()) {
            (true, ".") => "250 taken".to_owned(),
            (true, _) => String::new(),
            (false, "EHLO") => {
                let all = manners.extensions.iter().map(|e| format!("250-{e}\r\n"));
                format!("{}250 SIZE 1000000", all.collect::<String>())
            }
            (false, "AUTH") => "235 welcome".to_owned(),
            (false, "RCPT") => manners.rcpt.to_owned(),
            (false, "DATA") => "354 go on".to_owned(),
            (false, "QUIT") => "221 bye".to_owned(),
            (false, _) => "250 ok".to_owned(),
        };
        data = if data { line != "." } else { word == "DATA" };
        tell.send(line).unwrap();
        if !answer.is_empty() {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }
}

fn mail(folder: &Path, port: u16, tls: MailTls) -> Target {
    Target::Mail {
        host: "localhost".into(),
        port,
        tls,
        from: "Sentinel <sentinel@example.org>".into(),
        to: vec!["one@example.org".into(), "two@example.org".into()],
        user: Some("user".into()),
        password: Some(secret_file(folder, SECRET)),
    }
}

fn all(lines: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| lines.try_recv().ok()).collect()
}

#[tokio::test]
async fn mail_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut lines) = serve(PLAIN).await;
    let (alerts, deliveries) = start(mail(folder.path(), port, MailTls::None));
    let mut sent = alert("a");
    sent.title = "evil\r\nBcc: third@example.org".into();
    sent.text = "one\n.\nQUIT\r\nRCPT TO:<third@example.org>".into();
    alerts.send("ops", &sent).unwrap();
    assert!(deliveries.finish(Duration::from_secs(10)).await);
    assert_eq!(alerts.counts()["ops"].delivered, 1);
    let lines = all(&mut lines);
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("MAIL FROM:<sentinel@example.org>"), "{lines:?}");
    assert!(has("RCPT TO:<one@example.org>") && has("RCPT TO:<two@example.org>"));
    assert!(has("AUTH PLAIN"));
    assert!(lines.iter().any(|line| line.starts_with("Subject: [warning] evil")), "{lines:?}");
    assert!(lines.iter().any(|line| line == "detector: rule.drain"), "{lines:?}");
    // A text of the attacker adds no header, no receiver and no command.
    assert!(!lines.iter().any(|line| line.starts_with("Bcc")));
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("RCPT") && line.contains("third")).count(),
        1,
        "{lines:?}"
    );
    let end = lines.iter().position(|line| line == ".").unwrap();
    assert!(
        lines[..end].iter().any(|line| line == "..")
            && lines[..end].iter().any(|line| line == "QUIT")
    );
    assert!(
        lines[..end].iter().any(|line| line.starts_with("RCPT TO:<third")),
        "it is part of the text"
    );
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_to_a_server_that_must_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut lines) = serve(PLAIN).await;
    let (alerts, deliveries) = start(mail(folder.path(), port, MailTls::Starttls));
    alerts.send("ops", &alert("a")).unwrap();
    assert!(deliveries.finish(Duration::from_secs(10)).await);
    assert_eq!(alerts.counts()["ops"].failed, 1);
    let lines = all(&mut lines);
    assert!(!lines.is_empty());
    assert!(!lines.iter().any(|l| l.starts_with("AUTH") || l.starts_with("MAIL")), "{lines:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (tls, extensions) in
        [(MailTls::Tls, &["AUTH PLAIN"][..]), (MailTls::Starttls, &["STARTTLS", "AUTH PLAIN"])]
    {
        let (port, mut lines) = serve(Manners { extensions, rcpt: "250 ok" }).await;
        let (alerts, deliveries) = start(mail(folder.path(), port, tls));
        alerts.send("ops", &alert("a")).unwrap();
        assert!(deliveries.finish(Duration::from_secs(30)).await);
        assert_eq!(alerts.counts()["ops"].failed, 1);
        let lines = all(&mut lines);
        assert!(!lines.iter().any(|l| l.starts_with("AUTH") || l.starts_with("MAIL")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_not_repeated_and_one_for_now_is() {
    let folder = tempfile::tempdir().unwrap();
    for (rcpt, attempts) in [("550 no such user", 1), ("450 try later", 3)] {
        let (port, mut lines) = serve(Manners { rcpt, ..PLAIN }).await;
        let (alerts, deliveries) = start(mail(folder.path(), port, MailTls::None));
        alerts.send("ops", &alert("a")).unwrap();
        assert!(deliveries.finish(Duration::from_secs(10)).await);
        assert_eq!(alerts.counts()["ops"].failed, 1);
        let tried = all(&mut lines).iter().filter(|line| line.starts_with("MAIL")).count();
        assert_eq!(tried, attempts, "{rcpt}");
    }
}

#[tokio::test]
async fn addresses_are_checked_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let Target::Mail { host, port, tls, to, user, password, .. } =
        mail(folder.path(), 25, MailTls::None)
    else {
        panic!()
    };
    let to_bad = Target::Mail { host, port, tls, from: "nobody".into(), to, user, password };
    let config = AlertsConfig { channel: vec![channel("ops", to_bad)] };
    let error = Alerts::start(&config, patience(), &Handle::current()).unwrap_err().to_string();
    assert!(error.contains("`nobody` is no address"), "{error}");
}
