/** Transfers from building to finality. */
import type { Address } from "./address.js";
import { amountFromText, toHex, type Hex } from "./bytes.js";
import { checkOperation, checkPath, checkSigner, checkWords } from "./checks.js";
import { pause, type CallOptions, type Client, type Schemas } from "./client.js";
import { encode } from "./codec.js";
import { domainOf, type Rollup } from "./domain.js";
import type { SecretKey } from "./keys.js";
import { sign, type Action, type SignedOperation } from "./operation.js";
import { NodeError } from "./problem.js";
import { operationHash, type SignedReceipt } from "./receipt.js";

/** An operation that the sequencer refused. */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** An answer that a check refused: the node, or something between, does not keep its word. */
export class DistrustError extends Error {
  override readonly name = "DistrustError";
}

/** What a wallet must know beside its node's address, from a source that it trusts. */
export interface WalletOptions {
  client: Client;
  key: SecretKey;
  /** Index of its account. */
  account: number;
  /** Exit address of its account. */
  exit: Address;
  rollup: Rollup;
  /** Address of the operator's key for receipts. */
  sequencer: Address;
}

/** What was sent, and the sequencer's promise. */
export interface Sent {
  hash: Hex;
  operation: SignedOperation;
  receipt: SignedReceipt;
}

/** Seconds for which an operation is valid if nothing else is said. */
const LIFETIME = 3_600;

const ORDER: Schemas["OperationStatus"][] = ["sequenced", "sealed", "committed", "proven", "final"];

/** One account, its key, and the node that it talks to. */
export class Wallet {
  readonly #options: WalletOptions;

  constructor(options: WalletOptions) {
    this.#options = options;
  }

  /** Sends an amount to an account, in the token's smallest unit. As {@link Wallet.send}. */
  transfer(to: number, amount: bigint, fee?: bigint): Promise<Sent> {
    return this.send({ kind: "transfer", to, amount }, fee);
  }

  /**
   * Builds, signs and submits an operation, and checks the receipt. Without a fee it takes the one
   * that the node suggests; the nonce is the next one.
   * @throws ProtocolError if a value does not fit the wire, {@link RejectedError} if the sequencer
   * refuses, {@link DistrustError} if the receipt is not worth anything, and the client's errors.
   */
  async send(action: Action, fee?: bigint): Promise<Sent> {
    const { client, key, account, exit, rollup, sequencer } = this.#options;
    const proof = await client.account(account);
    const path = checkPath(account, proof);
    if (!path.ok) throw new DistrustError(path.text);
    if (proof.account == null) throw new RejectedError("no_such_account", `account ${account} does not exist`);
    const { token } = proof.account;
    const body = {
      account,
      token,
      nonce: proof.pending?.nonce ?? proof.account.nonce,
      deadline: BigInt(Math.floor(Date.now() / 1_000) + LIFETIME),
      fee: fee ?? amountFromText("suggested fee", (await client.fees(token)).suggested),
      action,
    };
    const operation = sign(body, key, domainOf(rollup), exit);
    const bytes = toHex(encode(operation));
    const [answer] = await client.submit([bytes]);
    if (answer !== undefined && "rejection" in answer) {
      throw new RejectedError(answer.rejection.code, answer.rejection.message);
    }
    const receipt = answer !== undefined && "receipt" in answer ? answer.receipt : undefined;
    if (receipt === undefined) throw new DistrustError("the node answered neither a receipt nor a rejection");
    const checks = [
      checkSigner(receipt, rollup, sequencer),
      checkOperation(receipt, bytes),
      checkWords(receipt, operation, exit),
    ];
    for (const check of checks) {
      if (!check.ok) throw new DistrustError(check.text);
    }
    return { hash: operationHash(operation), operation, receipt };
  }

  /** Waits until an operation has come as far as `status`, by default until it is final on L1. */
  wait(hash: Hex, status: Schemas["OperationStatus"] = "final", options?: CallOptions): Promise<Schemas["Operation"]> {
    return waitFor(this.#options.client, hash, status, options);
  }
}

/**
 * Waits until an operation has come as far as `status`. Ends with the signal's reason when it aborts.
 * @throws the client's errors; a node that is away for a moment ends nothing.
 */
export async function waitFor(
  client: Client,
  hash: Hex,
  status: Schemas["OperationStatus"],
  options: CallOptions & { every?: number } = {},
): Promise<Schemas["Operation"]> {
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const operation = await client.operation(hash, options);
      if (ORDER.indexOf(operation.status) >= ORDER.indexOf(status)) return operation;
    } catch (error) {
      if (error instanceof NodeError && error.status < 500) throw error;
    }
    await pause(options.every ?? 2_000, options.signal);
  }
}
