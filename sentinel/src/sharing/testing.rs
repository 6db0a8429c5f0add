//! What tests have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use serde_json::Value;

use super::sign::Signer;
use super::stix::draft::{self, Draft};
use super::stix::{Id, Subject, Timestamp, Tlp};
use super::store::Quotas;
use super::{Collection, Intelligence, Lookup, Member, Options, TrustList};

pub const MAIN: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
pub const OPEN: &str = "52892447-4d7e-4f70-b94d-d7f22742ff63";

pub fn id(n: u8) -> Id {
    format!("identity--00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

pub fn signer(n: u8) -> Signer {
    Signer::new(id(n), &[n; 32]).unwrap()
}

pub fn member(n: u8, up_to: Tlp) -> Member {
    Member {
        identity: id(n),
        operator: format!("operator {n}"),
        name: format!("Chain {n}"),
        keys: vec![signer(n).public()],
        up_to,
        weight: 800,
    }
}

/// Chain 1 is ours, 2 to 4 are trusted.
pub fn trust(sources: usize) -> TrustList {
    let members = [Tlp::Red, Tlp::Green, Tlp::AmberStrict, Tlp::Amber];
    let members = (1..).zip(members).map(|(n, up_to)| member(n, up_to)).collect();
    TrustList::new(id(1), sources, members).unwrap()
}

pub fn subject(n: u8) -> Subject {
    Subject::Evm { chain: Some(1), address: [n; 20] }
}

pub fn collections() -> Vec<Collection> {
    let collection = |id: &str, unsigned| Collection {
        id: id.into(),
        title: "Attackers".into(),
        description: None,
        public: unsigned,
        unsigned,
        named: [id_of_named()].into(),
    };
    vec![collection(MAIN, false), collection(OPEN, true)]
}

pub fn id_of_named() -> Id {
    id(3)
}

/// Intelligence with a clock that is set by hand.
pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<AtomicU64>,
    pub here: Arc<Intelligence>,
    pub quotas: Quotas,
}

impl World {
    pub fn new(sources: usize) -> Self {
        Self::with(sources, Quotas::default())
    }

    pub fn with(sources: usize, quotas: Quotas) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(1_800_000_000_000_000));
        let here = open(&folder, &clock, quotas, trust(sources));
        Self { folder, clock, here, quotas }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.load(Ordering::SeqCst))
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// The same after a restart.
    pub fn reopened(self, trust: TrustList) -> Self {
        let Self { folder, clock, here, quotas } = self;
        drop(here);
        let here = open(&folder, &clock, quotas, trust);
        Self { folder, clock, here, quotas }
    }

    pub fn draft(&self, about: u8, tlp: Tlp) -> Draft {
        Draft {
            name: "Drainer".into(),
            subjects: vec![subject(about)],
            confidence: 90,
            tlp,
            valid_from: self.now(),
            valid_until: None,
        }
    }

    /// An indicator of a chain about an address.
    pub fn indicator(&self, maker: u8, about: u8) -> Value {
        draft::indicator(&id(maker), &self.draft(about, Tlp::Green), self.now()).unwrap()
    }

    /// Signs and sends.
    pub fn send(&self, maker: u8, object: Value) -> Result<Id, String> {
        let signed = signer(maker).sign(object).unwrap();
        self.bring(Value::Object(signed.raw().clone()))
    }

    /// Sends what is signed already.
    pub fn bring(&self, object: Value) -> Result<Id, String> {
        let outcome = self.here.accept(MAIN, "peer", vec![object]).pop().unwrap();
        outcome.map(|accepted| accepted.id).map_err(|e| format!("{e:?}"))
    }

    pub fn lookup(&self, about: u8) -> Lookup {
        self.here.lookup(&subject(about))
    }
}

fn open(
    folder: &tempfile::TempDir,
    clock: &Arc<AtomicU64>,
    quotas: Quotas,
    trust: TrustList,
) -> Arc<Intelligence> {
    let clock = clock.clone();
    let options = Options {
        quotas,
        clock: Arc::new(move || Timestamp::from_micros(clock.load(Ordering::SeqCst))),
        ..Options::new(folder.path().join("intel.journal"), collections())
    };
    Intelligence::open(options, trust).unwrap()
}
