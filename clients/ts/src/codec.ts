/** The one binary encoding of operations (protocol, section 5.8). */
import { addressBytes } from "./address.js";
import { concat, fromInteger, toHex, toInteger } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { elementFromBytes, elementToBytes, type Element } from "./field.js";
import { PublicKey, Signature } from "./keys.js";
import {
  checkedLimit,
  KIND_NUMBERS,
  QUOTE_NUMBER,
  type Action,
  type Body,
  type Limit,
  type Operation,
  type SignedKind,
} from "./operation.js";

const WHAT = "operation";
const NOOP = 0x00;
const DEPOSIT = 0x81;
const FORCED_EXIT = 0x82;

const KINDS = new Map(Object.entries(KIND_NUMBERS).map(([kind, number]) => [number, kind as SignedKind]));

const u16 = (what: string, x: number) => fromInteger(what, x, 2);
const u32 = (what: string, x: number) => fromInteger(what, x, 4);
const u64 = (what: string, x: bigint) => fromInteger(what, x, 8);
const u128 = (what: string, x: bigint) => fromInteger(what, x, 16);

function encodeAction(action: Action): Uint8Array[] {
  switch (action.kind) {
    case "transfer":
      return [u32("to", action.to), u128("amount", action.amount)];
    case "transfer_new":
      return [elementToBytes(action.keyhash), addressBytes(action.exit), u128("amount", action.amount)];
    case "withdraw":
      return [addressBytes(action.to), u128("amount", action.amount)];
    case "change_key":
      return [elementToBytes(action.keyhash)];
    case "freeze":
      return [u64("until", action.until), u64("old_until", action.oldUntil)];
    case "unfreeze":
      return [u64("old_until", action.oldUntil)];
    case "order": {
      const { mantissa, exponent } = checkedLimit(action.limit);
      const limit = [u64("mantissa", mantissa), fromInteger("exponent", exponent, 1)];
      return [u32("to", action.to), u16("buy", action.buy), u128("amount", action.amount), ...limit];
    }
  }
}

/**
 * Encodes an operation.
 * @throws ProtocolError if a number is too large for its field.
 */
export function encode(operation: Operation): Uint8Array<ArrayBuffer> {
  switch (operation.op) {
    case "noop":
      return Uint8Array.of(NOOP);
    case "deposit": {
      const { token, amount, keyhash, exit } = operation;
      const fields = [u16("token", token), u128("amount", amount), elementToBytes(keyhash), addressBytes(exit)];
      return concat(Uint8Array.of(DEPOSIT), ...fields);
    }
    case "forced_exit": {
      const { index, token, exit } = operation;
      return concat(Uint8Array.of(FORCED_EXIT), u32("index", index), u16("token", token), addressBytes(exit));
    }
    case "quote": {
      const { a, b, value } = operation;
      return concat(Uint8Array.of(QUOTE_NUMBER), u16("a", a), u16("b", b), u128("value", value));
    }
    case "signed":
      return concat(
        Uint8Array.of(KIND_NUMBERS[operation.action.kind]),
        u32("account", operation.account),
        u16("token", operation.token),
        u32("nonce", operation.nonce),
        u64("deadline", operation.deadline),
        u128("fee", operation.fee),
        ...encodeAction(operation.action),
        operation.key.toBytes(),
        operation.signature.toBytes(),
      );
  }
}

class Reader {
  #at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.bytes.length) {
      throw new ProtocolError(WHAT, `ends after ${this.bytes.length} bytes: ${end} are needed`);
    }
    const taken = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  end(): void {
    if (this.#at !== this.bytes.length) {
      throw new ProtocolError(WHAT, `expected ${this.#at} bytes, got ${this.bytes.length}`);
    }
  }

  number(length: 1 | 2 | 4): number {
    return Number(toInteger(this.take(length)));
  }

  integer(length: 8 | 16): bigint {
    return toInteger(this.take(length));
  }

  keyhash(): Element {
    return elementFromBytes("keyhash", this.take(32));
  }

  address(): string {
    return toHex(this.take(20));
  }

  action(kind: SignedKind): Action {
    // Fields are evaluated in the order written here, which is that of the encoding.
    switch (kind) {
      case "transfer":
        return { kind, to: this.number(4), amount: this.integer(16) };
      case "transfer_new":
        return { kind, keyhash: this.keyhash(), exit: this.address(), amount: this.integer(16) };
      case "withdraw":
        return { kind, to: this.address(), amount: this.integer(16) };
      case "change_key":
        return { kind, keyhash: this.keyhash() };
      case "freeze":
        return { kind, until: this.integer(8), oldUntil: this.integer(8) };
      case "unfreeze":
        return { kind, oldUntil: this.integer(8) };
      case "order":
        return { kind, to: this.number(4), buy: this.number(2), amount: this.integer(16), limit: this.limit() };
    }
  }

  limit(): Limit {
    return checkedLimit({ mantissa: this.integer(8), exponent: this.number(1) });
  }

  body(kind: SignedKind): Body {
    return {
      account: this.number(4),
      token: this.number(2),
      nonce: this.number(4),
      deadline: this.integer(8),
      fee: this.integer(16),
      action: this.action(kind),
    };
  }

  operation(): Operation {
    const tag = this.number(1);
    switch (tag) {
      case NOOP:
        return { op: "noop" };
      case DEPOSIT:
        return {
          op: "deposit",
          token: this.number(2),
          amount: this.integer(16),
          keyhash: this.keyhash(),
          exit: this.address(),
        };
      case FORCED_EXIT:
        return { op: "forced_exit", index: this.number(4), token: this.number(2), exit: this.address() };
      case QUOTE_NUMBER:
        return { op: "quote", a: this.number(2), b: this.number(2), value: this.integer(16) };
      default: {
        const kind = KINDS.get(tag);
        if (kind === undefined) {
          throw new ProtocolError(WHAT, `unknown tag 0x${tag.toString(16).padStart(2, "0")}`);
        }
        return {
          op: "signed",
          ...this.body(kind),
          key: PublicKey.fromBytes(this.take(PublicKey.LENGTH)),
          signature: Signature.fromBytes(this.take(Signature.LENGTH)),
        };
      }
    }
  }
}

/**
 * Reads an encoding. Whether amounts and times fit the wire is the executor's matter.
 * @throws ProtocolError if the tag is unknown, bytes are missing or left, or a field element, key,
 * signature or limit is not valid.
 */
export function decode(bytes: Uint8Array): Operation {
  const reader = new Reader(bytes);
  const operation = reader.operation();
  reader.end();
  return operation;
}
