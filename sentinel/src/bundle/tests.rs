use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::rules::RuleSet;
use crate::SentinelError;

const NOW: u64 = 1_800_000_000;
const END: u64 = NOW + 1000;

fn key(n: u8) -> Key {
    Key::from_seed(&[n; 32])
}

fn role(threshold: usize, keys: &[u8]) -> RoleKeys {
    RoleKeys { threshold, keys: keys.iter().map(|n| key(*n).public()).collect() }
}

/// Two of three for root and targets, one of two for the timestamp.
fn root(version: u64) -> Root {
    Root {
        version,
        expires: END,
        root: role(2, &[1, 2, 3]),
        targets: role(2, &[11, 12, 13]),
        timestamp: role(1, &[21, 22]),
    }
}

fn signed<T: Role>(what: T, keys: &[u8]) -> Signed<T> {
    let keys: Vec<Key> = keys.iter().map(|n| key(*n)).collect();
    Signed::unsigned(what).sign(&keys.iter().collect::<Vec<_>>()).unwrap()
}

/// Two rules of the built-in ones, so that signing is quick.
fn files() -> BTreeMap<String, Vec<u8>> {
    RuleSet::builtin_files()
        .into_iter()
        .filter(|(n, _)| n.starts_with("fan-") || n == "lists.yaml")
        .collect()
}

fn release(version: u64) -> Release {
    Release { version, expires: END, timestamp_version: version, timestamp_expires: END - 10 }
}

fn publish_as(folder: &Path, release: &Release, files: &BTreeMap<String, Vec<u8>>) {
    let roots = [signed(root(1), &[1, 2])];
    let (a, b, c) = (key(11), key(12), key(21));
    publish(folder, &roots, files, release, &[&a, &b], &[&c]).unwrap();
}

struct Site {
    folder: tempfile::TempDir,
    trusted: Trusted,
}

fn site(version: u64) -> Site {
    let folder = tempfile::tempdir().unwrap();
    publish_as(folder.path(), &release(version), &files());
    Site { folder, trusted: Trusted::new(&signed(root(1), &[1, 2])).unwrap() }
}

impl Site {
    fn load(&self) -> Result<Bundle, SentinelError> {
        Bundle::load(self.folder.path(), &self.trusted, NOW)
    }

    fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(text)).unwrap();
    }
}

#[test]
fn a_signed_bundle_loads_and_versions_go_up() {
    let mut site = site(3);
    let bundle = site.load().unwrap();
    assert_eq!((bundle.version, bundle.expires), (3, END - 10));
    assert!(bundle.rules.version.starts_with("3:"));
    assert_eq!(bundle.rules.rules().len(), files().len() - 1);
    site.trusted = bundle.trusted;
    // The same again is fine.
    assert_eq!(site.load().unwrap().trusted, site.trusted);
    publish_as(site.folder.path(), &release(4), &files());
    let next = site.load().unwrap().trusted;
    assert_eq!((next.targets.unwrap().version, next.previous), (4, site.trusted.targets));
    // What is trusted serializes.
    let text = serde_json::to_string(&next).unwrap();
    assert_eq!(serde_json::from_str::<Trusted>(&text).unwrap(), next);
}

