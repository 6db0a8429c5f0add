/** Accounts, leaves and Merkle paths of the state tree (protocol, section 3). */
import { unsigned } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import type { Element } from "./field.js";
import { compress } from "./hash.js";

/** Depth of the tree: leaves are level 32, the root is level 0. */
export const DEPTH = 32;
/** First index of the limiters; below are the fee accounts. */
export const FIRST_LIMITER = 2 ** 16;
/** First index of users' accounts. */
export const FIRST_USER = 2 ** 17;

/** The content of a leaf. */
export interface Account {
  /** Hash of key hash and exit address; 0 for a limiter. */
  owner: Element;
  token: number;
  nonce: number;
  /** In the token's smallest unit; for a limiter a time. */
  balance: bigint;
  /** First second at which it is not frozen any more; 0 if it never was frozen. */
  frozenUntil: number;
}

/**
 * The leaf of an account, or of an empty place.
 * @throws ProtocolError if a number does not fit its field.
 */
export function leafOf(account: Account | null): Element {
  if (account === null) return 0n;
  const packed =
    unsigned("token", account.token, 16) |
    (unsigned("nonce", account.nonce, 32) << 16n) |
    (unsigned("balance", account.balance, 128) << 48n) |
    (unsigned("frozen_until", account.frozenUntil, 40) << 176n);
  return compress(account.owner, packed);
}

/**
 * The root that a leaf and its siblings (from the leaf up) give.
 * @throws ProtocolError if there are not 32 siblings, or the index is no u32.
 */
export function rootFromPath(index: number, leaf: Element, path: readonly Element[]): Element {
  if (path.length !== DEPTH) {
    throw new ProtocolError("path", `expected ${DEPTH} siblings, got ${path.length}`);
  }
  const bits = unsigned("index", index, 32);
  return path.reduce(
    (node, sibling, height) =>
      (bits >> BigInt(height)) & 1n ? compress(sibling, node) : compress(node, sibling),
    leaf,
  );
}

/** Roots of empty subtrees by height: `[0]` is the empty leaf, `[32]` the root of the empty tree. */
export function emptyNodes(): Element[] {
  const nodes: Element[] = [0n];
  for (let node = 0n; nodes.length <= DEPTH; ) {
    node = compress(node, node);
    nodes.push(node);
  }
  return nodes;
}
