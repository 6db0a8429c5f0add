/** A node's HTTP API, typed. */
import type { components, paths } from "./api.js";
import type { Hex } from "./bytes.js";
import { NodeError, problemFrom, UnreachableError } from "./problem.js";
import { follow, type NodeEvent } from "./events.js";

export type Schemas = components["schemas"];

type Path = keyof paths;
type Answer<P extends Path, M extends "get" | "post"> = paths[P] extends {
  [Name in M]: { responses: { 200: { content: { "application/json": infer T } } } };
}
  ? T
  : never;

/** How to reach a node. */
export interface ClientOptions {
  /** How often a GET is tried in all. Default 3. */
  attempts?: number;
  /** Milliseconds until the first repetition; each further wait is twice as long. Default 250. */
  retryAfter?: number;
  /** Milliseconds until a request is given up. Default 20,000. */
  timeout?: number;
  /** Default `globalThis.fetch`. */
  fetch?: typeof fetch;
}

/** What a call may be given. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** Answers that may be different a moment later. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** Longest wait that a node may ask for, in milliseconds; a longer one is left to the caller. */
const MAX_WAIT = 10_000;

/** Operations that a node takes in one request. */
export const MAX_OPERATIONS = 256;

/**
 * A node. Methods throw {@link NodeError} if it answers with a problem and {@link UnreachableError}
 * if it does not answer. A GET is repeated when that may help, a POST never.
 */
export class Client {
  readonly #base: URL;
  readonly #attempts: number;
  readonly #retryAfter: number;
  readonly #timeout: number;
  readonly #fetch: typeof fetch;

