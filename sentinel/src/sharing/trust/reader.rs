//! Who may read what.

use std::collections::BTreeSet;

use super::list::TrustList;
use crate::sharing::stix::{Id, Tlp};
use crate::sharing::store::{Entry, Maker};

/// Somebody who reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// Anybody.
    Anyone,
    /// A peer.
    Peer {
        /// The name that it logs in with.
        name: String,
        /// The identity that it stands for.
        identity: Option<Id>,
    },
}

/// What is asked of [`sees`].
pub(in crate::sharing) struct Asked<'a> {
    pub trust: &'a TrustList,
    pub reader: &'a Reader,
    /// To whom what is of TLP:AMBER+STRICT goes.
    pub named: &'a BTreeSet<Id>,
}

/// Whether somebody may get an entry of a level.
///
/// What came from elsewhere as TLP:AMBER was for this chain, so it is passed on to nobody. Whoever made a
/// thing gets it back, save TLP:RED.
pub(in crate::sharing) fn sees(asked: &Asked<'_>, entry: &Entry, level: Tlp) -> bool {
    let Asked { trust, reader, named } = asked;
    let (name, identity) = match (level, reader) {
        (Tlp::Red, _) => return false,
        (Tlp::Clear, _) => return true,
        (_, Reader::Anyone) => return false,
        (_, Reader::Peer { name, identity }) => (name, identity.as_ref()),
    };
    let member = identity.and_then(|identity| trust.member(identity));
    let is_its_maker = match &entry.maker {
        Maker::Peer(peer) => peer == name,
        Maker::Signer(signer) => {
            member.is_some()
                && member.map(|m| &m.operator) == trust.member(signer).map(|m| &m.operator)
        }
    };
    if is_its_maker {
        return true;
    }
    let Some(member) = member else { return false };
    let is_ours = match &entry.maker {
        Maker::Signer(signer) => trust.is_own(signer),
        Maker::Peer(_) => false,
    };
    level <= member.up_to
        && match level {
            Tlp::Clear | Tlp::Green => true,
            Tlp::Amber => is_ours,
            Tlp::AmberStrict => is_ours && named.contains(&member.identity),
            Tlp::Red => false,
        }
}
