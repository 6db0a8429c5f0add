//! The `bastion` command line.
fn main() {}
