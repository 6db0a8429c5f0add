use proptest::prelude::*;

use super::frame::HEAD;
use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A journal of some frames; the bytes of the file, and where each frame ends.
fn written(path: &Path, frames: &[&[&[u8]]]) -> (Vec<u8>, Vec<u64>) {
    let (mut journal, _) = Journal::open(path).unwrap();
    let mut ends = vec![journal.length()];
    for records in frames {
        records.iter().for_each(|record| journal.record(record).unwrap());
        journal.sync().unwrap();
        ends.push(journal.length());
    }
    (std::fs::read(path).unwrap(), ends)
}

const FRAMES: &[&[&[u8]]] = &[&[b"one", b""], &[b"two"], &[b"three", b"four", b"five"]];

#[test]
fn records_come_back_in_order() {
    let folder = folder();
    let path = folder.path().join("j");
    written(&path, FRAMES);
    let (_, replay) = Journal::open(&path).unwrap();
    assert_eq!(replay.records, FRAMES.concat());
    assert_eq!(replay.cut, 0);
}

#[test]
fn nothing_is_written_before_sync() {
    let folder = folder();
    let path = folder.path().join("j");
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.record(b"lost").unwrap();
    assert_eq!(journal.pending(), 8);
    drop(journal);
    assert!(Journal::open(&path).unwrap().1.records.is_empty());
}

#[test]
fn a_file_torn_at_any_byte_keeps_all_whole_frames() {
    let folder = folder();
    let path = folder.path().join("j");
    let (bytes, ends) = written(&path, FRAMES);
    for cut in 0..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let (mut journal, replay) = Journal::open(&path).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut as u64).count().saturating_sub(1);
        assert_eq!(replay.records, FRAMES[..whole].concat(), "cut at {cut}");
        // It goes on from there.
        journal.record(b"more").unwrap();
        journal.sync().unwrap();
        drop(journal);
        let (_, replay) = Journal::open(&path).unwrap();
        assert_eq!((replay.records.last().unwrap().as_slice(), replay.cut), (&b"more"[..], 0));
    }
}

#[test]
fn zeros_that_a_file_system_left_at_the_end_are_cut() {
    let folder = folder();
    let path = folder.path().join("j");
    let (mut bytes, _) = written(&path, FRAMES);
    bytes.extend([0; 4096]);
    std::fs::write(&path, &bytes).unwrap();
    let (_, replay) = Journal::open(&path).unwrap();
    assert_eq!(replay.records, FRAMES.concat());
    assert_eq!(replay.cut, 4096);
}

#[test]
fn damage_before_the_last_frame_is_an_error() {
    let folder = folder();
    let path = folder.path().join("j");
    let (bytes, ends) = written(&path, FRAMES);
    let last = ends[ends.len() - 2];
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        match Journal::open(&path) {
            Err(ResponseError::Damaged { .. }) => assert!(at < last as usize + HEAD),
            Ok((_, replay)) => {
                assert!(at >= last as usize + HEAD, "a change at {at} is not seen");
                assert_eq!(replay.records, FRAMES[..2].concat());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn frames_cannot_change_places() {
    let folder = folder();
    let path = folder.path().join("j");
    let (bytes, ends) = written(&path, &[&[b"aaa"], &[b"bbb"], &[b"ccc"]]);
    let ends: Vec<usize> = ends.iter().map(|end| *end as usize).collect();
    let parts = [&bytes[..ends[0]], &bytes[ends[1]..ends[2]], &bytes[ends[0]..ends[1]]];
    std::fs::write(&path, parts.concat()).unwrap();
    assert!(matches!(Journal::open(&path), Err(ResponseError::Damaged { .. })));
}

#[test]
fn two_processes_do_not_share_a_file() {
    let folder = folder();
    let path = folder.path().join("j");
    let first = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(ResponseError::File { .. })));
    drop(first);
    assert!(Journal::open(&path).is_ok());
}

#[test]
fn a_rewritten_file_holds_the_new_records_alone() {
    let folder = folder();
    let path = folder.path().join("j");
    written(&path, FRAMES);
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.record(b"thrown away").unwrap();
    let records: Vec<Vec<u8>> = (0..3000_u32).map(|i| vec![i as u8; 4000]).collect();
    journal.rewrite(records.clone()).unwrap();
    journal.record(b"after").unwrap();
    journal.sync().unwrap();
    assert!(matches!(Journal::open(&path), Err(ResponseError::File { .. })), "the lock is kept");
    drop(journal);
    let (_, replay) = Journal::open(&path).unwrap();
    assert_eq!(replay.records.len(), 3001);
    assert_eq!(replay.records[..3000], records[..]);
    assert_eq!(replay.records[3000], b"after");
}

#[test]
fn a_record_beyond_a_frame_is_refused() {
    let folder = folder();
    let (mut journal, _) = Journal::open(&folder.path().join("j")).unwrap();
    assert!(matches!(journal.record(&vec![0; MAX_FRAME]), Err(ResponseError::Encode { .. })));
    assert_eq!(journal.pending(), 0);
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let folder = folder();
    let path = folder.path().join("j");
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.file = File::open(&path).unwrap(); // Reading only.
    journal.record(b"x").unwrap();
    assert!(matches!(journal.sync(), Err(ResponseError::File { .. })));
    assert!(matches!(journal.sync(), Err(ResponseError::Broken { .. })));
    assert!(matches!(journal.rewrite([]), Err(ResponseError::Broken { .. })));
}

#[test]
fn a_foreign_file_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("j");
    std::fs::write(&path, b"something else").unwrap();
    assert!(matches!(Journal::open(&path), Err(ResponseError::Damaged { at: 0, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"something else");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = folder();
        let path = folder.path().join("j");
        std::fs::write(&path, [&MAGIC[..], &tail].concat()).unwrap();
        let _ = Journal::open(&path);
    }
}
