/** Starts the page: which part of it is shown, the search, alarms and the connection. */
import { accountPage } from "./account.js";
import { showAlarms } from "./alarms.js";
import { blockPage } from "./block.js";
import { h, put, setText } from "./dom.js";
import { findingPage } from "./finding.js";
import { jobsPage } from "./jobs.js";
import { client, onChange, start, state } from "./live.js";
import { operationPage } from "./operation.js";
import { overview } from "./overview.js";
import { failure, hash, heading } from "./parts.js";
import { sentinelPage } from "./sentinel.js";
import { verifyPage } from "./verify.js";

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const main = element("main");
let leave = () => {};

/** Shows what the address asks for. */
function route() {
  leave();
  const away = new AbortController();
  const parts = location.hash.replace(/^#\/?/, "").split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const [name = "", id] = parts;
  /** @type {Record<string, [string, () => void | (() => void)]>} */
  const pages = {
    "": ["overview", () => overview(main)],
    accounts: ["account", () => accountPage(main, id || undefined, away.signal)],
    blocks: ["overview", () => (id ? blockPage(main, id, away.signal) : overview(main))],
    operations: ["operation", () => operationPage(main, id ?? "", away.signal)],
    verify: ["verify", () => verifyPage(main, away.signal)],
    jobs: ["jobs", () => jobsPage(main)],
    sentinel: ["sentinel", () => (id ? findingPage(main, id, away.signal) : sentinelPage(main, away.signal))],
  };
  const page = Object.hasOwn(pages, name) ? pages[name] : undefined;
  const stop = page ? page[1]() : put(main, heading("Nothing here"), failure(new Error("This address leads nowhere. Start from the overview.")));
  leave = () => {
    away.abort();
    stop?.();
  };
  for (const link of document.querySelectorAll("nav a")) {
    if (/** @type {HTMLElement} */ (link).dataset.page === page?.[0]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = main.querySelector("h1");
  document.title = title && name ? `${title.textContent} · Bastion` : "Bastion";
  return title;
}

window.addEventListener("hashchange", () => {
  // The skip link is an address too, and no page.
  if (location.hash === "#main") return;
  window.scrollTo(0, 0);
  route()?.focus();
});

/** Where a search leads: an account, a block, an operation or an owner. @param {string} text */
async function target(text) {
  const [, name, digits] = /^(account|block)?\s*([0-9]+)$/i.exec(text) ?? [];
  if (digits !== undefined) {
    const isBlock = name ? name.toLowerCase() === "block" : Number(digits) < 2 ** 16 && state.blocks.has(Number(digits));
    return isBlock ? `#/blocks/${digits}` : `#/accounts/${digits}`;
  }
  if (!/^0x[0-9a-f]{64}$/i.test(text)) return undefined;
  const name64 = text.toLowerCase();
  const [isBlock, isOwner] = await Promise.all([
    client.block(name64).then(() => true, () => false),
    client.accountsOf(name64).then((accounts) => accounts.length > 0, () => false),
  ]);
  return isBlock ? `#/blocks/${name64}` : isOwner ? `#/accounts/${name64}` : `#/operations/${name64}`;
}

element("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (element("search-text"));
  const leads = await target(input.value.trim());
  input.setCustomValidity(leads ? "" : "Type the index of an account, the number of a block, or the hash of a block, an operation or an owner");
  if (!leads) input.reportValidity();
  else location.hash = leads;
});
element("search-text").addEventListener("input", (event) => /** @type {HTMLInputElement} */ (event.target).setCustomValidity(""));

onChange(() => {
  showAlarms(element("alarms"));
  const connection = element("connection");
  connection.dataset.state = state.connection;
  setText(connection, { connecting: "Connecting", live: "Live", lost: "Disconnected" }[state.connection]);
  const { version } = state;
  const about = element("about");
  if (version && about.childElementCount === 0) {
    put(about, h("span", {}, `Bastion ${version.version} on chain ${version.chain_id}, ${version.shape} batches, ${version.batches_per_block} a block. Contract `), hash(version.contract), " sequencer ", hash(version.sequencer));
  }
});

route();
start();
