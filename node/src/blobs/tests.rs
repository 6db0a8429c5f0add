//! Sources that lie, lack, or do not answer, over real HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use bastion_audit::blob::BLOB_BYTES;
use bastion_prover::ErrorClass;
use serde_json::json;

use super::*;

/// A blob that differs by its first value, and its hash.
fn blob(first: u8) -> ([u8; 32], Vec<u8>) {
    let mut bytes = vec![0; BLOB_BYTES];
    bytes[31] = first;
    (versioned_hash(&bytes).unwrap(), bytes)
}

fn wanted(versioned_hash: [u8; 32]) -> Wanted {
    // Slot 100 of a chain that began at 1,000.
    Wanted { versioned_hash, l1_block: 77, time: 1_000 + 100 * 12 + 11 }
}

fn text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A server of fixed answers: status and body by path; 404 for all others. Every path that was asked is
/// noted.
fn server(answers: Vec<(&'static str, u16, Vec<u8>)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: BTreeMap<_, _> =
        answers.into_iter().map(|(p, s, b)| (p.to_owned(), (s, b))).collect();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let target = first.split(' ').nth(1).unwrap().to_owned();
            let path = target.split('?').next().unwrap().to_owned();
            log.lock().unwrap().push(target);
            let missing = (404, b"nothing".to_vec());
            let (status, body) = answers.get(&path).cloned().unwrap_or(missing);
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    (url, asked)
}

fn json_of(value: serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

const GENESIS: &str = "/eth/v1/beacon/genesis";
const SPEC: &str = "/eth/v1/config/spec";
const NEW: &str = "/eth/v1/beacon/blobs/100";
const OLD: &str = "/eth/v1/beacon/blob_sidecars/100";

/// A beacon node whose answers at slot 100 are these.
fn beacon(mut answers: Vec<(&'static str, u16, Vec<u8>)>) -> (Blobs, Arc<Mutex<Vec<String>>>) {
    answers.push((GENESIS, 200, json_of(json!({"data": {"genesis_time": "1000"}}))));
    answers.push((SPEC, 200, json_of(json!({"data": {"SECONDS_PER_SLOT": "12"}}))));
    let (url, asked) = server(answers);
    (Blobs::none().with_beacon(&url).unwrap(), asked)
}

fn refusal(blobs: &mut Blobs, hash: [u8; 32]) -> NodeError {
    assert_eq!(blobs.fetch(&wanted(hash)), None);
    blobs.reasons.remove(&hash).unwrap()
}

#[test]
fn a_beacon_node_is_asked_in_the_form_that_it_knows() {
    let ((own, bytes), (_, other)) = (blob(1), blob(2));
    let newer = json!({"finalized": true, "data": [text(&other), text(&bytes)]});
    let (mut blobs, asked) = beacon(vec![(NEW, 200, json_of(newer))]);
    assert_eq!(blobs.fetch(&wanted(own)).as_ref(), Some(&bytes));
    assert_eq!(blobs.fetch(&wanted(own)).as_ref(), Some(&bytes));
    let query = format!("{NEW}?versioned_hashes={}", text(&own));
    assert_eq!(*asked.lock().unwrap(), [GENESIS, SPEC, &query, &query]);

    let sidecar = |bytes: &[u8]| json!({"index": "0", "blob": text(bytes), "kzg_proof": "0x"});
    let older = json!({"data": [sidecar(&other), sidecar(&bytes)]});
    for status in [404, 400] {
        let unknown = (NEW, status, json_of(json!({"code": status, "message": "unknown"})));
        let (mut blobs, _) = beacon(vec![unknown, (OLD, 200, json_of(older.clone()))]);
        assert_eq!(blobs.fetch(&wanted(own)).as_ref(), Some(&bytes), "{status}");
    }
}

/// As anvil has it: no slots, no older form.
#[test]
fn a_development_node_is_asked_by_the_number_of_the_block() {
    let (own, bytes) = blob(1);
    let genesis = (GENESIS, 200, json_of(json!({"data": {"genesis_time": "1000"}})));
    let newer = json_of(json!({"data": [text(&bytes)]}));
    let (url, _) = server(vec![genesis, ("/eth/v1/beacon/blobs/77", 200, newer)]);
    let mut blobs = Blobs::none().with_beacon(&url).unwrap();
    assert_eq!(blobs.fetch(&wanted(own)), Some(bytes));
}

#[test]
fn a_blob_that_a_beacon_node_does_not_have_is_missing() {
    let ((own, bytes), (_, other)) = (blob(1), blob(2));
    for data in [json!([]), json!([text(&other)]), json!([text(&bytes[1..])]), json!(["0xzz"])] {
        let (mut blobs, _) = beacon(vec![(NEW, 200, json_of(json!({"data": data})))]);
        let error = refusal(&mut blobs, own);
        assert!(error.to_string().contains("does not have it"), "{error}");
        assert_eq!(error.class(), ErrorClass::Missing);
    }
    // No beacon node, and no node at all: it is not waited for twice.
    let (url, _) = server(vec![]);
    let error = refusal(&mut Blobs::none().with_beacon(&url).unwrap(), own);
    assert!(error.to_string().contains("is it a beacon node?"), "{error}");
    let (mut blobs, asked) = beacon(vec![(NEW, 400, b"no JSON".to_vec())]);
    assert!(refusal(&mut blobs, own).to_string().contains("status 400"));
    assert_eq!(asked.lock().unwrap().len(), 4);
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut silent = Blobs::none().with_beacon(&format!("http://{nowhere}")).unwrap();
    let error = refusal(&mut silent, own);
    assert_eq!(error.class(), ErrorClass::Missing);
    assert!(refusal(&mut silent, own).to_string().contains("does not answer"), "{error}");
}

#[test]
fn archives_and_folders_are_held_against_the_hash() {
    let ((own, bytes), (_, other)) = (blob(1), blob(2));
    let path: &'static str = format!("/v1/blobs/{}", text(&own)).leak();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(text(&own));
    let mut flipped = bytes.clone();
    flipped[100_000] ^= 1;
    let cut = bytes[..BLOB_BYTES / 2].to_vec();
    for (given, part) in
        [(other, "another one"), (flipped, "another one"), (cut, "cut off"), (vec![], "cut off")]
    {
        let (url, _) = server(vec![(path, 200, given.clone())]);
        std::fs::write(&file, &given).unwrap();
        let archive = Blobs::none().with_archive(&url).unwrap();
        for mut blobs in [archive, Blobs::none().with_folder(dir.path())] {
            let error = refusal(&mut blobs, own);
            assert!(error.to_string().contains(part), "{error}");
            assert_eq!(error.class(), ErrorClass::Invalid);
        }
        // Whoever has it makes up for the liar.
        let (good, _) = server(vec![(path, 200, bytes.clone())]);
        let mut both = Blobs::none().with_folder(dir.path()).with_archive(&good).unwrap();
        assert_eq!(both.fetch(&wanted(own)).as_ref(), Some(&bytes));
    }
    std::fs::remove_file(&file).unwrap();
    let (url, _) = server(vec![]);
    let mut blobs = Blobs::none().with_archive(&url).unwrap().with_folder(dir.path());
    let error = refusal(&mut blobs, own);
    assert_eq!(error.class(), ErrorClass::Missing);
    assert!(error.to_string().contains(&url), "{error}");
    assert!(refusal(&mut Blobs::none(), own).to_string().contains("nobody was asked"));
    assert!(Blobs::none().with_archive("ftp://h").is_err());
}

#[test]
fn a_kept_blob_is_given_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep::new(dir.path().join("blobs"));
    let (hash, bytes) = blob(3);
    assert_eq!(keep.get(&hash).unwrap(), None);
    let wrong = keep.put(&hash, &blob(4).1).unwrap_err();
    assert!(matches!(wrong, NodeError::BadBlob { .. }), "{wrong}");
    assert_eq!(keep.get(&hash).unwrap(), None);
    assert!(keep.all().unwrap().is_empty());
    keep.put(&hash, &bytes).unwrap();
    keep.put(&hash, &bytes).unwrap();
    std::fs::write(keep.dir().join("README"), "notes").unwrap();
    assert!(keep.all().unwrap().iter().eq([&hash]));
    assert_eq!(keep.get(&hash).unwrap().as_ref(), Some(&bytes));
    assert_eq!(keep.get(&hash).unwrap().as_ref(), Some(&bytes));
    // The folder is an archive.
    let mut blobs = Blobs::none().with_folder(keep.dir());
    assert_eq!(blobs.fetch(&wanted(hash)), Some(bytes.clone()));
    // Damage shows, though the blob was checked before, and is mended by writing again.
    std::fs::write(keep.dir().join(text(&hash)), &bytes[1..]).unwrap();
    assert!(matches!(keep.get(&hash), Err(NodeError::BadBlob { .. })));
    keep.put(&hash, &bytes).unwrap();
    assert_eq!(keep.get(&hash).unwrap(), Some(bytes));
}
