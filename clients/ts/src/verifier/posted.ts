/** The posted data of a block, as the word polynomial sees them (protocol, sections 6.2 and 6.4). */
import { toInteger } from "../bytes.js";
import { MODULUS, type Element } from "../field.js";
import { Refused } from "./refused.js";
import { power, times } from "./scalars.js";

/** The words of a record, in bytes, by section: L1, L2, exits, owners. */
const SECTIONS = [[23, 32, 20], [15], [27, 20], [32, 20]] as const;
/** Bytes of the counts of a batch. */
const COUNTS = 8;

/**
 * The value of the word polynomial over the data of so many batches, at `r`.
 * @throws Refused if the data are not exactly those of so many batches, or a word is not below `p`.
 */
export function polynomialOf(data: Uint8Array, batches: number, r: Element): Element {
  let at = 0;
  const take = (length: number): bigint => {
    const end = at + length;
    if (end > data.length) throw new Refused("data", `the data end after ${data.length} bytes: ${end} are needed`);
    const integer = toInteger(data.subarray(at, end));
    at = end;
    return integer;
  };
  const rho = power(r, 65_536);
  let y = 1n;
  for (let batch = 0; batch < batches; batch++) {
    const counts = SECTIONS.map(() => Number(take(COUNTS / SECTIONS.length)));
    const values = SECTIONS.map((widths, section) => {
      let value = 0n;
      for (let record = 0; record < (counts[section] ?? 0); record++) {
        for (const width of widths) {
          const word = take(width);
          if (word >= MODULUS) throw new Refused("data", `the word before byte ${at} is not below p`);
          value = (value * r + word) % MODULUS;
        }
      }
      return value;
    });
    const [l1 = 0, l2 = 0, exits = 0, owners = 0] = counts.map(BigInt) as bigint[];
    const packed = BigInt(l1) + (BigInt(l2) << 16n) + (BigInt(exits) << 32n) + (BigInt(owners) << 48n);
    const [ofL1 = 0n, ofL2 = 0n, ofExits = 0n, ofOwners = 0n] = values;
    // Horner's rule in rho: the owners stand highest.
    const sections = [ofOwners, ofExits, ofL2, ofL1, packed];
    y = sections.reduce((sum, value) => (times(sum, rho) + value) % MODULUS, y);
  }
  if (at !== data.length) throw new Refused("data", `the data have ${data.length} bytes: ${batches} batches end at ${at}`);
  return y;
}
