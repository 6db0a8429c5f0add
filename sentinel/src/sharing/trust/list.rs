//! The trust list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sharing::error::SharingError;
use crate::sharing::sign::PublicKey;
use crate::sharing::stix::{Id, Tlp};

/// The weight of a source that is believed as oneself.
pub const FULL: u16 = 1_000;
/// Keys of a member at most: the one in use, and those that it follows or is followed by.
const MOST_KEYS: usize = 4;
/// Members at most.
const MOST_MEMBERS: usize = 1_024;

/// Somebody who is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The identity that signs.
    pub identity: Id,
    /// Who runs it. Whatever one operator signs, under whatever identity, key and name, is one source.
    pub operator: String,
    /// A name to show.
    pub name: String,
    /// The keys that it signs with.
    pub keys: Vec<PublicKey>,
    /// Up to which level things are shared with it.
    pub up_to: Tlp,
    /// How far it is believed, from 0 (not at all, and not counted) to 1000.
    pub weight: u16,
}

/// Whom this chain believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct TrustList {
    own: Id,
    sources: usize,
    members: BTreeMap<Id, Member>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    own: Id,
    sources: usize,
    members: Vec<Member>,
}

impl TrustList {
    /// A list. `own` is this chain's identity and one of the members; `sources` is how many operators must
    /// say the same before an account may be frozen without anybody's word here.
    ///
    /// # Errors
    /// [`SharingError::Setting`] for one key under two identities, one name under two operators, or values
    /// that cannot be.
    pub fn new(own: Id, sources: usize, members: Vec<Member>) -> Result<Self, SharingError> {
        let bad = |why: String| SharingError::setting("trust list", why);
        if sources == 0 {
            return Err(bad(
                "nobody must not be enough for a freeze: ask for one source at least".into()
            ));
        }
        if members.len() > MOST_MEMBERS {
            return Err(bad(format!("it has more than {MOST_MEMBERS} members")));
        }
        let mut keys = BTreeSet::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut by_identity = BTreeMap::new();
        for member in members {
            let identity = member.identity.clone();
            if identity.kind() != "identity" {
                return Err(bad(format!("{identity} is no identity")));
            }
            if member.operator.trim().is_empty() || member.name.trim().is_empty() {
                return Err(bad(format!("{identity} needs an operator and a name")));
            }
            if member.weight > FULL {
                return Err(bad(format!("the weight of {identity} is above {FULL}")));
            }
            if !(1..=MOST_KEYS).contains(&member.keys.len()) {
                return Err(bad(format!("{identity} needs 1 to {MOST_KEYS} keys")));
            }
            if let Some(key) = member.keys.iter().find(|key| !keys.insert(**key)) {
                return Err(bad(format!("the key {key} is there twice")));
            }
            let name = member.name.trim().to_lowercase();
            let operator = names.entry(name).or_insert_with(|| member.operator.clone());
            if *operator != member.operator {
                let (name, other) = (&member.name, &member.operator);
                return Err(bad(format!(
                    "{name:?} stands for the operators {operator:?} and {other:?}"
                )));
            }
            if by_identity.insert(identity.clone(), member).is_some() {
                return Err(bad(format!("{identity} is there twice")));
            }
        }
        if !by_identity.contains_key(&own) {
            return Err(bad(format!("the chain's own identity {own} is not among the members")));
        }
        Ok(Self { own, sources, members: by_identity })
    }

    /// This chain's identity.
    pub fn own(&self) -> &Id {
        &self.own
    }

    /// How many operators must say the same before a freeze.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// A member.
    pub fn member(&self, identity: &Id) -> Option<&Member> {
        self.members.get(identity)
    }

    /// Whether an identity is run by whoever runs this chain.
    pub fn is_own(&self, identity: &Id) -> bool {
        let operator = |identity: &Id| self.member(identity).map(|member| &member.operator);
        operator(identity).is_some() && operator(identity) == operator(&self.own)
    }
}

impl TryFrom<Parts> for TrustList {
    type Error = SharingError;

    fn try_from(parts: Parts) -> Result<Self, SharingError> {
        Self::new(parts.own, parts.sources, parts.members)
    }
}

impl From<TrustList> for Parts {
    fn from(list: TrustList) -> Self {
        let members = list.members.into_values().collect();
        Self { own: list.own, sources: list.sources, members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sharing::sign::Signer;

    fn id(n: u8) -> Id {
        format!("identity--00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn member(n: u8) -> Member {
        let key = Signer::new(id(n), &[n; 32]).unwrap().public();
        Member {
            identity: id(n),
            operator: format!("operator {n}"),
            name: format!("Chain {n}"),
            keys: vec![key],
            up_to: Tlp::Green,
            weight: 500,
        }
    }

    fn list(members: Vec<Member>) -> Result<TrustList, SharingError> {
        TrustList::new(id(1), 2, members)
    }

    #[test]
    fn a_list_is_read_from_a_file_with_the_same_checks() {
        let good = list(vec![member(1), member(2)]).unwrap();
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<TrustList>(&text).unwrap(), good);
        assert!(serde_json::from_str::<TrustList>(&text.replace("500", "1001")).is_err());
        assert!(serde_json::from_str::<TrustList>(&text.replace("weight", "wait")).is_err());
    }

    #[test]
    fn what_could_count_one_source_twice_is_refused() {
        let with = |change: fn(&mut Member)| {
            let mut second = member(2);
            change(&mut second);
            list(vec![member(1), second])
        };
        assert!(with(|_| {}).is_ok());
        assert!(with(|m| m.identity = id(1)).is_err());
        assert!(with(|m| m.keys = member(1).keys).is_err());
        assert!(with(|m| m.name = " chain 1".into()).is_err());
        assert!(with(|m| m.operator = " ".into()).is_err());
        assert!(with(|m| m.keys = Vec::new()).is_err());
        assert!(with(|m| m.keys = vec![m.keys[0]; 2]).is_err());
        assert!(with(|m| m.weight = 1_001).is_err());
        assert!(list(vec![member(2)]).is_err());
        assert!(TrustList::new(id(1), 0, vec![member(1)]).is_err());
    }
}
