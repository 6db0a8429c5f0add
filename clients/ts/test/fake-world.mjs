/**
 * A small rollup in memory for tests and for work on the page: accounts in a real state tree, signed
 * operations, receipts that recover, blocks in every stage. Nothing is proven.
 */
import {
  addressOfSecret, compress, decode, domainOf, elementToHex, emptyNodes, encode, fromHex, isSigned,
  leafOf, operationHash, ownerOf, records, SecretKey, sign, signReceipt, toHex, keccakOf, orderLeaf, DEPTH,
} from "../build/src/index.js";

export const ROLLUP = { chainId: 31_337, contract: "0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0" };
export const EXIT = "0x00000000000000000000000000000000000000e1";
export const FIRST = 131_072;

const SEQUENCER = new Uint8Array(32).fill(0x5e);
const START = 1_800_000_000;
const text = new TextEncoder();
const fakeHash = (label) => keccakOf([text.encode(label)]);

/** A sparse Merkle tree. */
class Tree {
  #empty = emptyNodes();
  #levels = Array.from({ length: DEPTH + 1 }, () => new Map());

  set(index, leaf) {
    this.#levels[0].set(index, leaf);
    for (let height = 1, at = index; height <= DEPTH; height++) {
      at = Math.floor(at / 2);
      const child = (side) => this.#levels[height - 1].get(2 * at + side) ?? this.#empty[height - 1];
      this.#levels[height].set(at, compress(child(0), child(1)));
    }
  }

  get root() {
    return elementToHex(this.#levels[DEPTH].get(0) ?? this.#empty[DEPTH]);
  }

  path(index) {
    return Array.from({ length: DEPTH }, (_, height) => {
      const at = Math.floor(index / 2 ** height);
      const sibling = at % 2 === 0 ? at + 1 : at - 1;
      return elementToHex(this.#levels[height].get(sibling) ?? this.#empty[height]);
    });
  }
}

const STAGES = ["open", "sealing", "proving", "aggregating", "settling", "final"];

export class World {
  sequencer = addressOfSecret(SEQUENCER);
  domain = domainOf(ROLLUP);
  keys = Array.from({ length: 6 }, (_, i) => SecretKey.fromSeed(text.encode(`user ${i}`)));
  tree = new Tree();
  accounts = new Map();
  operations = [];
  blocks = [];
  jobs = [];
  time = START;
  breaker = null;
  paused = false;
  synced = true;
  #turn = 0;
  queue = { taken: 41, on_l1: 41, oldest_seconds: 0 };

  constructor() {
    this.#put(0, { owner: ownerOf(7n, EXIT), token: 0, nonce: 0, balance: 0n, frozenUntil: 0 });
    this.keys.forEach((key, i) => {
      const owner = ownerOf(key.publicKey().keyhash(), EXIT);
      const frozenUntil = i === 4 ? START + 86_400 : 0;
      this.#put(FIRST + i, { owner, token: 0, nonce: 0, balance: 10n ** 18n * BigInt(5 + i), frozenUntil });
    });
    this.root = this.tree.root;
    for (let number = 1; number <= 24; number++) {
      this.#open(number);
      for (let i = 0; i < 3; i++) {
        const from = (number + i) % 3;
        const amount = BigInt(1 + ((number * 7 + i) % 9)) * 10n ** 15n;
        this.#execute(this.signed(from, { kind: "transfer", to: FIRST + 3 + (i % 2 === 0 ? 0 : 2), amount }));
      }
    }
    // The last blocks are on their way, one in each stage; the newest is open.
    [1, 2, 2, 3, 4].forEach((stage, i) => this.#stage(this.blocks[this.blocks.length - 2 - i], stage));
    this.blocks.slice(0, -6).forEach((block) => this.#stage(block, 5));
    this.#findFinal();
  }

  #put(index, account) {
    this.accounts.set(index, account);
    this.tree.set(index, leafOf(account));
  }

  /** Signs an operation with the next nonce. */
  signed(user, action, change = {}) {
    const { nonce } = this.accounts.get(FIRST + user);
    const deadline = BigInt(this.time + 86_400);
    const body = { account: FIRST + user, token: 0, nonce, deadline, fee: 10n ** 12n, action, ...change };
    return sign(body, this.keys[user], this.domain, EXIT);
  }

  #open(number) {
    this.time += 30;
    const before = this.blocks.at(-1);
    this.blocks.push({
      number, hash: null, stage: "open", committed: false, proven: false, batches: 2, operations: 0, data_bytes: 16,
      time: this.time, old_root: before?.new_root ?? this.root, new_root: this.tree.root, opened_at: this.time,
      finalized_at: null, transactions: { commit: null, prove: null, finalize: null },
      gas_per_operation: null, wei_per_operation: null, snapshot: new Map(),
    });
  }

  #transaction(block, what, gas) {
    const wei = String(BigInt(gas) * 2_100_000_000n);
    return { hash: fakeHash(`${what} ${block.number}`), block: 900 + 3 * block.number, gas, wei, attempts: 1 };
  }

  #stage(block, stage) {
    block.stage = STAGES[stage];
    block.hash = stage > 1 ? fakeHash(`block ${block.number}`) : null;
    block.committed = stage >= 3;
    block.proven = stage >= 4;
    const transfers = 1 + (block.number % 5);
    const wobble = Math.round(900 * Math.sin(block.number));
    if (block.committed) block.transactions.commit = this.#transaction(block, "commit", 96_000 + 8 * wobble);
    if (block.proven) block.transactions.prove = this.#transaction(block, "prove", 310_000);
    if (stage === 5) {
      block.transactions.finalize = this.#transaction(block, "finalize", 74_000);
      block.finalized_at = block.time + 220 + 9 * transfers;
      block.gas_per_operation = 690 + Math.round(wobble / 10) + 12 * transfers;
      block.wei_per_operation = String(BigInt(block.gas_per_operation) * 2_100_000_000n);
      block.operations_shown = 512;
      block.data_bytes = 16 + 15 * 512;
    }
    this.#jobsOf(block, stage);
  }

