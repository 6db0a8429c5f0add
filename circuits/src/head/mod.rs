#![doc = include_str!("README.md")]

use bastion_protocol::data::DataMode;
use bastion_protocol::hash::{compress, TAG_MSG, TAG_POLICY};
use bastion_protocol::inputs;
use bastion_protocol::policy::Policy;
use bastion_protocol::PublicInputs as Inputs;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::Statement;
use crate::core::{BlockWriter, Expr, RowBlock, Table, Term};
use crate::hash;
use crate::nodes;
use crate::ops;
use crate::policy;
use crate::signatures::{base_multiple_constant, MULTIPLES};
use crate::witness::convert::{small, to_halo2, to_state};
use crate::witness::LookupCounts;

/// Public inputs of a batch proof.
pub type PublicInputs = bastion_protocol::PublicInputs<Fr>;

fn public() -> [Expr; inputs::COUNT] {
    std::array::from_fn(|i| Expr::Public(i as i32))
}

const TOUCHED: Expr = Expr::nth(0);
const GUARDIAN: Expr = Expr::nth(1);
const MAX_FREEZE: Expr = Expr::nth(2);
const COOLDOWN: Expr = Expr::nth(3);
const FEE_KEYHASH: Expr = Expr::nth(4);
const FEE_EXIT: Expr = Expr::nth(5);
const LIMITS_ROOT: Expr = Expr::nth(6);
const FEE_OWNER: Expr = Expr::nth(7);
const M_DOMAIN: Expr = Expr::nth(8);
const POLICY_USES: Expr = Expr::nth(9);
/// The chain over batches before the counts are absorbed.
const MIDDLE: Expr = Expr::nth(15);
/// Chain of the policy hash before its last step.
const POLICY_CHAIN: usize = 10;
/// Polynomials and counts after the last operation.
const Y: usize = 16;
const COUNTS: usize = 20;
/// `r^2, r^4, .., r^65536`.
const POWERS: usize = 24;
const SQUARINGS: usize = 16;
/// Uses of the multiples of the base point.
const BASE_COUNTS: usize = 40;
/// Partial sums of `y_out`, from the highest power down.
const SUMS: usize = 56;
/// L2 and owner records in the blob.
const IN_BLOB: [Expr; 2] = [Expr::nth(60), Expr::nth(61)];
/// Operations, padding aside.
const OPERATIONS: Expr = Expr::nth(62);

/// `compress(tag, n)`: the constant start of a chain.
fn chain_head(tag: u64, n: u64) -> Fr {
    to_halo2(compress(bastion_protocol::Fr::from(tag), bastion_protocol::Fr::from(n)))
}

