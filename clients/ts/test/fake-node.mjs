/**
 * A node for tests of the client and the page: the HTTP API over a {@link World}. Answers can be
 * altered on their way, and events sent. `node test/fake-node.mjs [PORT]` runs one that moves.
 */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { Sentinel, TOKEN } from "./fake-sentinel.mjs";
import { FIRST, ROLLUP, World } from "./fake-world.mjs";

const WEB = fileURLToPath(new URL("../../../node/web/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

/** What the page must live with. */
export const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.body = { type: `urn:bastion:problem:${code}`, title: code.replaceAll("_", " "), status, detail, code };
  }
}

const missing = (what) => new Problem(404, "not_found", `${what} does not exist: check number or hash`);

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "malformed", "the body is no JSON");
  }
}

function routes(world, sentinel) {
  const found = (value, what) => {
    if (value === undefined) throw missing(what);
    return value;
  };
  const operation = (hash) => found(world.operations.find((op) => op.hash === hash), `operation ${hash}`);
  const block = (id) => {
    if (id === "latest") return world.blocks.at(-1);
    if (id === "finalized") return world.finalized;
    return found(world.blocks.find((b) => String(b.number) === id || b.hash === id), `block ${id}`);
  };
  const index = (text) => {
    if (!/^[0-9]{1,10}$/.test(text) || Number(text) >= 2 ** 32) throw new Problem(400, "malformed", `${text} is no index`);
    return Number(text);
  };
  const limited = (list, query, key) => {
    const before = query.has("before") ? Number(query.get("before")) : Infinity;
    const limit = Math.min(100, Number(query.get("limit") ?? 20));
    return list.filter((item) => item[key] < before).reverse().slice(0, limit);
  };
  return [
    ["GET", /^\/v1\/operations\/([^/]+)$/, (hash) => world.operation(operation(hash))],
    ["GET", /^\/v1\/operations\/([^/]+)\/receipt$/, (hash) => operation(hash).receipt],
    ["GET", /^\/v1\/operations\/([^/]+)\/inclusion$/, (hash) => world.inclusion(operation(hash))],
    ["GET", /^\/v1\/batches\/([0-9]+)$/, (n) => {
      const owner = found(world.blocks[Math.floor(Number(n) / 2)], `batch ${n}`);
      return world.batchesOf(owner)[Number(n) % 2];
    }],
    ["GET", /^\/v1\/blocks$/, (query) => ({ blocks: limited(world.blocks, query, "number").map((b) => world.block(b)) })],
    ["GET", /^\/v1\/blocks\/([^/]+)$/, (id) => world.block(block(id))],
    ["GET", /^\/v1\/blocks\/([^/]+)\/batches$/, (id) => ({ batches: world.batchesOf(block(id)) })],
    ["GET", /^\/v1\/accounts\/([^/]+)$/, (i) => world.account(index(i))],
    ["GET", /^\/v1\/accounts$/, (query) => {
      const owner = query.get("owner");
      return { accounts: [...world.accounts.keys()].map((i) => world.account(i)).filter((p) => p.account?.owner === owner) };
    }],
    ["GET", /^\/v1\/accounts\/([^/]+)\/operations$/, (i, query) => {
      const of = world.operations.filter(({ decoded }) => decoded.account === index(i) || decoded.action.to === index(i));
      return { operations: limited(of, query, "entry").map((op) => world.operation(op)) };
    }],
    ["GET", /^\/v1\/fees$/, (query) => world.fees(Number(query.get("token")))],
    ["GET", /^\/v1\/version$/, () => world.version()],
    ["GET", /^\/v1\/status$/, () => world.status()],
    ["GET", /^\/v1\/jobs$/, (query) => ({ jobs: world.jobList().filter((job) => !query.has("state") || job.state === query.get("state")) })],
    ["GET", /^\/v1\/policy$/, () => ({
      guardian_keyhash: `0x${"01".repeat(32)}`, max_freeze: 1_000, cooldown: 2_000, fee_keyhash: `0x${"02".repeat(32)}`,
      fee_exit: `0x${"fe".repeat(20)}`, default_limits: { rate: 1_000_000, burst_seconds: 600, max_delay: 3_600 }, limits: {},
    })],
    ["GET", /^\/v1\/sentinel$/, () => sentinel.status()],
    ["GET", /^\/v1\/sentinel\/findings$/, (query) => sentinel.findings(Number(query.get("from") ?? 0), Number(query.get("limit") ?? 20))],
    ["GET", /^\/v1\/sentinel\/held\/([^/]+)$/, (hash) => sentinel.show(found(sentinel.held.get(hash), `operation ${hash} that is held back`))],
    ["GET", /^\/(?:healthz|readyz)$/, () => ({ status: "ok" })],
    ["POST", /^\/v1\/operations$/, (_query, body) => {
      const { operations } = body;
      if (!Array.isArray(operations) || operations.length < 1 || operations.length > 256) {
        throw new Problem(400, "malformed", "send 1 to 256 operations");
      }
      return { answers: operations.map((bytes) => world.submit(bytes)) };
    }],
  ];
}

