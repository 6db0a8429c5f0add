/** Operations, the messages that are signed, and what is posted for them (protocol, sections 5 and 6). */
import { addressBytes, addressElement, type Address } from "./address.js";
import { concat, fromInteger, unsigned } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { elementToBytes, type Element } from "./field.js";
import { AMOUNT_BITS, encodeFloat, FEE_BITS } from "./float.js";
import { compress, TAG_MSG } from "./hash.js";
import type { PublicKey, SecretKey, Signature } from "./keys.js";

/**
 * The limit price of an order, `mantissa / 2^exponent`: the least units of the bought token for a unit of the
 * sold one. The mantissa has 64 bits, the exponent is at most 127.
 */
export interface Limit {
  mantissa: bigint;
  exponent: number;
}

const MANTISSA_BITS = 64;
const MAX_LIMIT_EXPONENT = 127;
/** Bits of the amount of an order. */
const ORDER_BITS = 112;

/**
 * Checks a limit and returns it.
 * @throws ProtocolError for a mantissa without its top bit or an exponent above 127.
 */
export function checkedLimit({ mantissa, exponent }: Limit): Limit {
  const exact = Number.isInteger(exponent) && exponent >= 0 && exponent <= MAX_LIMIT_EXPONENT;
  if (mantissa >> BigInt(MANTISSA_BITS - 1) !== 1n || !exact) {
    throw new ProtocolError(
      `limit ${mantissa} / 2^${exponent}`,
      "set the top bit of a mantissa of 64 bits, and an exponent of at most 127",
    );
  }
  return { mantissa, exponent };
}

/**
 * The least limit that is not below `bought / sold`: rounding never costs the order's owner.
 * @throws ProtocolError if the quotient is not at least 2^-64 and below 2^64.
 */
export function limitOf(bought: bigint, sold: bigint): Limit {
  const bits = (x: bigint) => x.toString(2).length;
  if (bought > 0n && sold > 0n) {
    // With this exponent the quotient is above 2^62 and below 2^64; if it is below 2^63, one more bit.
    const first = MANTISSA_BITS - 1 + bits(sold) - bits(bought);
    for (const exponent of [first, first + 1]) {
      if (exponent < 0 || exponent > MAX_LIMIT_EXPONENT) continue;
      const mantissa = ((bought << BigInt(exponent)) + sold - 1n) / sold;
      // Exactly 2^64 after rounding up: the same price with the next smaller exponent.
      if (mantissa >> BigInt(MANTISSA_BITS) !== 0n) {
        if (exponent > 0) return { mantissa: mantissa >> 1n, exponent: exponent - 1 };
        break;
      }
      if (mantissa >> BigInt(MANTISSA_BITS - 1) === 1n) return { mantissa, exponent };
    }
  }
  throw new ProtocolError(`limit ${bought} / ${sold}`, "ask for a quotient of at least 2^-64 and below 2^64");
}

/** The posted word of a limit, which has 71 bits. */
function limitWord(limit: Limit): bigint {
  const { mantissa, exponent } = checkedLimit(limit);
  return (mantissa << 7n) | BigInt(exponent);
}

/** What a signed operation does. Amounts are in the token's smallest unit, times in Unix seconds. */
export type Action =
  | { kind: "transfer"; to: number; amount: bigint }
  | { kind: "transfer_new"; keyhash: Element; exit: Address; amount: bigint }
  | { kind: "withdraw"; to: Address; amount: bigint }
  | { kind: "change_key"; keyhash: Element }
  | { kind: "freeze"; until: bigint; oldUntil: bigint }
  | { kind: "unfreeze"; oldUntil: bigint }
  /** `buy` is the token of the account `to`: it is signed, so that nobody can give `to` another one. */
  | { kind: "order"; to: number; buy: number; amount: bigint; limit: Limit };

/** The kinds that a key signs. */
export type SignedKind = Action["kind"];

