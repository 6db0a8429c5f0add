/** Secret keys in files, encrypted with a password: scrypt and AES-256-GCM. */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { fromHex, toHex, type Hex } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { SecretKey } from "./keys.js";

/** A key as it is stored. It tells nothing but its public key without the password. */
export interface KeyFile {
  format: "bastion-key";
  version: 1;
  /** For people; it is compared when the file is opened. */
  public_key: Hex;
  kdf: { name: "scrypt"; n: number; r: number; p: number; salt: Hex };
  cipher: { name: "aes-256-gcm"; nonce: Hex; content: Hex };
}

const WHAT = "key file";

/** What scrypt costs: 128 MiB and about a second. */
const DEFAULT = { n: 2 ** 17, r: 8, p: 1 };
/** A file must not make its reader use more: 1 GiB. */
const MAX_MEMORY = 2 ** 30;

/** Cost of deriving the key from the password, as in scrypt. */
export interface Cost {
  n: number;
  r: number;
  p: number;
}

function checkCost({ n, r, p }: Cost): void {
  const whole = [n, r, p].every((x) => Number.isSafeInteger(x) && x > 0);
  if (!whole || (Math.log2(n) % 1 !== 0) || n < 2 || p > 16 || 128 * n * r > MAX_MEMORY) {
    throw new ProtocolError(WHAT, `scrypt with n=${n}, r=${r}, p=${p} is not allowed`);
  }
}

async function cipherKey(password: string, salt: Uint8Array, { n, r, p }: Cost, use: KeyUsage): Promise<CryptoKey> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new ProtocolError(WHAT, "this page has no WebCrypto: open it over https or on localhost");
  }
  const input = new TextEncoder().encode(password.normalize("NFKC"));
  const derived = await scryptAsync(input, salt, { N: n, r, p, dkLen: 32, maxmem: MAX_MEMORY + 2 ** 20 });
  return crypto.subtle.importKey("raw", derived as Uint8Array<ArrayBuffer>, "AES-GCM", false, [use]);
}

/**
 * Encrypts a key.
 * @throws ProtocolError if the password is empty or the cost not allowed.
 */
export async function lock(key: SecretKey, password: string, cost: Cost = DEFAULT): Promise<KeyFile> {
  if (password === "") throw new ProtocolError(WHAT, "an empty password protects nothing");
  checkCost(cost);
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const public_key = String(key.publicKey());
  const secret = key.exposeBytes();
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(public_key) };
  const content = await crypto.subtle.encrypt(algorithm, await cipherKey(password, salt, cost, "encrypt"), secret);
  secret.fill(0);
  return {
    format: "bastion-key",
    version: 1,
    public_key,
    kdf: { name: "scrypt", n: cost.n, r: cost.r, p: cost.p, salt: toHex(salt) },
    cipher: { name: "aes-256-gcm", nonce: toHex(nonce), content: toHex(new Uint8Array(content)) },
  };
}

/**
 * Decrypts a key.
 * @throws ProtocolError if the file is of another form, was altered, or the password is wrong.
 */
export async function unlock(file: KeyFile, password: string): Promise<SecretKey> {
  if (file?.format !== "bastion-key" || file.version !== 1) {
    throw new ProtocolError(WHAT, "not a key file of version 1");
  }
  const { kdf, cipher } = file;
  if (kdf?.name !== "scrypt" || cipher?.name !== "aes-256-gcm") {
    throw new ProtocolError(WHAT, "not encrypted with scrypt and aes-256-gcm");
  }
  checkCost(kdf);
  const salt = fromHex("salt", kdf.salt);
  const iv = fromHex("nonce", cipher.nonce, 12);
  const content = fromHex("content", cipher.content, 48);
  const algorithm = { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(file.public_key) };
  const cipherKeyOf = await cipherKey(password, salt, kdf, "decrypt");
  let secret: Uint8Array;
  try {
    secret = new Uint8Array(await crypto.subtle.decrypt(algorithm, cipherKeyOf, content));
  } catch {
    throw new ProtocolError(WHAT, "wrong password, or the file was altered");
  }
  const key = SecretKey.fromBytes(secret);
  secret.fill(0);
  if (String(key.publicKey()) !== file.public_key) {
    throw new ProtocolError(WHAT, "the key is not the one that the file names");
  }
  return key;
}
