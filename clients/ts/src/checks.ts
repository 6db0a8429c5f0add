/** What a wallet or a page checks of a node's answers before it believes them. */
import { amountFromText, fromHex, type Hex } from "./bytes.js";
import type { Schemas } from "./client.js";
import { decode } from "./codec.js";
import type { Rollup } from "./domain.js";
import { elementFromHex, elementToHex } from "./field.js";
import { operationHash, receiptSigner, sameHex, wordsHash, type SignedReceipt } from "./receipt.js";
import { leafOf, rootFromPath, type Account } from "./state.js";

/** The outcome of one check, with a sentence for people. */
export interface Check {
  ok: boolean;
  text: string;
}

const passed = (text: string): Check => ({ ok: true, text });
const failed = (text: string): Check => ({ ok: false, text });

/** Runs a check of something that may not even be readable. */
function attempt(what: string, check: () => Check): Check {
  try {
    return check();
  } catch (error) {
    return failed(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * The account of a node's answer, in the protocol's terms.
 * @throws ProtocolError if a field is malformed.
 */
export function accountFrom(state: Schemas["AccountState"]): Account {
  return {
    owner: elementFromHex("owner", state.owner),
    token: state.token,
    nonce: state.nonce,
    balance: amountFromText("balance", state.balance),
    frozenUntil: state.frozen_until,
  };
}

/**
 * The root that an account and its path give.
 * @throws ProtocolError if a field is malformed.
 */
export function rootOfProof(proof: Pick<Schemas["AccountProof"], "index" | "account" | "path">): Hex {
  const leaf = leafOf(proof.account === null ? null : accountFrom(proof.account));
  const path = proof.path.map((sibling) => elementFromHex("sibling", sibling));
  return elementToHex(rootFromPath(proof.index, leaf, path));
}

/** Whether account and path give the root that stands beside them, for the index that was asked for. */
export function checkPath(index: number, proof: Schemas["AccountProof"]): Check {
  return attempt("the proof", () => {
    if (proof.index !== index) return failed(`the proof is for account ${proof.index}, not ${index}`);
    const root = rootOfProof(proof);
    return sameHex(root, proof.root)
      ? passed("balance, nonce, owner and freeze give the state root")
      : failed(`balance, nonce, owner, freeze and path give another root, ${root}`);
  });
}

/** Whether the root of a proof is that of the newest final block. */
export function checkRoot(proof: Schemas["AccountProof"], finalized: Schemas["Block"]): Check {
  return attempt("the block", () => {
    if (finalized.stage !== "final" || finalized.new_root === null) {
      return failed(`block ${finalized.number} is not final`);
    }
    return sameHex(proof.root, finalized.new_root)
      ? passed(`the root is that of block ${finalized.number}, which is final on L1`)
      : failed(`the root is not that of block ${finalized.number}, the newest that is final on L1`);
  });
}

/** Whether a receipt recovers to the sequencer's address. */
export function checkSigner(receipt: SignedReceipt, rollup: Rollup, sequencer: Hex): Check {
  return attempt("the receipt", () => {
    const signer = receiptSigner(receipt, rollup);
    return sameHex(signer, sequencer)
      ? passed(`the sequencer ${signer} signed it`)
      : failed(`${signer} signed it, not the sequencer ${sequencer.toLowerCase()}`);
  });
}

/** Whether a receipt names an operation, given by its encoding. */
export function checkOperation(receipt: SignedReceipt, bytes: Hex): Check {
  return attempt("the operation", () => {
    const hash = operationHash(decode(fromHex("operation", bytes)));
    return sameHex(hash, receipt.operation)
      ? passed("it names this operation")
      : failed(`it names operation ${receipt.operation}, not this one, ${hash}`);
  });
}

/** Whether records that are said to be posted are those that a receipt promised, at its place. */
export function checkInclusion(receipt: SignedReceipt, inclusion: Schemas["Inclusion"]): Check {
  return attempt("the posted records", () => {
    const { block, batch, position } = inclusion;
    const same = block === receipt.block && batch === receipt.batch && position === receipt.position;
    if (!same) return failed(`posted at place ${position} of batch ${batch} in block ${block}, not where it was promised`);
    const words = wordsHash(inclusion.records.map((record) => fromHex("record", record)));
    return sameHex(words, receipt.words)
      ? passed("the posted records are those that were promised")
      : failed(`the posted records hash to ${words}, not to the promised ${receipt.words}`);
  });
}
