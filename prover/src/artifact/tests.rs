use crate::ErrorClass;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::{atomic::Ordering::SeqCst, mpsc},
    time::Duration,
};

use super::*;
use crate::{
    keys::KeyStore,
    progress::{Progress, ProgressEvent, ProgressSink},
    srs::{Srs, SrsChoice, SrsDir},
    test_circuit::{ToyCircuit, ToyShape},
    testing::rng,
};

#[test]
fn replaces_a_file_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/file");
    write_bytes_atomic(&path, b"old").unwrap();
    write_bytes_atomic(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn failure_keeps_the_old_file_and_names_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    write_bytes_atomic(&path, b"old").unwrap();
    let error = write_atomic(&path, |out| {
        out.write_all(b"half of the new con")?;
        Err(io::ErrorKind::StorageFull.into())
    })
    .unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()));
    assert_eq!(error.class(), ErrorClass::Resources);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// `/dev/full` refuses every write with ENOSPC, as a full disk does.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_recognised() {
    let error = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .and_then(|mut file| file.write_all(b"x"))
        .unwrap_err();
    assert_eq!(ProverError::io("write", Path::new("x"), error).class(), ErrorClass::Resources);
}

#[test]
fn parts_cannot_be_shifted_into_each_other() {
    let one = Digest::of_parts("d", &[b"ab", b"c"]);
    assert_ne!(one, Digest::of_parts("d", &[b"a", b"bc"]));
    assert_ne!(one, Digest::of_parts("da", &[b"b", b"c"]));
    assert_eq!(one.to_string().parse::<Digest>().unwrap(), one);
    assert!("12".parse::<Digest>().is_err());
}

#[test]
fn the_first_writer_wins_where_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let write = |bytes: &'static [u8]| write_new(&path, |out| out.write_all(bytes)).unwrap();
    assert!(write(b"first"));
    assert!(!write(b"second"));
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_new_file_can_be_read_by_those_who_may_read_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let metadata = fs::metadata(dir.path().join(name)).unwrap();
        metadata.permissions().mode()
    };
    fs::write(dir.path().join("plain"), b"x").unwrap();
    write_bytes_atomic(&dir.path().join("atomic"), b"x").unwrap();
    assert_eq!(mode("atomic"), mode("plain"));
}

#[test]
fn what_the_dead_left_is_removed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let dead = dir.path().join(format!("{}0123456789abcdef", temporary::PREFIX));
    let others = [".hidden", "bastion-tmp-x", ".bastion-cache"].map(|n| dir.path().join(n));
    fs::write(&dead, b"half").unwrap();
    for other in &others {
        fs::write(other, b"whole").unwrap();
    }
    let living = temporary::create(dir.path()).unwrap();
    remove_dead(dir.path());
    assert!(!dead.exists());
    assert!(living.path().exists(), "its writer still writes");
    assert!(others.iter().all(|other| other.exists()));
    drop(living);
    remove_dead(&dir.path().join("not-there"));
}

/// Side by side, in one folder, to one name: every writer has a file of its own, and starts that
/// clear away what is dead take none of them.
#[test]
fn concurrent_writers_and_starts_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let version = |n: u8| vec![n; 50_000];
    std::thread::scope(|scope| {
        for n in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..25 {
                    write_bytes_atomic(path, &version(n)).unwrap();
                }
            });
        }
        scope.spawn(|| (0..200).for_each(|_| remove_dead(dir.path())));
    });
    let content = fs::read(&path).unwrap();
    assert_eq!(content, version(content[0]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn makers_of_one_artifact_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let artifact = dir.path().join("key");
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let turn = Making::begin(&artifact, "a key", &Progress::silent()).unwrap();
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                std::thread::yield_now();
                assert_eq!(inside.fetch_sub(1, SeqCst), 1);
                drop(turn);
            });
        }
    });
    // Another artifact has another turn.
    let _one = Making::begin(&artifact, "a key", &Progress::silent()).unwrap();
    Making::begin(&dir.path().join("other"), "another", &Progress::silent()).unwrap();
}

