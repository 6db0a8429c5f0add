//! The hash of the contracts is the hash of `bastion-protocol`: `Poseidon2.sol` and the known answers
//! of the forge tests are written from it. `BASTION_BLESS=1` writes them again.
#![allow(clippy::unwrap_used)]

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::hash::{compress, round_constants, FULL_ROUNDS, PARTIAL_ROUNDS, WIDTH};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::{field, keys, Account, Address, Fr};
use bastion_state::tree::Tree;
use std::path::Path;

const LICENSE: &str = "// SPDX-License-Identifier: MIT OR Apache-2.0\npragma solidity 0.8.37;\n\n";
const MODULUS: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

fn hex(x: &Fr) -> String {
    field::to_hex(x)
}

fn list(elements: &[Fr]) -> String {
    let text = elements.iter().map(hex).collect::<Vec<_>>().join(", ");
    // The type of an array literal is that of its first element.
    text.replacen(", ", "), ", 1).replacen("0x", "uint256(0x", 1)
}

/// Round constants in the order of use: pairs of the full rounds, one of each partial round.
fn constants() -> Vec<Fr> {
    let constants = round_constants();
    let (first, last) = constants.external.split_at(constants.external.len() / 2);
    let mut all = first.concat();
    all.extend(constants.internal);
    all.extend(last.concat());
    all
}

/// The permutation: lane `x` stays below 3P, lane `y` below P in the partial rounds and below 3P in
/// the others, so that five summands never reach 2^256.
fn poseidon2() -> String {
    let table: String =
        constants().iter().map(|c| format!("\n            hex\"{}\"", &hex(c)[2..])).collect();
    let bytes = 32 * WIDTH * FULL_ROUNDS / 2;
    let full = format!(
        "            for {{ let end := add(c, {bytes}) }} lt(c, end) {{ c := add(c, 64) }} {{
                x := add(x, mload(c))
                u := mulmod(x, x, p)
                x := mulmod(mulmod(u, u, p), x, p)
                y := add(y, mload(add(c, 32)))
                u := mulmod(y, y, p)
                y := mulmod(mulmod(u, u, p), y, p)
                u := add(x, y)
                x := add(x, u)
                y := add(y, u)
            }}
"
    );
    // Four rounds a turn: the loop's own cost is as large as a quarter of a round.
    let partial: String = (0..4)
        .map(|i| {
            format!(
                "                x := add(x, mload(add(c, {})))
                u := mulmod(x, x, p)
                x := mulmod(mulmod(u, u, p), x, p)
                u := add(x, y)
                x := add(x, u)
                y := mod(add(u, add(y, y)), p)
",
                32 * i
            )
        })
        .collect();
    format!(
        "{LICENSE}/// @title Poseidon2 over the BN254 scalar field, width 2 (docs/protocol.md, section 1)
/// @notice Generated from `bastion-protocol`; a test generates it again and compares.
library Poseidon2 {{
    uint256 internal constant P = {MODULUS};

    /// @notice Round constants in the order of use, which `compress` reads.
    function constants() internal pure returns (bytes memory) {{
        return{table};
    }}

    /// @notice First lane of the permutation of (a, b), plus a.
    /// @param table What `constants` returns.
    /// @param a Must be below P: sums of up to five values below P are not reduced here.
    /// @param b Must be below P.
    function compress(bytes memory table, uint256 a, uint256 b) internal pure returns (uint256 h) {{
        assembly (\"memory-safe\") {{
            // P, which is odd, with its last bit set once more: the optimizer does not know, and
            // keeps the word on the stack instead of loading it from the code at every use.
            let p := or({MODULUS}, iszero(calldatasize()))
            let c := add(table, 32)
            let u := add(a, b)
            let x := add(a, u)
            let y := add(b, u)
{full}            y := mod(y, p)
            for {{ let end := add(c, {partial_bytes}) }} lt(c, end) {{ c := add(c, 128) }} {{
{partial}            }}
{full}            h := addmod(x, a, p)
        }}
    }}
}}
",
        partial_bytes = 32 * PARTIAL_ROUNDS,
    )
}

