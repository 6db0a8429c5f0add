import type { Schemas } from "../src/index.js";

/** See `fake-world.mjs`. */
export interface World {
  sequencer: string;
  breaker: string | null;
  paused: boolean;
  synced: boolean;
  queue: Schemas["Status"]["queue"];
  keys: import("../src/index.js").SecretKey[];
  jobs: (Schemas["Job"] & { block: number })[];
  operations: { hash: string; receipt: Schemas["SignedReceipt"] }[];
  finalize(): void;
  status(): Schemas["Status"];
  jobList(): Schemas["Job"][];
  block(block: unknown): Schemas["Block"];
  advance(): unknown;
  blocks: { number: number; stage: string }[];
}

/** See `fake-sentinel.mjs`. */
export interface Sentinel {
  entries: string[];
  held: Map<string, { operation: string; account: number; until: number }>;
  mode: string;
  note(subject: string, words: string): void;
  write(finding: unknown): void;
}

/** See `fake-node.mjs`. */
export interface FakeNode {
  url: string;
  sentinel: Sentinel;
  /** Whether the operator's routes are at the same address. */
  admin: boolean;
  world: World;
  requests: string[];
  next: [number, string, Record<string, string>?][];
  tamper: (path: string, answer: any) => unknown;
  push(event: string, data: unknown): void;
  listeners(): number;
  cut(): void;
  close(): Promise<void>;
}

export function startFakeNode(options?: { port?: number; tamper?: FakeNode["tamper"] }): Promise<FakeNode>;
export function animate(node: FakeNode, every?: number): NodeJS.Timeout;
export const POLICY: string;