/** The fields that are signed. */
export interface Body {
  /** The account that acts, or the target of a freeze. */
  account: number;
  /** Its token. */
  token: number;
  /** Its nonce; 0 for the guardian's operations. */
  nonce: number;
  /** Last time at which the operation is valid. */
  deadline: bigint;
  /** Fee in the token's smallest unit. */
  fee: bigint;
  action: Action;
}

export interface SignedOperation extends Body {
  op: "signed";
  key: PublicKey;
  signature: Signature;
}

export interface Deposit {
  op: "deposit";
  token: number;
  amount: bigint;
  keyhash: Element;
  exit: Address;
}

export interface ForcedExit {
  op: "forced_exit";
  index: number;
  token: number;
  exit: Address;
}

/**
 * A quote of the batch's auction, which the operator posts: the price of a token if `a` and `b` are one, with
 * the market from bit 96 on, otherwise the part by which orders at the margin are filled that sell `a` for `b`.
 */
export interface Quote {
  op: "quote";
  a: number;
  b: number;
  value: bigint;
}

/** The number of quotes in posted words and encodings. */
export const QUOTE_NUMBER = 8;

/** Padding. */
export interface Noop {
  op: "noop";
}

export type Operation = SignedOperation | Deposit | ForcedExit | Quote | Noop;

/** The number of each signed kind in posted words and encodings. */
export const KIND_NUMBERS: Readonly<Record<SignedKind, number>> = {
  transfer: 1,
  transfer_new: 2,
  withdraw: 3,
  change_key: 4,
  freeze: 5,
  unfreeze: 6,
  order: 7,
};

function u40(what: string, time: bigint): bigint {
  return unsigned(what, time, 40);
}

/** The 40-bit amount field of the posted word. */
function amountField(action: Action): bigint {
  switch (action.kind) {
    case "transfer":
    case "transfer_new":
    case "withdraw":
      return encodeFloat("amount", action.amount, AMOUNT_BITS);
    case "order":
      if (action.amount >> BigInt(ORDER_BITS) !== 0n) {
        throw new ProtocolError("amount of the order", `${action.amount} is outside 1 to 2^112 - 1`);
      }
      return encodeFloat("amount", action.amount, AMOUNT_BITS);
    case "freeze":
      return u40("until", action.until);
    case "change_key":
    case "unfreeze":
      return 0n;
  }
}

/** The elements of the message after the word; `ownExit` is the account's exit address. */
function extra(action: Action, ownExit: Address): Element[] {
  switch (action.kind) {
    case "transfer":
      return [];
    case "transfer_new":
      return [action.keyhash, addressElement(action.exit)];
    case "withdraw":
      return [addressElement(action.to), 0n];
    case "change_key":
      return [action.keyhash, addressElement(ownExit)];
    case "freeze":
    case "unfreeze":
      return [unsigned("old_until", action.oldUntil, 64), 0n];
    case "order":
      return [limitWord(action.limit), unsigned("buy", action.buy, 16)];
  }
}

/** The posted word of 120 bits; `created` is the index of a created account. */
function postedWord({ account, deadline, fee, action }: Body, created: number): bigint {
  const fee12 = encodeFloat("fee", fee, FEE_BITS);
  u40("deadline", deadline);
  const named = action.kind === "transfer" || action.kind === "order";
  const to = named ? action.to : action.kind === "transfer_new" ? created : 0;
  return (
    (BigInt(KIND_NUMBERS[action.kind]) << 116n) |
    (fee12 << 104n) |
    (unsigned("account", account, 32) << 72n) |
    (unsigned("to", to, 32) << 40n) |
    amountField(action)
  );
}

/**
 * The message that is signed, for a rollup (`domain`) and the exit address of the account, which only
 * a change of key names.
 * @throws ProtocolError if an amount or fee is no float, or a number too large for its field.
 */
