//! Blobs that the node keeps, as others fetch them.

use bastion_audit::blob::{versioned_hash, BLOB_BYTES};
use bastion_node::blobs::{Blobs, Wanted};

use crate::raw;
use crate::world::{generous, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_blob_is_served_and_a_damaged_one_is_not() {
    let world = World::start(generous()).await;
    let bytes = vec![1; BLOB_BYTES];
    let hash = versioned_hash(&bytes).unwrap();
    let keep = world.parts.coordinator.blobs().clone();
    let name = format!("0x{}", hex::encode(hash));
    let path = format!("/v1/blobs/{name}");
    let get = |path: String| async move { raw::get(world.address, &path).await };
    let none = get(path.clone()).await;
    assert_eq!((none.status, none.problem()), (404, "not_found".into()));
    keep.put(&hash, &bytes).unwrap();
    let found = get(path.clone()).await;
    assert_eq!(
        (found.status, found.header("content-type")),
        (200, Some("application/octet-stream"))
    );
    assert!(found.header("cache-control").unwrap().contains("immutable"));
    assert!(found.body == bytes);

    // As an archive for those who read history.
    let url = world.url();
    let wanted = Wanted { versioned_hash: hash, l1_block: 0, time: 0 };
    // Where no task of a runtime is, as on the command line.
    let fetch = move || Blobs::none().with_archive(&url).unwrap().fetch(&wanted);
    let fetched = tokio::task::block_in_place(|| std::thread::spawn(fetch).join().unwrap());
    assert!(fetched == Some(bytes.clone()));

    for bad in ["0x12", "latest", &name[2..], &format!("{name}00")] {
        let answer = get(format!("/v1/blobs/{bad}")).await;
        assert_eq!((answer.status, answer.problem()), (400, "bad_request".into()), "{bad}");
    }
    // What a disk has changed is not given out.
    let mut flipped = bytes;
    flipped[77] ^= 1;
    std::fs::write(keep.dir().join(&name), flipped).unwrap();
    let damaged = get(path).await;
    assert_eq!((damaged.status, damaged.problem()), (500, "internal".into()));
}
