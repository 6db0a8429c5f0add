import type { components } from "./api.js";

type Problem = components["schemas"]["Problem"];

/** A node's refusal (RFC 9457). The message says what helps, `code` is for programs. */
export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** Seconds after which the node wants to be asked again, if it said so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Omit<Problem, "type">, retryAfter?: number) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.code = problem.code;
    this.title = problem.title;
    this.detail = problem.detail;
    this.retryAfter = retryAfter;
  }
}

/** A node that does not answer. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  constructor(base: URL, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${base.origin} does not answer: ${why}. Check the address and the network`, { cause });
  }
}

/** The error of an answer. Something between node and client may answer in another form. */
export function problemFrom(status: number, text: string, headers?: Headers): NodeError {
  let fields: Partial<Record<keyof Problem, unknown>> = {};
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null) fields = json;
  } catch {
    // No JSON: what stands below.
  }
  const field = (name: keyof Problem, otherwise: string): string => {
    const value = fields[name];
    return typeof value === "string" ? value : otherwise;
  };
  const problem = {
    status,
    code: field("code", "unknown"),
    title: field("title", `HTTP ${status}`),
    detail: field("detail", `the answer (HTTP ${status}) is not one of a node`),
  };
  // The other form of the header is a date, which nodes do not send.
  const seconds = headers?.get("retry-after") ?? "";
  return new NodeError(problem, /^[0-9]{1,9}$/.test(seconds) ? Number(seconds) : undefined);
}
