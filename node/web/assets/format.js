/** Numbers, amounts and times for people. Text that is no number is shown as it came. */

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** @param {unknown} value */
export function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? count.format(value) : value == null ? "–" : String(value);
}

/** @param {unknown} text */
function integer(text) {
  return typeof text === "string" && /^[0-9]{1,78}$/.test(text) ? BigInt(text) : undefined;
}

/**
 * An integer with its point moved to the left, and without zeros at the end.
 * @param {bigint} value
 * @param {number} decimals
 */
function decimal(value, decimals) {
  const digits = value.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return part ? `${whole}.${part}` : whole;
}

/**
 * An amount: token 0 is ETH, others are counted in their smallest unit.
 * @param {number} token
 * @param {unknown} text
 */
export function amount(token, text) {
  const value = integer(text);
  if (value === undefined) return text == null ? "–" : String(text);
  return token === 0 ? `${decimal(value, 18)} ETH` : `${decimal(value, 0)} units of token ${token}`;
}

/**
 * A sum of wei, in the unit that suits it.
 * @param {unknown} text
 */
export function wei(text) {
  const value = integer(text);
  if (value === undefined) return text == null ? "–" : String(text);
  if (value >= 10n ** 15n) return `${decimal(value - (value % 10n ** 12n), 18)} ETH`;
  if (value >= 10n ** 6n) return `${decimal(value - (value % 10n ** 7n), 9)} gwei`;
  return `${decimal(value, 0)} wei`;
}

/**
 * A duration in its two largest units.
 * @param {unknown} seconds
 */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "–";
  const s = Math.max(0, Math.round(seconds));
  const units = /** @type {[string, number][]} */ ([["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]]);
  const at = units.findIndex(([, length]) => s >= length);
  if (at < 0) return "0 s";
  const [name, length] = units[at];
  const next = units[at + 1];
  const rest = next ? Math.floor((s % length) / next[1]) : 0;
  return `${Math.floor(s / length)} ${name}${rest > 0 && next ? ` ${rest} ${next[0]}` : ""}`;
}

/**
 * A time as date and time of day, UTC.
 * @param {unknown} seconds
 */
export function moment(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds > 8.64e12) return "–";
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * The beginning and the end of a hash.
 * @param {unknown} text
 */
export function short(text) {
  const all = String(text ?? "–");
  return all.length > 20 ? `${all.slice(0, 10)}…${all.slice(-6)}` : all;
}

/** @param {unknown} bytes */
export function bytes(bytes) {
  if (typeof bytes !== "number") return "–";
  return bytes < 10_000 ? `${number(bytes)} B` : `${number(bytes / 1_000)} kB`;
}
