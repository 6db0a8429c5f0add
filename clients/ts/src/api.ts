/**
 * The node's HTTP API, version 1, as types. Written by hand in the shape that `openapi-typescript`
 * writes from `/v1/openapi.json` (`paths`, `components["schemas"]`), so that its output can take the
 * place of this file.
 *
 * Field elements, hashes and addresses are `0x` and lower-case hex digits. Amounts are decimal strings.
 * Counts are numbers, and times are numbers of Unix seconds.
 */
export interface components {
  schemas: {
    Problem: {
      /** `urn:bastion:problem:CODE`. */
      type: string;
      title: string;
      status: number;
      detail: string;
      code: string;
    };
    SignedReceipt: {
      epoch: number;
      block: number;
      batch: number;
      position: number;
      operation: string;
      words: string;
      time: number;
      /** r, s, v: 65 bytes. */
      signature: string;
    };
    Rejection: { code: string; message: string };
    Answer:
      | { receipt: components["schemas"]["SignedReceipt"]; rejection?: undefined; held?: undefined }
      | { held: components["schemas"]["Held"]; receipt?: undefined; rejection?: undefined }
      | { rejection: components["schemas"]["Rejection"]; receipt?: undefined; held?: undefined };
    Evidence: { name: string; value: string };
    /** One detector's part in a decision. */
    Reason: {
      detector: string;
      version: string;
      /** How sure it is, from 0 to 1000. */
      score: number;
      evidence: components["schemas"]["Evidence"][];
    };
    /** An operation that is held back, and executed later by itself. */
    Held: {
      operation: string;
      account: number;
      until: number;
      reasons: components["schemas"]["Reason"][];
      /** The operation itself, for the operator alone. */
      bytes?: string | null;
    };
    SentinelStatus: {
      mode: string;
      rules: string;
      model: string;
      observed: number;
      held: number;
      findings: number;
      head: string;
    };
    Findings: {
      /** Each as its canonical JSON: keccak256 of the text goes into the chain of hashes. */
      findings: string[];
      from: number;
      count: number;
      head: string;
    };
    OperationKind:
      | "transfer"
      | "transfer_new"
      | "withdraw"
      | "change_key"
      | "freeze"
      | "unfreeze"
      | "deposit"
      | "forced_exit";
    OperationStatus: "sequenced" | "sealed" | "committed" | "proven" | "final";
    Operation: {
      hash: string;
      /** Its number in the sequencer's log. */
      entry: number;
      kind: components["schemas"]["OperationKind"];
      bytes: string;
      receipt: components["schemas"]["SignedReceipt"];
      status: components["schemas"]["OperationStatus"];
      batch_number: number;
      account: number | null;
      token: number;
      amount: string;
      fee: string;
      to: number | null;
    };
    Inclusion: {
      operation: string;
      block: number;
      batch: number;
      position: number;
      records: string[];
      words: string;
      /** Byte offset of each record in the block's posted data. */
      offset: number[];
      commit_transaction: string | null;
    };
    JobState:
      | "queued"
      | "leased"
      | "proved"
      | "verified"
      | "done"
      | "retryable"
      | "failed"
      | "cancelled";
    Job: {
      key: string;
      kind: "prove_batch" | "prove_block";
      /** Of the batch or the block. */
      number: number;
      circuit: string;
      state: components["schemas"]["JobState"];
      worker: string | null;
      attempts: number;
      causes: string[];
      since: number;
    };
    Batch: {
      number: number;
      block: number;
      batch: number;
      operations: number;
      first_entry: number;
      /** Null until the batch is sealed. */
      old_root: string | null;
      new_root: string | null;
      time: number;
      job: components["schemas"]["Job"] | null;
    };
    Transaction: { hash: string; block: number; gas: number; wei: string; attempts: number };
    Stage: "open" | "sealing" | "proving" | "aggregating" | "settling" | "final";
    Block: {
      number: number;
      /** keccak256 of its ten public inputs. */
      hash: string | null;
      stage: components["schemas"]["Stage"];
      committed: boolean;
      proven: boolean;
      batches: number;
      operations: number;
      data_bytes: number;
      time: number;
      old_root: string | null;
      new_root: string | null;
      opened_at: number;
      finalized_at: number | null;
      transactions: {
        commit: components["schemas"]["Transaction"] | null;
        prove: components["schemas"]["Transaction"] | null;
        finalize: components["schemas"]["Transaction"] | null;
      };
      gas_per_operation: number | null;
      wei_per_operation: string | null;
    };
    AccountState: {
      owner: string;
      token: number;
      nonce: number;
      balance: string;
      frozen_until: number;
    };
    AccountProof: {
      index: number;
      /** Null if the place is empty. */
      account: components["schemas"]["AccountState"] | null;
      /** 32 siblings, from the leaf up. */
      path: string[];
      root: string;
      /** Batches that were sealed. */
      batch: number;
      /** The last sealed block. */
      block: number;
      /** Whether the root is the finalized one on L1. */
      finalized: boolean;
      /** As of the last sequenced operation. */
      pending: { nonce: number; balance: string; frozen_until: number } | null;
    };
    FeeEstimate: {
      token: number;
      suggested: string;
      l1_gas_per_transfer: number;
      l1_gas_price: string;
      l1_wei_per_transfer: string;
      proving_wei_per_transfer: string;
      margin_percent: number;
    };
    Version: {
      version: string;
      chain_id: number;
      contract: string;
      /** Address that receipts recover to. */
      sequencer: string;
      shape: string;
      batches_per_block: number;
      batch_circuit_id: string;
      block_circuit_id: string;
      unsafe_dev_srs: boolean;
      page: string;
    };
    Worker: { name: string; busy: boolean; last_heard_seconds: number };
    Status: {
      time: number;
      accepting: boolean;
      paused: boolean;
      draining: boolean;
      /** Why the breaker has stopped proving, or null. */
      breaker: string | null;
      entries: number;
      batches: { closed: number; sealed: number };
      blocks: { open: number; sealed: number; proven: number; committed: number; finalized: number };
      queue: { taken: number; on_l1: number; oldest_seconds: number };
      jobs: { queued: number; leased: number; failed: number; done: number };
      workers: components["schemas"]["Worker"][];
      oldest_unfinished_seconds: number;
      /** Over the last 60 seconds. */
      operations_per_second: number;
      cost: { gas_per_operation: number | null; wei_per_operation: string | null };
      l1: { block: number; gas_price: string; balance_wei: string; synced: boolean };
    };
    Progress: {
      job: string;
      worker: string;
      stage: string;
      /** From 0 to 1. */
      part: number;
      eta_seconds: number | null;
    };
    TokenLimits: { rate: number; burst_seconds: number; max_delay: number };
    Policy: {
      guardian_keyhash: string;
      max_freeze: number;
      cooldown: number;
      fee_keyhash: string;
      fee_exit: string;
      default_limits: components["schemas"]["TokenLimits"];
      limits: Record<string, components["schemas"]["TokenLimits"]>;
    };
  };
}

