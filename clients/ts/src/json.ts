/** The JSON form of operations (protocol, section 5.9). */
import { amountFromText, fromHex, unsigned } from "./bytes.js";
import { address } from "./address.js";
import { ProtocolError } from "./errors.js";
import { elementFromHex, elementToHex } from "./field.js";
import { PublicKey, Signature } from "./keys.js";
import {
  checkedLimit,
  KIND_NUMBERS,
  type Action,
  type Body,
  type Limit,
  type Operation,
  type SignedKind,
} from "./operation.js";

type Json = Record<string, unknown>;

/** A time as a JSON number. @throws ProtocolError beyond 2^53, where JSON numbers lose digits. */
function time(what: string, value: bigint): number {
  return Number(unsigned(what, value, 53));
}

function actionToJson(action: Action): Json {
  switch (action.kind) {
    case "transfer":
    case "withdraw":
      return { ...action, amount: String(action.amount) };
    case "transfer_new":
      return { ...action, keyhash: elementToHex(action.keyhash), amount: String(action.amount) };
    case "change_key":
      return { ...action, keyhash: elementToHex(action.keyhash) };
    case "freeze":
      return {
        kind: action.kind,
        until: time("until", action.until),
        old_until: time("old_until", action.oldUntil),
      };
    case "unfreeze":
      return { kind: action.kind, old_until: time("old_until", action.oldUntil) };
    case "order": {
      const { mantissa, exponent } = checkedLimit(action.limit);
      return { ...action, amount: String(action.amount), limit: { mantissa: String(mantissa), exponent } };
    }
  }
}

/**
 * Writes an operation as JSON.
 * @throws ProtocolError for times beyond 2^53.
 */
export function toJson(operation: Operation): Json {
  switch (operation.op) {
    case "noop":
    case "forced_exit":
      return { ...operation };
    case "deposit":
      return { ...operation, amount: String(operation.amount), keyhash: elementToHex(operation.keyhash) };
    case "quote":
      return { ...operation, value: String(operation.value) };
    case "signed": {
      const { op, account, token, nonce, deadline, fee, action, key, signature } = operation;
      const body = { op, account, token, nonce, deadline: time("deadline", deadline), fee: String(fee) };
      return { ...body, ...actionToJson(action), key: String(key), signature: String(signature) };
    }
  }
}

class Fields {
  readonly #left: Map<string, unknown>;
  constructor(json: unknown) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new ProtocolError("operation", "expected a JSON object");
    }
    this.#left = new Map(Object.entries(json));
  }

  #take(name: string): unknown {
    const value = this.#left.get(name);
    if (value === undefined) throw new ProtocolError("operation", `field ${name} is missing`);
    this.#left.delete(name);
    return value;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== "string") throw new ProtocolError(name, "expected a string");
    return value;
  }

  number(name: string, bits: number): number {
    const value = this.#take(name);
    if (typeof value !== "number") throw new ProtocolError(name, "expected a number");
    return Number(unsigned(name, value, bits));
  }

  time(name: string): bigint {
    return BigInt(this.number(name, 53));
  }

  amount(name: string): bigint {
    return amountFromText(name, this.text(name));
  }

  keyhash(): bigint {
    return elementFromHex("keyhash", this.text("keyhash"));
  }

  address(name: string): string {
    return address(this.text(name));
  }

  limit(): Limit {
    const fields = new Fields(this.#take("limit"));
    const limit = { mantissa: fields.amount("mantissa"), exponent: fields.number("exponent", 8) };
    fields.end();
    return checkedLimit(limit);
  }

  end(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) throw new ProtocolError("operation", `unknown field ${name}`);
  }
}

function actionFrom(fields: Fields): Action {
  const kind = fields.text("kind");
  if (!Object.hasOwn(KIND_NUMBERS, kind)) {
    throw new ProtocolError("operation", `unknown kind ${JSON.stringify(kind)}`);
  }
  switch (kind as SignedKind) {
    case "transfer":
      return { kind: "transfer", to: fields.number("to", 32), amount: fields.amount("amount") };
    case "transfer_new": {
      const [keyhash, exit, amount] = [fields.keyhash(), fields.address("exit"), fields.amount("amount")];
      return { kind: "transfer_new", keyhash, exit, amount };
    }
    case "withdraw":
      return { kind: "withdraw", to: fields.address("to"), amount: fields.amount("amount") };
    case "change_key":
      return { kind: "change_key", keyhash: fields.keyhash() };
    case "freeze":
      return { kind: "freeze", until: fields.time("until"), oldUntil: fields.time("old_until") };
    case "unfreeze":
      return { kind: "unfreeze", oldUntil: fields.time("old_until") };
    case "order": {
      const [to, buy] = [fields.number("to", 32), fields.number("buy", 16)];
      return { kind: "order", to, buy, amount: fields.amount("amount"), limit: fields.limit() };
    }
  }
}

function bodyFrom(fields: Fields): Body {
  return {
    account: fields.number("account", 32),
    token: fields.number("token", 16),
    nonce: fields.number("nonce", 32),
    deadline: fields.time("deadline"),
    fee: fields.amount("fee"),
    action: actionFrom(fields),
  };
}

function operationFrom(fields: Fields): Operation {
  const op = fields.text("op");
  switch (op) {
    case "noop":
      return { op };
    case "deposit": {
      const [token, amount] = [fields.number("token", 16), fields.amount("amount")];
      return { op, token, amount, keyhash: fields.keyhash(), exit: fields.address("exit") };
    }
    case "forced_exit": {
      const [index, token] = [fields.number("index", 32), fields.number("token", 16)];
      return { op, index, token, exit: fields.address("exit") };
    }
    case "quote":
      return { op, a: fields.number("a", 16), b: fields.number("b", 16), value: fields.amount("value") };
    case "signed": {
      const body = bodyFrom(fields);
      const key = PublicKey.fromBytes(fromHex("public key", fields.text("key"), PublicKey.LENGTH));
      const signature = fromHex("signature", fields.text("signature"), Signature.LENGTH);
      return { op, ...body, key, signature: Signature.fromBytes(signature) };
    }
    default:
      throw new ProtocolError("operation", `unknown op ${JSON.stringify(op)}`);
  }
}

/**
 * Reads an operation from JSON.
 * @throws ProtocolError for missing, unknown or invalid fields.
 */
export function fromJson(json: unknown): Operation {
  const fields = new Fields(json);
  const operation = operationFrom(fields);
  fields.end();
  return operation;
}