/// Answers of `bastion-protocol` that the contracts must give.
fn vectors() -> String {
    let small = [0_u64, 1, 2, 77].map(Fr::from);
    let minus_one = -Fr::from(1_u64);
    let mut inputs = vec![(minus_one, minus_one), (minus_one, Fr::from(0_u64))];
    inputs.extend(small.iter().zip(small.iter().rev()).map(|(a, b)| (*a, *b)));
    let (mut a, mut b) = (Fr::from(5_u64), Fr::from(6_u64));
    for _ in 0..6 {
        (a, b) = (compress(a, b), compress(b, a));
        inputs.push((a, b));
    }
    let cases: Vec<String> = inputs
        .iter()
        .map(|(a, b)| format!("[uint256({}), {}, {}]", hex(a), hex(b), hex(&compress(*a, *b))))
        .collect();

    let (keyhash, exit) = (compress(a, b), Address([0xa5; 20]));
    let account = Account {
        nonce: 0xfedc_ba98,
        balance: u128::MAX - 12_345,
        frozen_until: (1 << 40) - 7,
        ..Account::new(keys::owner(keyhash, exit), 0xbeef)
    };
    let index = FIRST_USER + 0x5a5a;
    let mut tree = Tree::new();
    let others = [0, 1, 0xffff, 0x1_0003, index ^ 1, index ^ 0x40, u32::MAX - 1];
    let mut leaves: Vec<(u32, Fr)> =
        others.iter().map(|i| (*i, compress(Fr::from(*i), a))).collect();
    leaves.push((index, account.leaf()));
    tree.update(&leaves);

    let limits = |rate, burst_seconds| TokenLimits { rate, burst_seconds, max_delay: 3_600 };
    let policy = Policy {
        guardian_keyhash: a,
        max_freeze: 1_000,
        cooldown: 2_000,
        fee_keyhash: b,
        fee_exit: Address([0xfe; 20]),
        default_limits: limits(1_000_000, 600),
        limits: [(3, limits(500, 60)), (0xa1, limits(7, 6))].into(),
    };
    let token = 3;
    let mut tighter = policy.clone();
    (tighter.max_freeze, tighter.cooldown) = (900, 2_100);
    tighter.limits.insert(token, limits(400, 50));
    let (path, _) = policy.limits_tree().path(token);
    format!(
        "{LICENSE}import {{L2State}} from \"../contracts/L2State.sol\";

/// Known answers, generated from `bastion-protocol`; a test generates them again and compares.
library Vectors {{
    /// Round constants in the order of use: pairs of the full rounds, one of each partial round.
    function constants() internal pure returns (uint256[72] memory) {{
        return [{constants}];
    }}

    function compressions() internal pure returns (uint256[3][{n}] memory) {{
        return [
            {cases}
        ];
    }}

    uint32 internal constant INDEX = {index};
    uint256 internal constant LEAF = {leaf};
    uint256 internal constant ROOT = {root};

    function account() internal pure returns (L2State.Account memory) {{
        return L2State.Account({keyhash}, {exit}, {token_of}, {nonce}, {balance}, {frozen});
    }}

    function path() internal pure returns (uint256[32] memory) {{
        return [{siblings}];
    }}

    uint16 internal constant TOKEN = {token};
    uint256 internal constant POLICY_ROOT = {policy_root};
    uint256 internal constant TIGHTER_ROOT = {tighter_root};

    function policy() internal pure returns (L2State.Policy memory) {{
        return L2State.Policy({guardian}, {max_freeze}, {cooldown}, {fee}, {fee_exit}, {limits_root});
    }}

    function limits() internal pure returns (L2State.Limits memory, L2State.Limits memory) {{
        return (L2State.Limits(500, 60, 3600), L2State.Limits(400, 50, 3600));
    }}

    function limitsPath() internal pure returns (uint256[16] memory) {{
        return [{limits_path}];
    }}
}}
",
        constants = list(&constants()),
        n = cases.len(),
        cases = cases.join(",\n            "),
        leaf = hex(&account.leaf()),
        root = hex(&tree.root()),
        keyhash = hex(&keyhash),
        exit = checksummed(&exit),
        token_of = account.token,
        nonce = account.nonce,
        balance = account.balance,
        frozen = account.frozen_until,
        siblings = list(&tree.path(index)),
        policy_root = hex(&policy.root()),
        tighter_root = hex(&tighter.root()),
        guardian = hex(&policy.guardian_keyhash),
        max_freeze = policy.max_freeze,
        cooldown = policy.cooldown,
        fee = hex(&policy.fee_keyhash),
        fee_exit = checksummed(&policy.fee_exit),
        limits_root = hex(&policy.limits_tree().root()),
        limits_path = list(&path),
    )
}

/// An address as Solidity wants it.
fn checksummed(address: &Address) -> String {
    alloy_primitives::Address::from(address.0).to_checksum(None)
}

fn is_committed(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BASTION_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{file} is not what `bastion-protocol` gives: run this test with BASTION_BLESS=1"
    );
}

#[test]
fn the_contracts_hash_is_that_of_the_state() {
    is_committed("contracts/Poseidon2.sol", &poseidon2());
}

#[test]
fn the_known_answers_of_the_contracts_are_those_of_the_state() {
    is_committed("test/Vectors.sol", &vectors());
}
