use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{Decision, Reason, SentinelError, Verdict};

fn note(text: &str) -> Finding {
    Finding::Note { subject: "test".into(), text: text.into() }
}

fn all() -> Vec<Finding> {
    let reason = Reason {
        detector: "rule.x".into(),
        version: "1".into(),
        score: 5,
        evidence: vec![("a".into(), "ä\n\"".into())],
    };
    let decision = Decision::Quarantine { until: 7 };
    vec![
        Finding::Verdict {
            operation: Hash([1; 32]),
            verdict: Verdict { decision, reasons: vec![reason] },
        },
        Finding::Released { operation: Hash([1; 32]), by: "time".into() },
        Finding::Frozen { account: 5, until: 9, evidence: vec![Hash([2; 32])] },
        Finding::Unfrozen { account: 5, reason: "mistake".into() },
        Finding::Rules { version: "3:ab".into(), reason: "published".into() },
        note("x"),
    ]
}

fn start() -> Hash {
    genesis(&[9; 32])
}

#[test]
fn entries_survive_and_the_chain_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings");
    let (mut log, opened) = FindingsLog::open(&path, start()).unwrap();
    assert_eq!((opened.entries, log.is_empty(), log.head()), (0, true, start()));
    for (i, finding) in all().into_iter().enumerate() {
        log.append(i as u64, finding).unwrap();
    }
    log.sync().unwrap();
    let head = log.head();
    drop(log);
    let (log, opened) = FindingsLog::open(&path, start()).unwrap();
    assert_eq!((opened, log.head(), log.len()), (Opened { entries: 6, cut: 0 }, head, 6));
    let mut entries = Vec::new();
    assert_eq!(read(&path, start(), |e| entries.push(e.clone())).unwrap(), (head, 6));
    let findings: Vec<Finding> = entries.iter().map(|e| e.finding.clone()).collect();
    assert_eq!(findings, all());
    let bytes: Vec<Vec<u8>> = entries.iter().map(|e| e.to_bytes().unwrap()).collect();
    let parts = || bytes.iter().map(Vec::as_slice);
    assert_eq!(verify(start(), 0, parts()).unwrap(), head);
    // Another order, a missing entry and another start do not verify.
    assert!(verify(start(), 0, parts().rev()).is_err());
    assert!(verify(start(), 0, parts().skip(1)).is_err());
    assert_ne!(verify(genesis(&[8; 32]), 0, parts()).unwrap(), head);
    assert!(matches!(
        FindingsLog::open(&path, genesis(&[8; 32])),
        Err(SentinelError::Log { entry: 0, .. })
    ));
}

#[test]
fn an_unfinished_record_is_cut_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings");
    let (mut log, _) = FindingsLog::open(&path, start()).unwrap();
    let first = log.append(1, note("first")).unwrap();
    let kept = fs::metadata(&path).unwrap().len();
    log.append(2, note("second")).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (log, opened) = FindingsLog::open(&path, start()).unwrap();
        let entries = u64::from(length as u64 >= kept);
        assert_eq!(opened.entries, entries, "{length}");
        assert_eq!(log.head(), if entries == 1 { first } else { start() });
        // And the log goes on.
        drop(log);
        let (mut log, opened) = FindingsLog::open(&path, start()).unwrap();
        assert_eq!(opened.cut, 0);
        log.append(3, note("third")).unwrap();
        drop(log);
        assert_eq!(FindingsLog::open(&path, start()).unwrap().1.entries, entries + 1);
    }
    // Zeros where the record should be, and a head that never reached the disk.
    let mut zeros = whole[..kept as usize].to_vec();
    zeros.resize(whole.len(), 0);
    fs::write(&path, &zeros).unwrap();
    assert_eq!(FindingsLog::open(&path, start()).unwrap().1.entries, 1);
    let mut headless = whole.clone();
    let end = headless.len();
    headless[end - 32..].fill(0);
    fs::write(&path, &headless).unwrap();
    assert_eq!(FindingsLog::open(&path, start()).unwrap().1.entries, 1);
}

#[test]
fn any_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("findings");
    let (mut log, _) = FindingsLog::open(&path, start()).unwrap();
    for text in ["one", "two", "three"] {
        log.append(1, note(text)).unwrap();
    }
    let (head, whole) = (log.head(), fs::read(&path).unwrap());
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        // A length that points beyond the end looks like a record that was cut; the head tells.
        match read(&path, start(), |_| {}) {
            Err(_) => {}
            Ok((found, _)) => assert_ne!(found, head, "byte {place}"),
        }
    }
}

#[test]
fn too_large_entries_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = FindingsLog::open(&folder.path().join("log"), start()).unwrap();
    let large = note(&"x".repeat(MAX_ENTRY));
    assert!(matches!(log.append(1, large), Err(SentinelError::Log { .. })));
    log.append(1, note("small")).unwrap();
    assert_eq!(log.len(), 1);
}

#[test]
fn other_bytes_are_no_entry() {
    let entry = Entry { number: 3, at_ms: 1, finding: note("x") };
    let text = String::from_utf8(entry.to_bytes().unwrap()).unwrap();
    assert_eq!(Entry::from_bytes(3, text.as_bytes()).unwrap(), entry);
    assert!(Entry::from_bytes(4, text.as_bytes()).is_err());
    for other in [text.replace(':', ": "), text.replace("\"number\"", "\"extra\":1,\"number\"")] {
        assert!(Entry::from_bytes(3, other.as_bytes()).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_opening_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut content = [b"BSTNFND1".as_slice(), &start().0].concat();
        content.extend(bytes);
        fs::write(&path, content).unwrap();
        let _ = FindingsLog::open(&path, start());
    }
}