interface Answers<T> {
  responses: { 200: { content: { "application/json": T } } };
}

type Schemas = components["schemas"];

/** Routes and what they answer. */
export interface paths {
  "/v1/operations": {
    post: Answers<{ answers: Schemas["Answer"][] }> & {
      requestBody: { content: { "application/json": { operations: string[] } } };
    };
  };
  "/v1/operations/{hash}": { get: Answers<Schemas["Operation"]> };
  "/v1/operations/{hash}/receipt": { get: Answers<Schemas["SignedReceipt"]> };
  "/v1/operations/{hash}/inclusion": { get: Answers<Schemas["Inclusion"]> };
  "/v1/batches/{number}": { get: Answers<Schemas["Batch"]> };
  "/v1/blocks": { get: Answers<{ blocks: Schemas["Block"][] }> };
  "/v1/blocks/{id}": { get: Answers<Schemas["Block"]> };
  "/v1/blocks/{id}/batches": { get: Answers<{ batches: Schemas["Batch"][] }> };
  "/v1/accounts/{index}": { get: Answers<Schemas["AccountProof"]> };
  "/v1/accounts": { get: Answers<{ accounts: Schemas["AccountProof"][] }> };
  "/v1/accounts/{index}/operations": { get: Answers<{ operations: Schemas["Operation"][] }> };
  "/v1/sentinel": { get: Answers<Schemas["SentinelStatus"]> };
  "/v1/sentinel/findings": { get: Answers<Schemas["Findings"]> };
  "/v1/sentinel/held/{hash}": { get: Answers<Schemas["Held"]> };
  "/v1/fees": { get: Answers<Schemas["FeeEstimate"]> };
  "/v1/policy": { get: Answers<Schemas["Policy"]> };
  "/v1/version": { get: Answers<Schemas["Version"]> };
  "/v1/status": { get: Answers<Schemas["Status"]> };
  "/v1/jobs": { get: Answers<{ jobs: Schemas["Job"][] }> };
}

/** What `GET /v1/events` sends: the name of an event, and its data. */
export interface events {
  batch: Schemas["Batch"];
  block: Schemas["Block"];
  job: Schemas["Job"];
  progress: Schemas["Progress"];
  status: Schemas["Status"];
}
