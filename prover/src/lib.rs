//! Bastion: SRS, keys, artifacts and parallel proving
