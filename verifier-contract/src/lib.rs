//! Bastion: L1 contracts, their bindings, the verifier generator and the embedded EVM
