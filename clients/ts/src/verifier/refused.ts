/** Why a proof, its envelope or a document is refused. */
export type Reason =
  /** Text that is not the JSON which the protocol describes: syntax, fields, kinds of values. */
  | "json"
  /** A version of the format that this code does not know. */
  | "version"
  /** A document that describes no verifier. */
  | "document"
  /** A document or contract that is not the one of the manifest. */
  | "digest"
  /** A proof of another circuit. */
  | "circuit"
  /** Posted data that are not those of so many batches. */
  | "data"
  /** Another number of public inputs than the circuit has. */
  | "instance-count"
  /** A public input that is not below the order of the field. */
  | "instance"
  /** A proof about other public inputs than those that were asked about. */
  | "inputs"
  /** A proof of another length than the circuit's proofs have. */
  | "length"
  /** A scalar of the proof that is not below the order of the field. */
  | "scalar"
  /** A coordinate that is not below the order of the base field. */
  | "coordinate"
  /** A point that is not on the curve, or not in the group of prime order. */
  | "curve"
  /** A point that is the identity. */
  | "identity"
  /** A challenge that makes a denominator zero. */
  | "challenge"
  /** The equation of the openings does not hold. */
  | "pairing"
  /** The words of the accumulator are no two points, or their equation does not hold. */
  | "accumulator";

/** What a verifier does not accept, and why. */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}
