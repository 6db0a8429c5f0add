/** Server-sent events as an async iterator. */
import type { components } from "./api.js";
import { pause } from "./client.js";
import { problemFrom } from "./problem.js";

type Schemas = components["schemas"];

/** What `GET /v1/events` sends: the name of an event, and its data. The document names them in words only. */
export interface events {
  batch: Schemas["Batch"];
  block: Schemas["Block"];
  job: Schemas["Job"];
  progress: Schemas["Progress"];
  status: Schemas["Status"];
}

/** What happened. `connected` is the client's own: events before it may have been missed. */
export type NodeEvent =
  | { [Name in keyof events]: { event: Name; data: events[Name] } }[keyof events]
  | { event: "connected" }
  | { event: "disconnected"; error: unknown };

const NAMES: ReadonlySet<string> = new Set<keyof events>(["batch", "block", "job", "progress", "status"]);

/** Longest wait before a connection is made again, in milliseconds. */
const MAX_WAIT = 10_000;

/** Cuts a stream of text into messages: the event's name and its data. */
export async function* messages(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ event: string; data: string }, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  let event = "";
  let data: string[] = [];
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(rest);
      if (end === null) break;
      const line = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
        [event, data] = ["", []];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") event = value;
      if (field === "data") data.push(value);
    }
  }
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // Not every browser iterates over streams.
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Follows a stream of events, and connects again when it breaks. */
export async function* follow(
  url: URL,
  fetch: typeof globalThis.fetch,
  retryAfter: number,
  signal?: AbortSignal,
): AsyncGenerator<NodeEvent, void, undefined> {
  let wait = retryAfter;
  while (!signal?.aborted) {
    let broken: unknown = new Error("the node closed the stream");
    // The reader may leave at any event; the connection must not outlive it.
    const own = new AbortController();
    const both = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
    try {
      const request: RequestInit = { headers: { accept: "text/event-stream" }, cache: "no-store", signal: both };
      const response = await fetch(url, request);
      if (!response.ok || response.body === null) throw problemFrom(response.status, await response.text());
      yield { event: "connected" };
      for await (const { event, data } of messages(chunks(response.body))) {
        // A newer node may send events that this client does not know.
        if (!NAMES.has(event)) continue;
        yield { event, data: JSON.parse(data) } as NodeEvent;
        wait = retryAfter;
      }
    } catch (error) {
      if (signal?.aborted) return;
      broken = error;
    } finally {
      own.abort();
    }
    if (signal?.aborted) return;
    yield { event: "disconnected", error: broken };
    await pause(wait, signal).catch(() => undefined);
    wait = Math.min(2 * wait, MAX_WAIT);
  }
}