#[test]
fn old_bundles_are_refused() {
    let mut site = site(3);
    site.trusted = site.load().unwrap().trusted;
    publish_as(site.folder.path(), &release(2), &files());
    assert!(matches!(site.load(), Err(SentinelError::Rollback { accepted: 3, got: 2, .. })));
    // A new timestamp over old rules.
    let old = Release { timestamp_version: 9, ..release(2) };
    publish_as(site.folder.path(), &old, &files());
    match site.load() {
        Err(SentinelError::Rollback { role, .. }) => assert_eq!(role, "targets"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_files_of_one_version_are_found() {
    let mut site = site(3);
    site.trusted = site.load().unwrap().trusted;
    let mut fewer = files();
    fewer.pop_first();
    publish_as(site.folder.path(), &Release { timestamp_version: 4, ..release(3) }, &fewer);
    match site.load() {
        Err(SentinelError::Equivocation { role, version: 3 }) => assert_eq!(role, "targets"),
        other => panic!("{other:?}"),
    }
    publish_as(site.folder.path(), &Release { timestamp_version: 3, ..release(4) }, &fewer);
    match site.load() {
        Err(SentinelError::Equivocation { role, .. }) => assert_eq!(role, "timestamp"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn expired_files_are_refused() {
    let site = site(3);
    for (now, expected) in [(END - 11, None), (END - 10, Some("timestamp")), (END, Some("root"))] {
        match (Bundle::load(site.folder.path(), &site.trusted, now), expected) {
            (Ok(_), None) => {}
            (Err(SentinelError::Expired { role, .. }), Some(name)) => assert_eq!(role, name),
            (other, _) => panic!("{other:?}"),
        }
    }
    let early = Release { expires: NOW, ..release(4) };
    publish_as(site.folder.path(), &early, &files());
    match site.load() {
        Err(SentinelError::Expired { role, .. }) => assert_eq!(role, "targets"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn mixed_and_changed_files_are_refused() {
    for (name, change) in [
        ("targets.json", (|t: String| t + "\n") as fn(String) -> String),
        ("rules/fan-in.yaml", |t| t.replacen("window: ", "window: 1", 1)),
        ("rules/lists.yaml", |t| t + "# more\n"),
    ] {
        let site = site(3);
        site.edit(name, change);
        assert!(matches!(site.load(), Err(SentinelError::Mixed { .. })), "{name}");
    }
    // The rules of one bundle with the metadata of another.
    let (a, b) = (site(3), site(4));
    std::fs::copy(b.folder.path().join("targets.json"), a.folder.path().join("targets.json"))
        .unwrap();
    assert!(matches!(a.load(), Err(SentinelError::Mixed { .. })));
}

#[test]
fn every_file_is_listed_and_there() {
    let other = site(3);
    std::fs::write(other.folder.path().join("rules/extra.yaml"), "id: extra").unwrap();
    assert!(matches!(other.load(), Err(SentinelError::Unlisted { .. })));
    for name in ["rules/fan-in.yaml", "targets.json", "timestamp.json"] {
        let site = site(3);
        std::fs::remove_file(site.folder.path().join(name)).unwrap();
        assert!(matches!(site.load(), Err(SentinelError::File { .. })), "{name}");
    }
}

/// What is no file is refused and never waited for.
#[test]
fn pipes_and_folders_are_refused() {
    for name in ["timestamp.json", "targets.json", "root/2.json", "rules/fan-in.yaml"] {
        for (make, expected) in [("mkfifo", "a pipe or a device"), ("mkdir", "a folder")] {
            let site = site(3);
            let path = site.folder.path().join(name);
            // There is no second root yet.
            let _ = std::fs::remove_file(&path);
            assert!(std::process::Command::new(make).arg(&path).status().unwrap().success());
            match site.load() {
                Err(SentinelError::NoFile { path: found, what }) => {
                    assert_eq!((found, what), (path, expected));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn too_few_signatures_are_refused() {
    let site = site(3);
    let (a, b, c, stranger) = (key(11), key(12), key(21), key(99));
    let roots = [signed(root(1), &[1, 2])];
    let publish = |targets: &[&Key], timestamp: &[&Key]| {
        publish(site.folder.path(), &roots, &files(), &release(3), targets, timestamp).unwrap();
        site.load()
    };
    let refused = |result: Result<Bundle, SentinelError>, name: &str| match result {
        Err(SentinelError::Threshold { role, .. }) => assert_eq!(role, name),
        other => panic!("{other:?}"),
    };
    refused(publish(&[&a], &[&c]), "targets");
    refused(publish(&[&a, &a], &[&c]), "targets");
    refused(publish(&[&a, &stranger], &[&c]), "targets");
    refused(publish(&[&a, &b], &[&stranger]), "timestamp");
    refused(publish(&[&a, &b], &[&a]), "timestamp");
    publish(&[&a, &b, &stranger], &[&c, &stranger]).unwrap();
    // A signature for one role is none for another, nor for other content.
    site.edit("timestamp.json", |t| t.replacen("\"version\": 3", "\"version\": 4", 1));
    refused(site.load(), "timestamp");
}

#[test]
fn strict_json() {
    let site = site(3);
    site.edit("timestamp.json", |t| t.replacen('{', "{\"surprise\":1,", 1));
    assert!(matches!(site.load(), Err(SentinelError::Metadata { .. })));
}

#[test]
fn keys_rotate_by_old_and_new_keys() {
    let site = site(3);
    let trusted = site.load().unwrap().trusted;
    let load = |next: &Signed<Root>| {
        let path = site.folder.path().join("root/2.json");
        std::fs::write(path, next.to_bytes().unwrap()).unwrap();
        Bundle::load(site.folder.path(), &trusted, NOW)
    };
    let new = Root { root: role(2, &[4, 5]), ..root(2) };
    for keys in [&[1, 2][..], &[4, 5], &[1, 4, 5], &[1, 2, 4]] {
        assert!(matches!(load(&signed(new.clone(), keys)), Err(SentinelError::Threshold { .. })));
    }
    let bundle = load(&signed(new.clone(), &[1, 3, 4, 5])).unwrap();
    assert_eq!((bundle.trusted.root, bundle.trusted.targets), (new, trusted.targets));
    // A wrong number, and a role that nobody can meet.
    assert!(load(&signed(root(3), &[1, 2])).is_err());
    let unmet = Root { targets: role(4, &[11, 12, 13]), ..root(2) };
    assert!(matches!(load(&signed(unmet, &[1, 2])), Err(SentinelError::Metadata { .. })));
    // New keys of the timestamp role: its versions start anew, and the old key is worth nothing.
    let other = Root { timestamp: role(1, &[31]), ..root(2) };
    let other = signed(other, &[1, 2]);
    assert!(matches!(load(&other), Err(SentinelError::Threshold { .. })));
    let (a, b, c) = (key(11), key(12), key(31));
    let low = Release { timestamp_version: 1, ..release(3) };
    publish(site.folder.path(), &[], &files(), &low, &[&a, &b], &[&c]).unwrap();
    assert_eq!(load(&other).unwrap().trusted.timestamp.unwrap().version, 1);
}

#[test]
fn a_pin_goes_back_one_step_and_ends() {
    let old = site(3);
    let trusted = old.load().unwrap().trusted;
    assert!(matches!(trusted.pin_previous(NOW, NOW + 10, "x"), Err(SentinelError::Pin(_))));
    let new = site(4);
    let trusted = Bundle::load(new.folder.path(), &trusted, NOW).unwrap().trusted;
    for until in [NOW, NOW - 1, NOW + MAX_PIN + 1] {
        assert!(matches!(trusted.pin_previous(NOW, until, "x"), Err(SentinelError::Pin(_))));
    }
    // Without a pin the old one is refused; with it, nothing else is taken.
    assert!(matches!(
        Bundle::load(old.folder.path(), &trusted, NOW),
        Err(SentinelError::Rollback { .. })
    ));
    let pinned = trusted.pin_previous(NOW, NOW + 100, "too many alerts").unwrap();
    let back = Bundle::load(old.folder.path(), &pinned, NOW).unwrap();
    assert_eq!((back.version, &back.trusted), (3, &pinned));
    assert!(matches!(Bundle::load(new.folder.path(), &pinned, NOW), Err(SentinelError::Pin(_))));
    // Changed rules are refused under a pin too.
    old.edit("rules/fan-in.yaml", |t| t + "\n");
    assert!(Bundle::load(old.folder.path(), &pinned, NOW).is_err());
    // It ends by itself, or by hand.
    let after = Bundle::load(new.folder.path(), &pinned, NOW + 100).unwrap();
    assert_eq!((after.version, after.trusted), (4, trusted.clone()));
    assert_eq!(pinned.unpin(), trusted);
}

#[test]
fn a_root_must_sign_itself() {
    assert!(matches!(Trusted::new(&signed(root(1), &[1])), Err(SentinelError::Threshold { .. })));
    let empty = RoleKeys { threshold: 0, keys: BTreeSet::new() };
    let unsafe_root = signed(Root { timestamp: empty, ..root(1) }, &[1, 2]);
    assert!(matches!(Trusted::new(&unsafe_root), Err(SentinelError::Metadata { .. })));
    assert!(!format!("{:?}", key(1)).contains(&hex::encode([1; 32])));
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let site = site(3);
    let mut targets: Signed<Targets> =
        Signed::from_bytes(&std::fs::read(site.folder.path().join("targets.json")).unwrap())
            .unwrap();
    let info = *targets.signed.files.values().next().unwrap();
    for name in ["../targets.json", "/etc/passwd", ".yaml", "a/b.yaml", "A.yaml"] {
        let mut listed = targets.signed.clone();
        listed.files.insert(name.into(), info);
        targets = signed(listed, &[11, 12]);
        let bytes = targets.to_bytes().unwrap();
        let stamp = Timestamp {
            version: 3,
            expires: END,
            targets: TargetsInfo {
                version: 3,
                length: bytes.len() as u64,
                hash: crate::findings::Hash(bastion_protocol::hash::keccak(&[&bytes])),
            },
        };
        let stamp = signed(stamp, &[21]);
        write(site.folder.path(), &[], &files(), &targets, &stamp).unwrap();
        assert!(matches!(site.load(), Err(SentinelError::Metadata { .. })), "{name}");
        targets.signed.files.remove(name);
    }
}
