/** Points of both groups of BN254, and the pairing. */
import { bn254 } from "@noble/curves/bn254.js";
import { Refused, type Reason } from "./refused.js";
import { BASE_MODULUS, type Affine } from "./sums.js";

const G2 = bn254.G2.Point;
const { Fp, Fp2, Fp12 } = bn254.fields;

/** A point of the first group, not the identity. */
export type Point = Affine;
/** A point of the second group, prepared for pairings. */
export type Prepared = ReturnType<typeof bn254.utils.calcPairingPrecomputes>;

function coordinates(what: string, xs: readonly bigint[]): void {
  if (xs.some((x) => x >= BASE_MODULUS)) throw new Refused("coordinate", `${what}: a coordinate is not below q`);
  if (xs.every((x) => x === 0n)) throw new Refused("identity", `${what} is the identity`);
}

/** A point of the first group: on the curve, canonical, not the identity. */
export function pointFrom(what: string, x: bigint, y: bigint): Point {
  coordinates(what, [x, y]);
  if (!Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), 3n))) throw new Refused("curve", `${what} is not on the curve`);
  return { x, y };
}

/** A point of the second group as `[x.c0, x.c1, y.c0, y.c1]`: of prime order, canonical, not the identity. */
export function preparedFrom(what: string, [a, b, c, d]: readonly [bigint, bigint, bigint, bigint]): Prepared {
  coordinates(what, [a, b, c, d]);
  const point = G2.fromAffine({ x: Fp2.fromBigTuple([a, b]), y: Fp2.fromBigTuple([c, d]) });
  try {
    point.assertValidity();
  } catch {
    throw new Refused("curve", `${what} is not in the second group`);
  }
  return bn254.utils.calcPairingPrecomputes(point);
}

/** A square root modulo `q`, if there is one. */
export function baseRoot(square: bigint): bigint | undefined {
  try {
    return Fp.sqrt(square);
  } catch {
    return undefined;
  }
}

/** Refuses unless `e(left, g2) = e(right, s_g2)`. */
export function requirePairing(reason: Reason, left: Point | null, g2: Prepared, right: Point, sG2: Prepared): void {
  const pairs: [Prepared, bigint, bigint][] = [[sG2, right.x, Fp.neg(right.y)]];
  if (left !== null) pairs.push([g2, left.x, left.y]);
  const product = Fp12.finalExponentiate(bn254.millerLoopBatch(pairs));
  if (!Fp12.eql(product, Fp12.ONE)) throw new Refused(reason, "e(left, g2) is not e(right, s_g2)");
}