/** Starts a node. `tamper(path, answer)` may change every answer. */
export async function startFakeNode({ port = 0, tamper = (_path, answer) => answer } = {}) {
  const world = new World();
  const sentinel = new Sentinel(world, ROLLUP, FIRST);
  const table = routes(world, sentinel);
  const listeners = new Set();
  const requests = [];
  /** Answers that a test wants once: `[status, body, headers]`. */
  const next = [];
  const node = { world, sentinel, requests, next, tamper, admin: false };

  /** The operator's routes, which are there if `admin` is set. */
  async function orders(request, path) {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      throw new Problem(401, "unauthorized", "send the operator's token as `Authorization: Bearer TOKEN`");
    }
    const body = request.headers["content-type"] ? await bodyOf(request) : undefined;
    const answer = sentinel.operator(request.method, path, body);
    if (answer === undefined) throw missing(path);
    return answer;
  }

  async function serveFile(path, response) {
    const name = path === "/" ? "index.html" : normalize(path).replace(/^[/.]+/, "");
    const type = TYPES[extname(name)];
    if (type === undefined || !(name === "index.html" || name.startsWith("assets/"))) throw missing(path);
    const content = await readFile(WEB + name).catch(() => {
      throw missing(path);
    });
    response.writeHead(200, { "content-type": type, "content-security-policy": POLICY, "x-content-type-options": "nosniff", "cache-control": "no-cache" });
    response.end(content);
  }

  async function answer(request, response) {
    const url = new URL(request.url, "http://node");
    requests.push(`${request.method} ${url.pathname}`);
    if (next.length > 0 && url.pathname.startsWith("/v1/")) {
      const [status, body, headers] = next.shift();
      response.writeHead(status, { "content-type": "application/problem+json", ...headers });
      response.end(body);
      return;
    }
    if (url.pathname === "/v1/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      response.write(": welcome\n\n");
      listeners.add(response);
      request.on("close", () => listeners.delete(response));
      node.push("status", world.status(), response);
      return;
    }
    if (node.admin && url.pathname.startsWith("/admin/")) {
      const done = JSON.stringify(await orders(request, url.pathname));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(done);
      return;
    }
    for (const [method, pattern, handle] of table) {
      const match = pattern.exec(url.pathname);
      if (method !== request.method || match === null) continue;
      const body = method === "POST" ? await bodyOf(request) : undefined;
      const result = node.tamper(url.pathname, await handle(...match.slice(1).map(decodeURIComponent), url.searchParams, body));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(result));
      return;
    }
    if (request.method !== "GET") throw new Problem(405, "method_not_allowed", `${request.method} is not possible here`);
    await serveFile(url.pathname, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      const body = error instanceof Problem ? error.body : new Problem(500, "internal", String(error?.stack)).body;
      response.writeHead(body.status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

  /** Sends an event to those who follow. */
  node.push = (event, data, to) => {
    for (const listener of to ? [to] : listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  node.listeners = () => listeners.size;
  /** Breaks the connections of those who follow. */
  node.cut = () => listeners.forEach((listener) => listener.destroy());
  node.url = `http://127.0.0.1:${server.address().port}`;
  node.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return node;
}

/** Lets blocks move and workers prove, as long as the process lives. */
export function animate(node, every = 1_500) {
  const { world } = node;
  const parts = new Map();
  let turn = 0;
  return setInterval(() => {
    turn += 1;
    world.time += 2;
    for (const job of world.jobList().filter((j) => j.state === "leased")) {
      const part = Math.min(0.99, (parts.get(job.key) ?? 0.1) + 0.13);
      parts.set(job.key, part);
      const stage = ["witness", "commit", "quotient", "opening"][Math.floor(part * 4)];
      node.push("progress", { job: job.key, worker: job.worker, stage, part, eta_seconds: Math.round(40 * (1 - part)) });
    }
    const status = world.status();
    status.operations_per_second = 40 + 14 * Math.sin(turn / 5) + 5 * Math.sin(turn);
    node.push("status", status);
    if (turn % 3 === 0) {
      const moved = world.advance();
      if (moved) {
        node.push("block", world.block(moved));
        node.push("block", world.block(world.blocks.at(-1)));
        for (const job of world.jobList()) node.push("job", job);
      }
    }
  }, every);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const node = await startFakeNode({ port: Number(process.argv[2] ?? 8_080) });
  node.admin = true;
  animate(node);
  console.log(node.url);
}