export function message(body: Body, domain: Element, ownExit: Address): Element {
  const word =
    postedWord(body, 0) |
    (unsigned("nonce", body.nonce, 32) << 120n) |
    (unsigned("token", body.token, 16) << 152n) |
    (body.deadline << 168n);
  const start = compress(compress(compress(TAG_MSG, 4n), domain), word);
  return extra(body.action, ownExit).reduce(compress, start);
}

/**
 * Signs an operation.
 * @throws ProtocolError as {@link message}.
 */
export function sign(body: Body, key: SecretKey, domain: Element, ownExit: Address): SignedOperation {
  const signature = key.sign(message(body, domain, ownExit));
  return { op: "signed", ...body, key: key.publicKey(), signature };
}

/** Whether the operation's own key signed it. Whose key it is, the state says. */
export function isSigned(operation: SignedOperation, domain: Element, ownExit: Address): boolean {
  return operation.key.verify(message(operation, domain, ownExit), operation.signature);
}

/** What the operator decides about an operation. */
export interface Outcome {
  /** Index of the account that was created or credited; 0 where there is none. */
  index?: number;
  /** When an exit is let go; `undefined` where nothing leaves. */
  releaseTime?: bigint;
  /** Exit address of the account: a change of key posts it. */
  ownExit?: Address;
  /** Balance that left by a forced exit. */
  left?: bigint;
}

/**
 * The records that are posted for an operation, in the order in which a receipt hashes them.
 * @throws ProtocolError if the outcome lacks what the kind posts.
 */
export function records(operation: Operation, outcome: Outcome): Uint8Array<ArrayBuffer>[] {
  const needed = <T>(what: string, value: T | undefined): T => {
    if (value === undefined) throw new ProtocolError(what, "missing in the outcome");
    return value;
  };
  const owner = (keyhash: Element, exit: Address) => concat(elementToBytes(keyhash), addressBytes(exit));
  const exit = (to: Address, token: number, amount: bigint, index: number) =>
    concat(
      addressBytes(to),
      fromInteger("token", token, 2),
      fromInteger("release time", needed("release time", outcome.releaseTime), 5),
      fromInteger("amount", amount, 16),
      fromInteger("index", index, 4),
    );
  const queued = (kind: number, token: number, index: number, amount: bigint, keyhash: Element, to: Address) =>
    concat(
      Uint8Array.of(kind),
      fromInteger("token", token, 2),
      fromInteger("index", index, 4),
      fromInteger("amount", amount, 16),
      owner(keyhash, to),
    );
  switch (operation.op) {
    case "noop":
      return [];
    case "quote": {
      const { a, b, value } = operation;
      const tokens = (unsigned("a", a, 16) << 72n) | (unsigned("b", b, 16) << 40n);
      const word = (BigInt(QUOTE_NUMBER) << 116n) | tokens;
      return [fromInteger("posted word", word, 15), fromInteger("value", value, 15)];
    }
    case "deposit": {
      const { token, amount, keyhash } = operation;
      return [queued(1, token, needed("index", outcome.index), amount, keyhash, operation.exit)];
    }
    case "forced_exit": {
      const { token, index } = operation;
      const record = queued(2, token, index, 0n, 0n, operation.exit);
      return outcome.left === undefined ? [record] : [record, exit(operation.exit, token, outcome.left, index)];
    }
    case "signed": {
      const { action, token, account } = operation;
      const created = action.kind === "transfer_new" ? needed("index", outcome.index) : 0;
      const posted = [fromInteger("posted word", postedWord(operation, created), 15)];
      if (action.kind === "order") posted.push(fromInteger("limit", limitWord(action.limit), 15));
      if (action.kind === "transfer_new") posted.push(owner(action.keyhash, action.exit));
      if (action.kind === "change_key") posted.push(owner(action.keyhash, needed("exit address", outcome.ownExit)));
      if (action.kind === "withdraw") posted.push(exit(action.to, token, action.amount, account));
      return posted;
    }
  }
}
