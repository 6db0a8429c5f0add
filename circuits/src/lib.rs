//! Bastion: the batch circuit
