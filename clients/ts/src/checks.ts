/** What a wallet or a page checks of a node's answers before it believes them. */
import { amountFromText, equal, fromHex, toHex, toInteger, type Hex } from "./bytes.js";
import type { Schemas } from "./client.js";
import { decode } from "./codec.js";
import type { Rollup } from "./domain.js";
import { elementFromHex, elementToHex } from "./field.js";
import { records, type Operation, type Outcome } from "./operation.js";
import { orderLeaf } from "./order.js";
import { operationHash, receiptSigner, sameHex, type SignedReceipt } from "./receipt.js";
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
  const leaf = leafOf(proof.account == null ? null : accountFrom(proof.account));
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
    if (finalized.stage !== "final" || finalized.new_root == null) {
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
    const leaf = elementToHex(orderLeaf(inclusion.records.map((record) => fromHex("record", record))));
    return sameHex(leaf, receipt.leaf)
      ? passed("the posted records are those that were promised")
      : failed(`the posted records have the leaf ${leaf}, not the promised ${receipt.leaf}`);
  });
}

/** What the operator decided about an operation, as its posted records tell. */
function outcomeOf(operation: Operation, posted: readonly Uint8Array[]): Outcome {
  const [first, last] = [posted[0] ?? new Uint8Array(), posted.at(-1) ?? new Uint8Array()];
  const index = operation.op === "signed" ? first.subarray(6, 10) : first.subarray(3, 7);
  const outcome: Outcome = { index: Number(toInteger(index)) };
  // An exit record has 47 bytes, an owner record 52, and each is the last one.
  if (last.length === 47) {
    outcome.releaseTime = toInteger(last.subarray(22, 27));
    outcome.left = toInteger(last.subarray(27, 43));
  }
  if (last.length === 52) outcome.ownExit = toHex(last.subarray(32));
  return outcome;
}

/**
 * Whether posted records do what an operation, given by its encoding, says: the same parties, amount
 * and fee. What the operator decides (a new index, the time of an exit) may be anything.
 */
export function checkRecords(bytes: Hex, posted: readonly Hex[]): Check {
  return attempt("the posted records", () => {
    const operation = decode(fromHex("operation", bytes));
    const given = posted.map((record) => fromHex("record", record));
    const expected = records(operation, outcomeOf(operation, given));
    const same = given.length === expected.length && expected.every((record, i) => equal(record, given[i] ?? record.subarray(1)));
    return same
      ? passed("the posted records do what the operation says")
      : failed("the posted records do not do what the operation says");
  });
}

/**
 * Whether a receipt promises records that do what an operation says, where these follow from the
 * operation alone: kinds in which the operator decides nothing. Others pass.
 */
export function checkWords(receipt: SignedReceipt, operation: Operation, ownExit: Hex): Check {
  const open = operation.op !== "signed" || operation.action.kind === "transfer_new" || operation.action.kind === "withdraw";
  if (open) return passed("what will be posted depends on the operator");
  return attempt("the operation", () =>
    sameHex(elementToHex(orderLeaf(records(operation, { ownExit }))), receipt.leaf)
      ? passed("it promises records that do what the operation says")
      : failed("it promises records that do not do what the operation says"),
  );
}