/// Constraints of the head, for circuits with `ops` operations.
pub fn head_block(ops: usize) -> RowBlock {
    let mut block = RowBlock::new(Table::Head);
    let public = Inputs::from_array(public());
    let Inputs { old_root, new_root, c_in, c_out, mode, .. } = public;
    let Inputs { policy_root, domain, time, r, .. } = public;
    block.constrain("sum_starts_at_zero", Expr::Sum(0));
    block.constrain("touched_flag", TOUCHED.boolean());
    block.constrain("untouched_root", !TOUCHED * (old_root - new_root));
    let y: [Expr; 4] = std::array::from_fn(|i| Expr::nth(Y + i));
    let counts: [Expr; 4] = std::array::from_fn(|i| Expr::nth(COUNTS + i));
    block.constrain("mode_flag", mode.boolean());
    let [in_blob_l2, in_blob_owners] = IN_BLOB;
    let [_, l2, _, owners] = counts;
    block.constrain("blob_l2", in_blob_l2 - mode * l2);
    block.constrain("blob_owners", in_blob_owners - mode * owners);
    data_sum(&mut block, &public, &y, &counts);

    let mut terms = vec![
        Term::consume(
            "root",
            TOUCHED,
            nodes::tuple(Expr::zero(), Expr::zero(), old_root, new_root),
        ),
        Term::produce(
            "first_state",
            Expr::one(),
            ops::state_tuple(
                Expr::zero(),
                Expr::zero(),
                std::array::from_fn(|_| Expr::zero()),
                std::array::from_fn(|_| Expr::zero()),
            ),
        ),
        Term::consume(
            "last_state",
            Expr::one(),
            ops::state_tuple(Expr::from(ops as u64), OPERATIONS, y, counts),
        ),
        Term::consume(
            "chain_counts",
            Expr::one(),
            hash::tuple(MIDDLE, packed_counts(&counts) + OPERATIONS * Expr::pow2(64), c_out),
        ),
        Term::produce("chain_before", Expr::one(), ops::place_tuple(Expr::zero(), c_in)),
        Term::consume("chain_after", Expr::one(), ops::place_tuple(Expr::zero(), MIDDLE)),
        Term::produce(
            "context",
            Expr::from(ops as u64),
            ops::context_tuple([
                time, r, M_DOMAIN, GUARDIAN, MAX_FREEZE, COOLDOWN, FEE_OWNER, mode, OPERATIONS,
            ]),
        ),
        Term::produce("blob", Expr::one(), statement(&public).tuple()),
        Term::produce("policy_context", POLICY_USES, policy::context_tuple(LIMITS_ROOT, time)),
        Term::consume(
            "message_domain",
            Expr::one(),
            hash::tuple(chain_head(TAG_MSG, 4).into(), domain, M_DOMAIN),
        ),
        Term::consume("fee_owner", Expr::one(), hash::tuple(FEE_KEYHASH, FEE_EXIT, FEE_OWNER)),
    ];
    let fields = [GUARDIAN, MAX_FREEZE, COOLDOWN, FEE_KEYHASH, FEE_EXIT, LIMITS_ROOT];
    let mut current = Expr::from(chain_head(TAG_POLICY, 6));
    for (i, field) in fields.into_iter().enumerate() {
        let next = match i {
            5 => policy_root,
            _ => Expr::nth(POLICY_CHAIN + i),
        };
        terms.push(Term::consume(
            format!("policy{i}"),
            Expr::one(),
            hash::tuple(current, field, next),
        ));
        current = next;
    }
    for j in 0..MULTIPLES {
        terms.push(Term::produce(
            format!("base_multiple{j}"),
            Expr::nth(BASE_COUNTS + j),
            base_multiple_constant(j),
        ));
    }
    block.bus_packed(0, terms);
    block
}

/// What the head says of the blob.
fn statement(public: &Inputs<Expr>) -> Statement<Expr> {
    let [l2, owners] = IN_BLOB;
    let Inputs { z, blob_in_low, blob_in_high, blob_out_low, blob_out_high, .. } = *public;
    let from = [blob_in_low, blob_in_high];
    Statement { z, l2, owners, from, to: [blob_out_low, blob_out_high] }
}

/// `y_out = y_in rho^5 + Y_4 rho^4 + .. + Y_1 rho + counts`, `rho = r^65536`, without `Y_2` and `Y_4`
/// if these are in a blob.
fn data_sum(block: &mut RowBlock, public: &Inputs<Expr>, y: &[Expr; 4], counts: &[Expr; 4]) {
    let Inputs { y_in, y_out, r, mode, .. } = *public;
    let [l1, l2, exits, owners] = *y;
    let y = [l1, !mode * l2, exits, !mode * owners];
    let mut power = r;
    for i in 0..SQUARINGS {
        let next = Expr::nth(POWERS + i);
        block.constrain(format!("power{i}"), next - power.square());
        power = next;
    }
    let mut sum = y_in;
    for i in 0..4 {
        let next = Expr::nth(SUMS + i);
        block.constrain(format!("data_sum{i}"), next - sum * power - y[3 - i]);
        sum = next;
    }
    block.constrain("data_sum", y_out - sum * power - packed_counts(counts));
}

