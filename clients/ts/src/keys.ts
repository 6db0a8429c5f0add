/** BabyJubJub keys and signatures (protocol, section 2). */
import { edwards } from "@noble/curves/abstract/edwards.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { concat, fromInteger, toHex, toInteger } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { elementFromBytes, elementToBytes, MODULUS, type Element } from "./field.js";
import { chain, compress, TAG_SIG } from "./hash.js";

/** Order of the prime subgroup. */
export const ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;

/** The curve `x^2 + y^2 = 1 + d x^2 y^2`, whose cofactor is 8. */
const Point = edwards({
  p: MODULUS,
  n: ORDER,
  h: 8n,
  a: 1n,
  d: 9706598848417545097372247223557719406784115219466060233080913168975159366771n,
  Gx: 19698561148652590122159747500897617769866003486955115824547446575314762165298n,
  Gy: 19298250018296453272277890825869354524455968081175474282777126169995084727839n,
});
type Point = InstanceType<typeof Point>;

const utf8 = new TextEncoder();

/** BLAKE2b of the parts, each with its length, as a scalar that is not zero. */
function hashToScalar(domain: string, ...parts: Uint8Array[]): bigint {
  const content = parts.flatMap((part) => [fromInteger("length", part.length, 8), part]);
  for (let counter = 0; ; counter++) {
    const input = concat(utf8.encode(domain), fromInteger("counter", counter, 1), ...content);
    const scalar = toInteger(blake2b(input)) % ORDER;
    if (scalar !== 0n) return scalar;
  }
}

function readPoint(what: string, bytes: Uint8Array): Point {
  const x = elementFromBytes(what, bytes.subarray(0, 32));
  const y = elementFromBytes(what, bytes.subarray(32));
  try {
    const point = Point.fromAffine({ x, y });
    point.assertValidity();
    return point;
  } catch {
    throw new ProtocolError(what, "not on the curve");
  }
}

/** On the curve. The library's own test refuses the identity, which R may be and `x` and `y` can write. */
function onCurve(what: string, bytes: Uint8Array): Point {
  const identity = toInteger(bytes.subarray(0, 32)) === 0n && toInteger(bytes.subarray(32)) === 1n;
  return identity ? Point.ZERO : readPoint(what, bytes);
}

function pointToBytes(point: Point): Uint8Array<ArrayBuffer> {
  const { x, y } = point.toAffine();
  return concat(elementToBytes(x), elementToBytes(y));
}

function checkLength(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) {
    throw new ProtocolError(what, `expected ${expected} bytes, got ${bytes.length}`);
  }
}

/** `h = chain(TAG_SIG; R.x, R.y, keyhash, message)`. */
function challenge(r: Point, keyhash: Element, message: Element): Element {
  const { x, y } = r.toAffine();
  return chain(TAG_SIG, [x, y, keyhash, message]);
}

/** A public key: a point of the prime subgroup that is not the identity. Only valid keys can be built. */
export class PublicKey {
  /** Length of the encoding: x and y. */
  static readonly LENGTH = 64;
  readonly #point: Point;

  private constructor(point: Point) {
    this.#point = point;
  }

  /**
   * Reads x and y.
   * @throws ProtocolError if a coordinate is not canonical or the point is no key.
   */
  static fromBytes(bytes: Uint8Array): PublicKey {
    const what = "public key";
    checkLength(what, bytes, PublicKey.LENGTH);
    const point = onCurve(what, bytes);
    if (point.is0()) throw new ProtocolError(what, "the identity is no key");
    if (!point.isTorsionFree()) throw new ProtocolError(what, "not in the prime subgroup");
    return new PublicKey(point);
  }

  /** x and y, 32 bytes each. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return pointToBytes(this.#point);
  }

  /** `0x` and the hex digits of the encoding. */
  toString(): string {
    return toHex(this.toBytes());
  }

