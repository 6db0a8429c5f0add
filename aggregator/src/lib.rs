//! Bastion: recursion, the final proof for the EVM