  /** @param base Address of the node, such as `http://127.0.0.1:8080`. */
  constructor(base: string | URL, options: ClientOptions = {}) {
    this.#base = new URL(base);
    this.#attempts = Math.max(1, options.attempts ?? 3);
    this.#retryAfter = options.retryAfter ?? 250;
    this.#timeout = options.timeout ?? 20_000;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Sends operations in their binary encoding, at most {@link MAX_OPERATIONS}. Answers are in their order. */
  async submit(operations: readonly Hex[], options?: CallOptions): Promise<Schemas["Answer"][]> {
    const body = JSON.stringify({ operations });
    const { answers } = (await this.#once("POST", "/v1/operations", options, body)) as Answer<"/v1/operations", "post">;
    return answers;
  }

  operation(hash: Hex, options?: CallOptions): Promise<Schemas["Operation"]> {
    return this.#get<"/v1/operations/{hash}">(["operations", hash], {}, options);
  }

  receipt(hash: Hex, options?: CallOptions): Promise<Schemas["SignedReceipt"]> {
    return this.#get<"/v1/operations/{hash}/receipt">(["operations", hash, "receipt"], {}, options);
  }

  inclusion(hash: Hex, options?: CallOptions): Promise<Schemas["Inclusion"]> {
    return this.#get<"/v1/operations/{hash}/inclusion">(["operations", hash, "inclusion"], {}, options);
  }

  batch(number: number, options?: CallOptions): Promise<Schemas["Batch"]> {
    return this.#get<"/v1/batches/{number}">(["batches", number], {}, options);
  }

  /** Blocks, the newest first: those below `before`, at most `limit` (100 at most). */
  async blocks(page: { before?: number; limit?: number } = {}, options?: CallOptions): Promise<Schemas["Block"][]> {
    return (await this.#get<"/v1/blocks">(["blocks"], page, options)).blocks;
  }

  /** A block by number or hash, or the newest, or the newest that is final. */
  block(id: number | Hex | "latest" | "finalized", options?: CallOptions): Promise<Schemas["Block"]> {
    return this.#get<"/v1/blocks/{id}">(["blocks", id], {}, options);
  }

  async batchesOf(block: number | Hex, options?: CallOptions): Promise<Schemas["Batch"][]> {
    return (await this.#get<"/v1/blocks/{id}/batches">(["blocks", block, "batches"], {}, options)).batches;
  }

  /** An account with its Merkle path. Believe it only after {@link checkAccount}. */
  account(index: number, options?: CallOptions): Promise<Schemas["AccountProof"]> {
    return this.#get<"/v1/accounts/{index}">(["accounts", index], {}, options);
  }

  /** The accounts of an owner, at most 100. */
  async accountsOf(owner: Hex, options?: CallOptions): Promise<Schemas["AccountProof"][]> {
    return (await this.#get<"/v1/accounts">(["accounts"], { owner }, options)).accounts;
  }

  /** Operations of an account, the newest first: those with entries below `before`. */
  async operationsOf(
    account: number,
    page: { before?: number; limit?: number } = {},
    options?: CallOptions,
  ): Promise<Schemas["Operation"][]> {
    const path = ["accounts", account, "operations"];
    return (await this.#get<"/v1/accounts/{index}/operations">(path, page, options)).operations;
  }

  /** How the node's sentinel stands. */
  sentinel(options?: CallOptions): Promise<Schemas["SentinelStatus"]> {
    return this.#get<"/v1/sentinel">(["sentinel"], {}, options);
  }

  /** Entries of the log of findings from a number on, at most `limit` (100 at most). */
  findings(page: { from?: number; limit?: number } = {}, options?: CallOptions): Promise<Schemas["Findings"]> {
    return this.#get<"/v1/sentinel/findings">(["sentinel", "findings"], page, options);
  }

  /** An operation that is held back: why, and until when. */
  held(hash: Hex, options?: CallOptions): Promise<Schemas["Held"]> {
    return this.#get<"/v1/sentinel/held/{hash}">(["sentinel", "held", hash], {}, options);
  }

  fees(token: number, options?: CallOptions): Promise<Schemas["FeeEstimate"]> {
    return this.#get<"/v1/fees">(["fees"], { token }, options);
  }

  policy(options?: CallOptions): Promise<Schemas["Policy"]> {
    return this.#get<"/v1/policy">(["policy"], {}, options);
  }

  version(options?: CallOptions): Promise<Schemas["Version"]> {
    return this.#get<"/v1/version">(["version"], {}, options);
  }

  status(options?: CallOptions): Promise<Schemas["Status"]> {
    return this.#get<"/v1/status">(["status"], {}, options);
  }

  /** Jobs of provers, all or those in one state. */
  async jobs(state?: Schemas["JobState"], options?: CallOptions): Promise<Schemas["Job"][]> {
    return (await this.#get<"/v1/jobs">(["jobs"], { state }, options)).jobs;
  }

  /**
   * Follows what happens, until the signal aborts. The connection is made again when it breaks; a
   * `connected` event then tells the reader that it may have missed some.
   */
  events(options: CallOptions = {}): AsyncGenerator<NodeEvent, void, undefined> {
    return follow(new URL("/v1/events", this.#base), this.#fetch, this.#retryAfter, options.signal);
  }

  async #get<P extends Path>(
    path: readonly (string | number)[],
    query: Readonly<Record<string, string | number | undefined>>,
    options?: CallOptions,
  ): Promise<Answer<P, "get">> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, String(value));
    }
    const suffix = search.size > 0 ? `?${search}` : "";
    const target = `/v1/${path.map((part) => encodeURIComponent(part)).join("/")}${suffix}`;
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#once("GET", target, options)) as Answer<P, "get">;
      } catch (error) {
        const passing = error instanceof UnreachableError || (error instanceof NodeError && PASSING.has(error.status));
        if (!passing || attempt >= this.#attempts || options?.signal?.aborted) throw error;
        const own = this.#retryAfter * 2 ** (attempt - 1);
        const asked = error instanceof NodeError ? 1_000 * (error.retryAfter ?? 0) : 0;
        if (asked > MAX_WAIT) throw error;
        await pause(Math.max(own, asked), options?.signal);
      }
    }
  }

  async #once(method: "GET" | "POST", target: string, options?: CallOptions, body?: string): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#timeout);
    const signal = options?.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const request: RequestInit = { method, headers, signal, cache: "no-store" };
    if (body !== undefined) request.body = body;
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(new URL(target, this.#base), request);
      text = await response.text();
    } catch (error) {
      options?.signal?.throwIfAborted();
      throw new UnreachableError(this.#base, error);
    }
    if (!response.ok) throw problemFrom(response.status, text, response.headers);
    try {
      return JSON.parse(text);
    } catch {
      throw problemFrom(response.status, text);
    }
  }
}

/** Waits, in milliseconds. Rejects with the signal's reason if it aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