  /** `compress(A.x, A.y)`. */
  keyhash(): Element {
    const { x, y } = this.#point.toAffine();
    return compress(x, y);
  }

  /** Whether the signature is this key's for the message: `8 (S B - h A - R) = O`. */
  verify(message: Element, signature: Signature): boolean {
    const r = signature.point();
    const h = challenge(r, this.keyhash(), message) % ORDER;
    const sum = Point.BASE.multiplyUnsafe(signature.s)
      .subtract(this.#point.multiplyUnsafe(h))
      .subtract(r);
    return sum.clearCofactor().is0();
  }
}

/** A signature that was read: R is on the curve, S below the order. */
export class Signature {
  /** Length of the encoding: R.x, R.y, S. */
  static readonly LENGTH = 96;
  readonly #r: Point;

  private constructor(
    r: Point,
    /** Response. */
    readonly s: bigint,
  ) {
    this.#r = r;
  }

  /**
   * Reads R.x, R.y and S.
   * @throws ProtocolError if a coordinate is not canonical, R is not on the curve, or S too large.
   */
  static fromBytes(bytes: Uint8Array): Signature {
    checkLength("signature", bytes, Signature.LENGTH);
    const r = onCurve("signature R", bytes.subarray(0, 64));
    const s = toInteger(bytes.subarray(64));
    if (s >= ORDER) {
      throw new ProtocolError("signature S", `${toHex(bytes.subarray(64))} is outside 0..l`);
    }
    return new Signature(r, s);
  }

  /** R.x, R.y and S, 32 bytes each. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return concat(pointToBytes(this.#r), fromInteger("signature S", this.s, 32));
  }

  /** `0x` and the hex digits of the encoding. */
  toString(): string {
    return toHex(this.toBytes());
  }

  /** R. @internal */
  point(): Point {
    return this.#r;
  }
}

/** A secret key. It is not shown by `console.log`, `String` or `JSON.stringify`. */
export class SecretKey {
  readonly #scalar: bigint;

  private constructor(scalar: bigint) {
    this.#scalar = scalar;
  }

  /** The key of a seed, which must have the entropy that the key needs. */
  static fromSeed(seed: Uint8Array): SecretKey {
    return new SecretKey(hashToScalar("bastion.key.v1", seed));
  }

  /** A new key, from the random numbers of the platform. */
  static random(): SecretKey {
    return SecretKey.fromSeed(crypto.getRandomValues(new Uint8Array(64)));
  }

  /**
   * Reads 32 big-endian bytes.
   * @throws ProtocolError if the integer is not in `[1, l)`; the value is not shown.
   */
  static fromBytes(bytes: Uint8Array): SecretKey {
    checkLength("secret key", bytes, 32);
    const scalar = toInteger(bytes);
    if (scalar === 0n || scalar >= ORDER) {
      throw new ProtocolError("secret key", "(hidden) is outside 1..l");
    }
    return new SecretKey(scalar);
  }

  /** The secret as 32 big-endian bytes. Handle with care. */
  exposeBytes(): Uint8Array<ArrayBuffer> {
    return fromInteger("secret key", this.#scalar, 32);
  }

  /** The public key `A = s B`. */
  publicKey(): PublicKey {
    return PublicKey.fromBytes(pointToBytes(Point.BASE.multiply(this.#scalar)));
  }

  /** Signs a message. The signature follows from key and message alone. */
  sign(message: Element): Signature {
    const nonce = hashToScalar("bastion.nonce.v1", this.exposeBytes(), elementToBytes(message));
    const r = Point.BASE.multiply(nonce);
    const h = challenge(r, this.publicKey().keyhash(), message);
    const s = (nonce + h * this.#scalar) % ORDER;
    return Signature.fromBytes(concat(pointToBytes(r), fromInteger("signature S", s, 32)));
  }

  toString(): string {
    return "SecretKey(redacted)";
  }

  toJSON(): string {
    return this.toString();
  }
}
