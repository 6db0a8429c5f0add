//! Memory that this process may still take, as Linux tells it.
//!
//! A container's limit is that of a control group, and `/proc/meminfo` does not know it. The limits
//! of all groups from the process's own up to the root hold, in version 1 and in version 2.

use std::fs;
use std::path::{Path, PathBuf};

/// Limits from here on are none: version 1 writes the largest multiple of a page for "unlimited".
const UNLIMITED: u64 = 1 << 60;

/// How one version of control groups is laid out.
struct Version {
    mount: &'static str,
    limits: &'static [&'static str],
    usage: &'static str,
    /// Field of `memory.stat`: pages of files that the kernel drops when memory gets scarce.
    reclaimable: &'static str,
}

const V1: Version = Version {
    mount: "sys/fs/cgroup/memory",
    limits: &["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file",
};
const V2: Version = Version {
    mount: "sys/fs/cgroup",
    limits: &["memory.max", "memory.high"],
    usage: "memory.current",
    reclaimable: "inactive_file",
};

/// Bytes that can still be taken; `None` where nothing tells. `root` is `/`.
pub(super) fn available(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let left = groups.lines().filter_map(|line| {
        // hierarchy:controllers:path
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        match controllers {
            "" => V2.left(root, path),
            list if list.split(',').any(|name| name == "memory") => V1.left(root, path),
            _ => None,
        }
    });
    left.chain(mem_available(root)).min()
}

fn mem_available(root: &Path) -> Option<u64> {
    let info = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1 << 10)
}

impl Version {
    /// The least that the groups of `path` leave. In a container the path is often that of the
    /// host, of which the mount shows the last group alone, as its root: what is not there is
    /// passed over.
    fn left(&self, root: &Path, path: &str) -> Option<u64> {
        let mount = root.join(self.mount);
        let mut group: PathBuf = Path::new(path.trim_start_matches('/')).into();
        let mut least = None;
        loop {
            least = least.into_iter().chain(self.left_by_group(&mount.join(&group))).min();
            if !group.pop() {
                return least;
            }
        }
    }

    fn left_by_group(&self, group: &Path) -> Option<u64> {
        let limits = self.limits.iter().filter_map(|name| number(&group.join(name)));
        let limit = limits.filter(|bytes| *bytes < UNLIMITED).min()?;
        let usage = number(&group.join(self.usage)).unwrap_or(0);
        let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
        let reclaimable = stat.lines().find_map(|line| {
            let (name, value) = line.split_once(' ')?;
            (name == self.reclaimable).then(|| value.trim().parse::<u64>().ok())?
        });
        let held = usage.saturating_sub(reclaimable.unwrap_or(0));
        Some(limit.saturating_sub(held))
    }
}

/// The number in a file; `None` for `max`, and where there is no such file.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A file system with these files.
    fn system(files: &[(&str, String)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    fn left(files: &[(&str, String)]) -> Option<u64> {
        let meminfo = ("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    8388608 kB\n".into());
        available(system(&[files, &[meminfo]].concat()).path())
    }

    fn mib(n: u64) -> String {
        format!("{}\n", n * MIB)
    }

    #[test]
    fn without_groups_it_is_what_the_machine_has() {
        assert_eq!(left(&[]), Some(8192 * MIB));
        assert_eq!(left(&[("proc/self/cgroup", "0::/\n".into())]), Some(8192 * MIB));
        assert_eq!(available(system(&[]).path()), None);
    }

    #[test]
    fn the_least_of_all_groups_of_version_2_counts() {
        let mut files = vec![
            ("proc/self/cgroup", "0::/a/b\n".to_string()),
            ("sys/fs/cgroup/a/memory.max", mib(500)),
            ("sys/fs/cgroup/a/memory.current", mib(300)),
            ("sys/fs/cgroup/a/memory.stat", format!("file 7\ninactive_file {}\n", 200 * MIB)),
            ("sys/fs/cgroup/a/b/memory.max", "max\n".into()),
            ("sys/fs/cgroup/a/b/memory.current", mib(1)),
        ];
        assert_eq!(left(&files), Some(400 * MIB));
        files.push(("sys/fs/cgroup/a/b/memory.high", mib(101)));
        assert_eq!(left(&files), Some(100 * MIB));
        // More in use than is allowed: nothing is left.
        files.push(("sys/fs/cgroup/memory.max", mib(10)));
        files.push(("sys/fs/cgroup/memory.current", mib(11)));
        assert_eq!(left(&files), Some(0));
    }

    #[test]
    fn version_1_knows_its_group_from_inside_and_from_outside() {
        let groups = ("proc/self/cgroup", "5:cpu,memory:/docker/1f\n2:pids:/x\n".to_string());
        let inside = [
            groups.clone(),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", mib(600)),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", mib(100)),
            (
                "sys/fs/cgroup/memory/memory.stat",
                format!("inactive_file 0\ntotal_inactive_file {}\n", 50 * MIB),
            ),
        ];
        assert_eq!(left(&inside), Some(550 * MIB));
        let outside = [
            groups,
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n".into()),
            ("sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", mib(300)),
        ];
        assert_eq!(left(&outside), Some(300 * MIB));
    }
}