  #jobsOf(block, stage) {
    this.jobs = this.jobs.filter((job) => job.block !== block.number);
    if (stage < 2 || stage > 3) return;
    for (let i = 0; i < 2; i++) {
      const number = 2 * (block.number - 1) + i;
      const state = stage === 3 || i === 0 && block.number % 2 === 0 ? "done" : i === 0 ? "leased" : "queued";
      this.jobs.push({
        key: `batch-${number}-1a2b3c4d`, kind: "prove_batch", number, circuit: "8c2f11d09e4b73aa", state,
        worker: state === "leased" ? "prover-1" : null, attempts: 1, causes: [], since: block.time + 10, block: block.number,
      });
    }
    if (stage === 3) {
      this.jobs.push({
        key: `block-${block.number}-5e6f7a8b`, kind: "prove_block", number: block.number, circuit: "41d7c0a2b95e6f38",
        state: "leased", worker: "prover-2", attempts: 2, since: block.time + 60, block: block.number,
        causes: ["the lease ran out: prover-3 was not heard of for 60 s"],
      });
    }
  }

  #findFinal() {
    this.finalized = this.blocks.findLast((block) => block.stage === "final");
    // The accounts as the newest final block left them.
    const later = this.operations.filter((op) => op.receipt.block > this.finalized.number);
    this.final = new World.Snapshot(this.accounts, later);
  }

  /** The state without some operations at its end. */
  static Snapshot = class {
    constructor(accounts, undone) {
      this.accounts = new Map([...accounts].map(([index, account]) => [index, { ...account }]));
      for (const { decoded } of [...undone].reverse()) {
        const { account, action, fee } = decoded;
        this.accounts.get(account).balance += action.amount + fee;
        this.accounts.get(account).nonce -= 1;
        this.accounts.get(action.to).balance -= action.amount;
        this.accounts.get(0).balance -= fee;
      }
      this.tree = new Tree();
      for (const [index, account] of this.accounts) this.tree.set(index, leafOf(account));
    }
  };

  /** Executes a transfer, and gives its receipt. */
  #execute(operation) {
    const { account, action, fee } = operation;
    const [sender, receiver, fees] = [this.accounts.get(account), this.accounts.get(action.to), this.accounts.get(0)];
    sender.balance -= action.amount + fee;
    sender.nonce += 1;
    receiver.balance += action.amount;
    fees.balance += fee;
    for (const index of [account, action.to, 0]) this.tree.set(index, leafOf(this.accounts.get(index)));
    const block = this.blocks.at(-1);
    const hash = operationHash(operation);
    const posted = records(operation, {});
    const batch = block.operations < 2 ? 0 : 1;
    const position = block.operations % 2;
    const receipt = signReceipt(
      { epoch: 0, block: block.number, batch, position, operation: hash, leaf: elementToHex(orderLeaf(posted)), time: block.time },
      ROLLUP,
      SEQUENCER,
    );
    this.operations.push({ hash, entry: this.operations.length, decoded: operation, receipt, posted });
    block.operations += 1;
    block.data_bytes += 15;
    block.new_root = this.tree.root;
    return receipt;
  }

  /** What the sequencer answers to an operation. */
  submit(bytes) {
    const reject = (code, message) => ({ rejection: { code, message } });
    let operation;
    try {
      operation = decode(fromHex("operation", bytes));
    } catch (error) {
      return reject("encoding", error.message);
    }
    if (operation.op !== "signed" || operation.action.kind !== "transfer") return reject("encoding", "only transfers");
    const known = this.operations.find((op) => op.hash === operationHash(operation));
    if (known) return { receipt: known.receipt };
    const account = this.accounts.get(operation.account);
    if (!account) return reject("no_such_account", `account ${operation.account} does not exist`);
    if (operation.nonce !== account.nonce) {
      return reject("wrong_nonce", `nonce ${operation.nonce}: the account's is ${account.nonce}`);
    }
    if (operation.action.amount + operation.fee > account.balance) {
      return reject("insufficient_balance", `balance ${account.balance} is too low`);
    }
    if (!isSigned(operation, this.domain, EXIT)) return reject("bad_signature", "the signature does not hold");
    return { receipt: this.#execute(operation) };
  }

  /** Makes every block final and opens a new one. */
  finalize() {
    for (const block of this.blocks) if (block.stage !== "final") this.#stage(block, 5);
    this.#findFinal();
    this.#open(this.blocks.at(-1).number + 1);
  }

  /** Moves one block a stage on: the oldest of each stage in turn, from behind. */
  advance() {
    for (let tries = 0; tries < 5; tries++) {
      const stage = 4 - (this.#turn++ % 5);
      const block = this.blocks.find((b) => b.stage === STAGES[stage]);
      if (block === undefined) continue;
      if (stage === 0) this.#open(block.number + 1);
      this.#stage(block, stage + 1);
      if (stage + 1 === 5) this.#findFinal();
      return block;
    }
    return undefined;
  }

  account(index) {
    const { accounts, tree } = this.final;
    const show = (account) => account && {
      owner: elementToHex(account.owner), token: account.token, nonce: account.nonce,
      balance: String(account.balance), frozen_until: account.frozenUntil,
    };
    const account = accounts.get(index);
    const pending = this.accounts.get(index);
    return {
      index,
      account: show(account) ?? null,
      path: tree.path(index),
      root: tree.root,
      batch: 2 * this.finalized.number,
      block: this.finalized.number,
      finalized: true,
      pending: pending
        ? { nonce: pending.nonce, balance: String(pending.balance), frozen_until: pending.frozenUntil }
        : null,
    };
  }

  block(block) {
    const { snapshot, operations_shown, ...fields } = block;
    return { ...fields, operations: operations_shown ?? fields.operations, new_root: fields.stage === "open" ? null : fields.new_root };
  }

  statusOf(block) {
    const order = { final: "final", settling: "proven", aggregating: "committed", proving: "sealed", sealing: "sealed", open: "sequenced" };
    return order[block.stage];
  }

  operation({ hash, entry, decoded, receipt }) {
    const block = this.blocks[receipt.block - 1];
    return {
      hash, entry, kind: decoded.action.kind, bytes: toHex(encode(decoded)), receipt, status: this.statusOf(block),
      batch_number: 2 * (receipt.block - 1) + receipt.batch, account: decoded.account, token: decoded.token,
      amount: String(decoded.action.amount), fee: String(decoded.fee), to: decoded.action.to,
    };
  }

  inclusion({ hash, receipt, posted }) {
    const block = this.blocks[receipt.block - 1];
    return {
      operation: hash, block: receipt.block, batch: receipt.batch, position: receipt.position,
      records: posted.map(toHex), leaf: receipt.leaf, offset: [8 + 38 * receipt.batch + 15 * receipt.position],
      commit_transaction: block.transactions.commit?.hash ?? null,
    };
  }

  batchesOf(block) {
    return [0, 1].map((batch) => {
      const number = 2 * (block.number - 1) + batch;
      const { block: _, ...job } = this.jobs.find((j) => j.kind === "prove_batch" && j.number === number) ?? {};
      return {
        number, block: block.number, batch, operations: batch === 0 ? 2 : 1, first_entry: 3 * (block.number - 1) + 2 * batch,
        old_root: block.old_root, new_root: block.new_root, time: block.time, job: job.key ? job : null,
      };
    });
  }

  jobList() {
    return this.jobs.map(({ block, ...job }) => job);
  }

  version() {
    return {
      version: "0.1.0", chain_id: ROLLUP.chainId, contract: ROLLUP.contract, sequencer: this.sequencer, shape: "standard",
      batches_per_block: 2, batch_circuit_id: fakeHash("batch circuit"), block_circuit_id: fakeHash("block circuit"),
      unsafe_dev_srs: true, page: "bastion",
    };
  }

  fees(token) {
    return {
      token, suggested: "2000000000000", l1_gas_per_transfer: 700, l1_gas_price: "2100000000",
      l1_wei_per_transfer: "1470000000000", proving_wei_per_transfer: "300000000000", margin_percent: 10,
    };
  }

  status() {
    const count = (...stages) => this.blocks.filter((block) => stages.includes(block.stage)).length;
    const jobs = (state) => this.jobs.filter((job) => job.state === state).length;
    const last = this.finalized;
    return {
      time: this.time, accepting: !this.paused && !this.breaker, paused: this.paused, draining: false, breaker: this.breaker,
      entries: this.operations.length, batches: { closed: 2 * this.blocks.length - 1, sealed: 2 * count("proving", "aggregating", "settling", "final") },
      blocks: {
        open: this.blocks.at(-1).number, sealed: this.blocks.length - 2, proven: count("settling", "final"),
        committed: count("aggregating", "settling", "final"), finalized: last.number,
      },
      queue: this.queue,
      jobs: { queued: jobs("queued"), leased: jobs("leased"), failed: jobs("failed"), done: jobs("done") + 2 * last.number },
      workers: [
        { name: "prover-1", busy: true, last_heard_seconds: 2 }, { name: "prover-2", busy: true, last_heard_seconds: 1 },
        { name: "prover-3", busy: false, last_heard_seconds: 94 },
      ],
      oldest_unfinished_seconds: 184, operations_per_second: 42.6,
      cost: { gas_per_operation: last.gas_per_operation, wei_per_operation: last.wei_per_operation },
      l1: { block: 1_000 + this.blocks.length, gas_price: "2100000000", balance_wei: "4310000000000000000", synced: this.synced },
    };
  }
}