#[test]
fn whoever_waits_says_for_what() {
    struct Waits(mpsc::Sender<String>);
    impl ProgressSink for Waits {
        fn event(&self, event: &ProgressEvent) {
            self.0.send(format!("{} {}", event.stage, event.subject)).unwrap();
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let artifact = dir.path().join("key");
    let turn = Making::begin(&artifact, "a key", &Progress::silent()).unwrap();
    let (send, told) = mpsc::channel();
    let progress = Progress::new(Waits(send));
    std::thread::scope(|scope| {
        scope.spawn(|| Making::begin(&artifact, "a key", &progress).unwrap());
        assert_eq!(told.recv().unwrap(), "waiting for a key, which another process makes");
        drop(turn);
    });
}

/// Not a test: what [`a_killed_writer_is_in_nobodys_way`] kills.
#[test]
#[ignore = "runs until it is killed"]
fn writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os("BASTION_TEST_KILLED").map(PathBuf::from) else {
        return;
    };
    let _turn = Making::begin(&dir.join("file"), "the file", &Progress::silent()).unwrap();
    remove_dead(&dir);
    for n in 0.. {
        write_bytes_atomic(&dir.join("file"), &vec![n as u8; 3 << 20]).unwrap();
    }
}

/// Killed at any moment, in a container in which every start has the same process id: the file is
/// whole, the next start gets its turn, and in the end nothing is left over.
#[test]
#[cfg(target_os = "linux")]
fn a_killed_writer_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let namespace = ["--pid", "--fork", "--kill-child=KILL"];
    let available = Command::new("unshare").args(namespace).arg("true").output();
    let contained = available.is_ok_and(|output| output.status.success());
    if !contained {
        println!("no process id namespaces here: the processes have different ids");
    }
    let exe = std::env::current_exe().unwrap();
    for moment in 0..8 {
        let mut command = match contained {
            true => Command::new("unshare"),
            false => Command::new(&exe),
        };
        if contained {
            command.args(namespace).arg(&exe);
        }
        let _ = fs::remove_file(&path);
        let mut child = command
            .args(["--ignored", "--exact", "artifact::tests::writes_until_it_is_killed"])
            .env("BASTION_TEST_KILLED", dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // It writes, although the one before was killed while it wrote.
        while !path.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the start failed");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        let content = fs::read(&path).unwrap();
        assert_eq!(content.len(), 3 << 20);
        assert!(content.iter().all(|byte| *byte == content[0]));
    }
    // The last one dies a moment after the process around it.
    let _turn = Making::begin(&path, "the file", &Progress::silent()).unwrap();
    remove_dead(dir.path());
    let left: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

/// Not a test: what [`a_full_disk_is_told_as_such_and_harms_nothing`] runs where it may mount.
#[test]
#[ignore = "needs a folder on a small file system"]
fn on_a_small_file_system() {
    let Some(dir) = std::env::var_os("BASTION_TEST_SMALL").map(PathBuf::from) else {
        return;
    };
    let full = |result: Result<()>| {
        let error = result.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Resources, "{error}");
    };
    let path = dir.join("file");
    write_bytes_atomic(&path, b"old").unwrap();
    full(write_bytes_atomic(&path, &[1; 1 << 20]));
    full(write_new(&dir.join("new"), |out| out.write_all(&[1; 1 << 20])).map(drop));
    full(check_room(&dir, 1 << 20));
    check_room(&dir, 1 << 10).unwrap();

    let seeded = || rng(1);
    let strings = SrsDir::new(&dir);
    let choice = SrsChoice::HeldOrUnsafeDev;
    full(strings.obtain(choice, 12, &[], &[], seeded(), &Progress::silent()).map(drop));

    // Keys that had to be stored are no success; keys for one use are.
    let srs = Srs::generate_unsafe_dev(8, &[8], seeded()).unwrap();
    let keys = |storing| {
        let store = KeyStore::new(&dir).storing(storing);
        let shape = ToyShape::tiny();
        store.keys::<ToyCircuit>(&shape, &srs, &Progress::silent()).map(drop)
    };
    write_bytes_atomic(&dir.join("ballast"), &[1; 144 << 10]).unwrap();
    full(keys(Storing::Required));
    keys(Storing::BestEffort).unwrap();

    // The string is stored, but a basis that belongs to it does not fit beside it.
    fs::remove_file(dir.join("ballast")).unwrap();
    strings.obtain(choice, 9, &[], &[], seeded(), &Progress::silent()).unwrap();
    write_bytes_atomic(&dir.join("ballast"), &[1; 100 << 10]).unwrap();
    let basis = |storing| {
        let strings = strings.clone().storing(storing);
        let srs = strings.obtain(choice, 9, &[], &[], seeded(), &Progress::silent())?;
        srs.params(9).map(drop)
    };
    full(basis(Storing::Required));
    basis(Storing::BestEffort).unwrap();

    assert_eq!(fs::read(&path).unwrap(), b"old");
    let names = fs::read_dir(&dir).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_as_such_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // In a mount namespace, so that the mount ends with the process.
    let run = |namespace: &[&str], script: &str| {
        Command::new("unshare")
            .args(namespace)
            .args(["sh", "-c", script])
            .env("DIR", dir.path())
            .env("EXE", std::env::current_exe().unwrap())
            .env("BASTION_TEST_SMALL", dir.path())
            .output()
    };
    let mount = "mount -t tmpfs -o size=160k tmpfs \"$DIR\"";
    let namespaces: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    let available = namespaces
        .into_iter()
        .find(|namespace| run(namespace, mount).is_ok_and(|output| output.status.success()));
    let Some(namespace) = available else {
        println!("skipped: a small file system cannot be mounted here");
        return;
    };
    let test = "\"$EXE\" --ignored --exact artifact::tests::on_a_small_file_system --nocapture";
    let output = run(namespace, &format!("{mount} && {test}")).unwrap();
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}
