/**
 * JSON as the protocol's files have it: integers alone, and no name twice in an object. `JSON.parse` would
 * take `1e1` and `2.0` for integers, and the last of two fields.
 */
import { Refused } from "./refused.js";

export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>;

/** Deeper than any file of the protocol. */
const DEPTH = 16;
const BLANK = /[ \t\n\r]*/y;
const INTEGER = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const WORDS = new Map<string, null | boolean>([["null", null], ["true", true], ["false", false]]);

class Reader {
  #at = 0;
  constructor(
    private readonly what: string,
    private readonly text: string,
  ) {}

  fail(why: string): never {
    throw new Refused("json", `${this.what}: ${why} at character ${this.#at}`);
  }

  #blank(): void {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.text);
    this.#at = BLANK.lastIndex;
  }

  /** Takes a sign, if it is the next one. */
  #skip(sign: string): boolean {
    this.#blank();
    const found = this.text[this.#at] === sign;
    if (found) this.#at += 1;
    return found;
  }

  #expect(sign: string): void {
    if (!this.#skip(sign)) this.fail(`expected ${sign}`);
  }

  #string(): string {
    const start = this.#at;
    this.#expect('"');
    for (; this.text[this.#at] !== '"'; this.#at++) {
      if (this.#at >= this.text.length) this.fail("a text without end");
      if (this.text[this.#at] === "\\") this.#at += 1;
    }
    this.#at += 1;
    try {
      return JSON.parse(this.text.slice(start, this.#at)) as string;
    } catch {
      return this.fail("malformed text");
    }
  }

  #list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at += 1;
    if (this.#skip(end)) return items;
    do items.push(item());
    while (this.#skip(","));
    this.#expect(end);
    return items;
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    const object = new Map<string, Json>();
    this.#list("}", () => {
      this.#blank();
      const name = this.#string();
      this.#expect(":");
      if (object.has(name)) this.fail(`field ${name} stands twice`);
      object.set(name, this.#value(depth + 1));
    });
    return object;
  }

  #value(depth: number): Json {
    if (depth > DEPTH) this.fail("too deep");
    this.#blank();
    const sign = this.text[this.#at];
    if (sign === "{") return this.#object(depth);
    if (sign === "[") return this.#list("]", () => this.#value(depth + 1));
    if (sign === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    INTEGER.lastIndex = this.#at;
    const digits = INTEGER.exec(this.text)?.[0];
    if (digits === undefined || digits === "-0" || !Number.isSafeInteger(Number(digits))) {
      this.fail("expected a value; numbers are integers below 2^53");
    }
    this.#at += digits.length;
    return Number(digits);
  }

  whole(): Json {
    const value = this.#value(0);
    this.#blank();
    if (this.#at !== this.text.length) this.fail("something follows");
    return value;
  }
}

/** Reads a text. `what` names it in messages. */
export function parseJson(what: string, text: string): Json {
  return new Reader(what, text).whole();
}

/** The value as an object. */
export function objectOf(what: string, json: Json): ReadonlyMap<string, Json> {
  if (!(json instanceof Map)) throw new Refused("json", `${what} is no object`);
  return json as ReadonlyMap<string, Json>;
}

/** The fields of an object, which has these and no others. */
export function fieldsOf<K extends string>(what: string, json: Json, names: readonly K[]): Record<K, Json> {
  const object = objectOf(what, json);
  const missing = names.find((name) => !object.has(name));
  if (missing !== undefined) throw new Refused("json", `${what} has no field ${missing}`);
  const further = [...object.keys()].find((name) => !(names as readonly string[]).includes(name));
  if (further !== undefined) throw new Refused("json", `${what} has a further field ${further}`);
  return Object.fromEntries(names.map((name) => [name, object.get(name)])) as Record<K, Json>;
}

/** The items of a list: `length` of them, if it is given. */
export function listOf(what: string, json: Json, length?: number): readonly Json[] {
  if (!Array.isArray(json)) throw new Refused("json", `${what} is no list`);
  if (length !== undefined && json.length !== length) {
    throw new Refused("json", `${what} has ${json.length} items, not ${length}`);
  }
  return json as readonly Json[];
}

/** An integer that is not below `from` and not above `to`. */
export function integerOf(what: string, json: Json, from: number, to: number): number {
  if (typeof json !== "number" || json < from || json > to) {
    throw new Refused("json", `${what} is no integer from ${from} to ${to}`);
  }
  return json;
}

/** A text of exactly that form. */
export function textOf(what: string, json: Json, form: RegExp): string {
  if (typeof json !== "string" || !form.test(json)) throw new Refused("json", `${what} is not of the form ${form.source}`);
  return json;
}

/** `0x` and 64 lower-case digits, as an integer: not yet compared with any order. */
export function wordOf(what: string, json: Json): bigint {
  return BigInt(textOf(what, json, /^0x[0-9a-f]{64}$/));
}
