//! Bastion: field, hash, keys, operations, accounts, tree, executor and store