/// `n_1 + n_2 2^16 + n_3 2^32 + n_4 2^48`.
fn packed_counts(counts: &[Expr; 4]) -> Expr {
    counts.iter().enumerate().map(|(i, n)| *n * Expr::pow2(16 * i as u32)).sum()
}

/// What the head needs besides the public inputs.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// The public inputs.
    pub public: PublicInputs,
    /// Where L2 and owner records are.
    pub mode: DataMode,
    /// The policy.
    pub policy: &'a Policy,
    /// Root of its tree of limits.
    pub limits_root: bastion_protocol::Fr,
    /// Whether any account was touched.
    pub touched: bool,
    /// The chain over batches before the counts are absorbed.
    pub middle: Fr,
    /// Operations, padding aside.
    pub operations: u64,
    /// Polynomials after the last operation.
    pub y: [Fr; 4],
    /// Records of each section.
    pub counts: [u64; 4],
    /// Uses of the policy context by limiter and policy blocks.
    pub policy_uses: u64,
    /// Uses of the multiples of the base point.
    pub base_counts: [u64; MULTIPLES],
}

/// `m_domain` (start of the message chain) and the owner of new fee accounts, noted once per batch.
pub fn constants(policy: &Policy, domain: Fr, pools: &mut LookupCounts) -> (Fr, Fr) {
    (
        pools.compress(chain_head(TAG_MSG, 4), domain),
        pools.compress(to_halo2(policy.fee_keyhash), to_halo2(policy.fee_exit.to_fr())),
    )
}

/// Assigns the head and notes the hashes of the policy; `constants` are those of [`constants`].
pub fn assign(
    writer: &mut BlockWriter<'_>,
    head: &Head<'_>,
    (m_domain, fee_owner): (Fr, Fr),
    pools: &mut LookupCounts,
) {
    let policy = head.policy;
    let fee_exit = to_halo2(policy.fee_exit.to_fr());
    let fields = [
        to_halo2(policy.guardian_keyhash),
        small(policy.max_freeze),
        small(policy.cooldown),
        to_halo2(policy.fee_keyhash),
        fee_exit,
        to_halo2(head.limits_root),
    ];
    writer.set(&TOUCHED, small(u64::from(head.touched)));
    let cells = [GUARDIAN, MAX_FREEZE, COOLDOWN, FEE_KEYHASH, FEE_EXIT, LIMITS_ROOT];
    let mut current = chain_head(TAG_POLICY, 6);
    for (i, (cell, field)) in cells.iter().zip(fields).enumerate() {
        writer.set(cell, field);
        current = pools.compress(current, field);
        if i < 5 {
            writer.nth(POLICY_CHAIN + i, current);
        }
    }
    writer.set(&FEE_OWNER, fee_owner);
    writer.set(&M_DOMAIN, m_domain);
    writer.set(&POLICY_USES, small(head.policy_uses));
    writer.set(&MIDDLE, head.middle);
    writer.set(&OPERATIONS, small(head.operations));
    for i in 0..4 {
        writer.nth(Y + i, head.y[i]);
        writer.nth(COUNTS + i, small(head.counts[i]));
    }
    let mut power = head.public.r;
    for i in 0..SQUARINGS {
        power = power.square();
        writer.nth(POWERS + i, power);
    }
    for (cell, section) in IN_BLOB.iter().zip([1, 3]) {
        writer.set(cell, small(head.mode.flag() * head.counts[section]));
    }
    let y = head.mode.in_calldata(head.y.map(|y| to_state(&y))).map(to_halo2);
    let mut sum = head.public.y_in;
    for i in 0..4 {
        sum = sum * power + y[3 - i];
        writer.nth(SUMS + i, sum);
    }
    for (j, count) in head.base_counts.iter().enumerate() {
        writer.nth(BASE_COUNTS + j, small(*count));
    }
}
