// N transfers between random pairs of accounts in a tree of depth 32, the same for every system that
// proves them. What differs is the scheme: `hash` of a list of numbers, `key` of a seed and `sign`.
import { createHash } from "node:crypto";

export const DEPTH = 32;

/** Ways to cheat in the last transfer; all else in it is done as an honest prover would. */
export const CHEATS = {
  overdraw: "more than the sender has",
  balance: "a balance above that of the leaf",
  amount: "the amount changed after signing",
  signature: "a signature by another key",
  nonce: "the nonce of an earlier transfer",
};

/** Sparse Merkle tree: nodes that differ from those of the empty tree. */
class Tree {
  constructor(hash) {
    this.hash = hash;
    this.levels = Array.from({ length: DEPTH + 1 }, () => new Map());
    this.empty = [0n];
    for (let i = 0; i < DEPTH; i++) this.empty.push(hash([this.empty[i], this.empty[i]]));
  }

  node(level, index) {
    return this.levels[level].get(index) ?? this.empty[level];
  }

  set(index, leaf) {
    this.levels[0].set(index, leaf);
    for (let level = 0; level < DEPTH; level++) {
      index >>= 1n;
      const children = [this.node(level, 2n * index), this.node(level, 2n * index + 1n)];
      this.levels[level + 1].set(index, this.hash(children));
    }
  }

  siblings(index) {
    const levels = Array.from({ length: DEPTH }, (_, level) => level);
    return levels.map((level) => this.node(level, (index >> BigInt(level)) ^ 1n));
  }

  get root() {
    return this.node(DEPTH, 0n);
  }
}

/** The same numbers in every run. */
export function random(label, bits) {
  const digest = createHash("sha256").update(`peers ${label}`).digest("hex");
  return BigInt("0x" + digest) >> BigInt(256 - bits);
}

const MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

export function transfers(n, { hash, key, sign }, cheat) {
  const leaf = (a) => hash([a.x, a.y, a.token, a.nonce, a.balance]);
  const accounts = new Map();
  const tree = new Tree(hash);
  // Dense indices, as a rollup hands them out.
  const pick = (label) => {
    const index = random(label, 20);
    if (!accounts.has(index)) {
      const account = {
        ...key(`key ${index}`),
        token: 1n,
        nonce: random(`nonce ${index}`, 16),
        balance: random(`balance ${index}`, 80),
      };
      accounts.set(index, account);
      tree.set(index, leaf(account));
    }
    return index;
  };
  const pairs = Array.from({ length: n }, (_, i) => [pick(`from ${i}`), pick(`to ${i}`)]);

  const oldRoot = tree.root;
  const list = pairs.map(([from, to], i) => {
    const bad = i === n - 1 ? cheat : undefined;
    const [sender, receiver] = [accounts.get(from), accounts.get(to)];
    const before = { ...sender, siblings: tree.siblings(from) };
    if (bad === "balance") before.balance += 1n;
    if (bad === "nonce") before.nonce -= 1n;
    let amount = bad === "overdraw" ? before.balance + 1n : random(`amount ${i}`, 60);
    const signer = bad === "signature" ? receiver : sender;
    const signature = sign(signer, [from, to, sender.token, amount, before.nonce], before);
    if (bad === "amount") amount += 1n;
    sender.nonce = before.nonce + 1n;
    sender.balance = (before.balance - amount + MODULUS) % MODULUS;
    tree.set(from, leaf(sender));

    const other = { ...receiver, siblings: tree.siblings(to) };
    receiver.balance += amount;
    tree.set(to, leaf(receiver));
    return { from, to, token: sender.token, amount, signature, sender: before, receiver: other };
  });
  return { oldRoot, newRoot: tree.root, list };
}
