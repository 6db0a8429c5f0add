//! What a user checks of a node's answers. Nothing here asks anybody.

use bastion_protocol::account::leaf;
use bastion_protocol::order::leaf_of;
use bastion_protocol::path::{root_from_path, DEPTH};
use bastion_protocol::{Address, Fr};

use crate::error::Distrust;
use crate::receipt::SignedReceipt;
use crate::types::{AccountProof, Hash, Inclusion};

/// The rollup whose operator signs, as the user knows it from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollup {
    /// Chain id of L1.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// Whose receipts count.
    pub sequencer: Address,
}

/// Checks that a receipt is the sequencer's, and of this operation.
///
/// # Errors
/// [`Distrust::Signer`] or [`Distrust::OtherOperation`].
pub fn receipt(signed: &SignedReceipt, rollup: &Rollup, operation: Hash) -> Result<(), Distrust> {
    let named = Hash(signed.receipt.operation);
    if named != operation {
        return Err(Distrust::OtherOperation { expected: operation, named });
    }
    let signer = signed.signer(rollup.chain_id, rollup.contract);
    if signer != Some(rollup.sequencer) {
        let signer = signer.map_or_else(|| "nobody".into(), |address| address.to_string());
        return Err(Distrust::Signer { signer, sequencer: rollup.sequencer });
    }
    Ok(())
}

/// Checks that an account stands under the root that its proof names; gives the root, which the caller
/// compares with that of the contract.
///
/// # Errors
/// [`Distrust::Path`].
pub fn account(proof: &AccountProof) -> Result<Fr, Distrust> {
    let wrong = |why: String| Distrust::Path { index: proof.index, why };
    let path: Vec<Fr> = proof.path.iter().map(|sibling| sibling.0).collect();
    let length = path.len();
    let path: [Fr; DEPTH] = path
        .try_into()
        .map_err(|_| wrong(format!("its path has {length} elements, not {DEPTH}")))?;
    if let Some(account) = &proof.account {
        account.check().map_err(|e| wrong(e.to_string()))?;
    }
    let root = root_from_path(proof.index, leaf(proof.account.as_ref()), &path);
    match root == proof.root.0 {
        true => Ok(root),
        false => Err(wrong("leaf and path give another root".into())),
    }
}

/// Checks that the records of an inclusion are those that a receipt promises, at the receipt's place.
///
/// # Errors
/// [`Distrust::Inclusion`].
pub fn inclusion(inclusion: &Inclusion, signed: &SignedReceipt) -> Result<(), Distrust> {
    let wrong = |why: &str| Distrust::Inclusion { operation: inclusion.operation, why: why.into() };
    let receipt = &signed.receipt;
    if inclusion.operation.0 != receipt.operation {
        return Err(wrong("it is of another operation"));
    }
    let place = &receipt.place;
    if (inclusion.block, inclusion.batch, inclusion.position)
        != (place.block, place.batch, place.position)
    {
        return Err(wrong("it is at another place than the receipt says"));
    }
    let promised = Some(receipt.leaf);
    if leaf_of(inclusion.records.iter().map(|record| record.0.as_slice())) != promised {
        return Err(wrong("the receipt promises other records"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Bytes, Element};
    use bastion_protocol::path::empty_nodes;
    use bastion_protocol::receipt::Place;
    use bastion_protocol::{Account, Receipt};

    fn proof() -> AccountProof {
        let account = Account { balance: 7, ..Account::new(Fr::from(3_u64), 0) };
        let path: [Fr; DEPTH] = std::array::from_fn(|h| empty_nodes()[DEPTH - h]);
        let root = root_from_path(5, account.leaf(), &path);
        AccountProof {
            index: 5,
            account: Some(account),
            path: path.map(Element).to_vec(),
            root: Element(root),
            batch: 1,
            block: 1,
            finalized: false,
            pending: None,
        }
    }

    #[test]
    fn a_path_holds_for_its_leaf_alone() {
        assert_eq!(account(&proof()).unwrap(), proof().root.0);
        let changes: [fn(&mut AccountProof); 6] = [
            |p| p.index ^= 1,
            |p| p.account = None,
            |p| p.account.as_mut().unwrap().balance += 1,
            |p| p.path[31].0 += Fr::from(1_u64),
            |p| p.path.truncate(31),
            |p| p.root.0 += Fr::from(1_u64),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut other = proof();
            change(&mut other);
            assert!(matches!(account(&other), Err(Distrust::Path { .. })), "{i}");
        }
        // 2^40 is no time: packed, it would be another account's leaf.
        let mut other = proof();
        other.account.as_mut().unwrap().frozen_until = 1 << 40;
        assert!(account(&other).is_err());
    }

    #[test]
    fn records_are_those_that_the_receipt_promises() {
        let records = vec![Bytes(vec![1; 15]), Bytes(vec![3; 47])];
        let leaf = leaf_of(records.iter().map(|r| r.0.as_slice())).unwrap();
        let receipt = Receipt {
            epoch: 0,
            place: Place { block: 1, batch: 2, position: 3 },
            operation: [9; 32],
            leaf,
            time: 0,
        };
        let signed = SignedReceipt { receipt, signature: String::new() };
        let shown = Inclusion {
            operation: Hash([9; 32]),
            block: 1,
            batch: 2,
            position: 3,
            records,
            leaf: Element(leaf),
            offset: vec![0, 2],
            commit_transaction: None,
        };
        inclusion(&shown, &signed).unwrap();
        let changes: [fn(&mut Inclusion); 3] =
            [|i| i.operation.0[0] ^= 1, |i| i.position += 1, |i| i.records[0].0[0] ^= 1];
        for change in changes {
            let mut other = shown.clone();
            change(&mut other);
            assert!(inclusion(&other, &signed).is_err());
        }
    }
}
