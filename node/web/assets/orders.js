/** Buttons for the operator who has signed in, and commands for everybody else. */
import { h, put, setText } from "./dom.js";
import { frozen, stale } from "./findings.js";
import * as format from "./format.js";
import { call, isIn, onOperator } from "./operator.js";

/** @typedef {import("./bastion.js").Schemas} Schemas */
/** @typedef {{ name: string, path: string, body?: unknown, command: string, does: string, danger?: boolean }} Order */

/** Milliseconds in which a button is to be pressed again. */
const ARMED = 6_000;

/** A command, to be copied. @param {string} text */
export function command(text) {
  const button = h("button", { class: "copy", type: "button", "aria-label": `Copy ${text}` }, "Copy");
  button.addEventListener("click", () => navigator.clipboard.writeText(text).then(() => setText(button, "Copied"), () => setText(button, "No access")));
  return h("p", { class: "command" }, h("code", {}, text), button);
}

/** @param {Schemas["SignedReceipt"]} receipt */
const promised = ({ position, batch, block }) => `Done: position ${Number(position)} of batch ${Number(batch)} in block ${Number(block)}.`;

/** Orders about an account. @param {number} account @param {number} [seconds] */
export const freezing = (account, seconds = 3_600) => ({
  freeze: /** @type {Order} */ ({ name: "Freeze", path: `/accounts/${account}/freeze`, body: { seconds }, danger: true,
    does: `freezes account ${account} for ${format.duration(seconds)}`, command: `bastion sentinel freeze ${account} --seconds ${seconds}` }),
  unfreeze: /** @type {Order} */ ({ name: "Unfreeze", path: `/accounts/${account}/unfreeze`, does: `ends the freeze of account ${account}`, command: `bastion sentinel unfreeze ${account}` }),
});

/** What is let go of an account that is frozen is lost. @param {number} account */
const released = (account) => (frozen().some((one) => one.account === account)
  ? `lets it go, but account ${account} is frozen: unless it pays the own exit address it cannot be executed, and is lost. Unfreeze the account first` : "executes it now, if it can be");

/** Orders about an operation that is held back. @param {{ operation: string, account: number }} held */
export const holding = ({ operation, account }) => ({
  release: /** @type {Order} */ ({ name: "Release", path: `/quarantine/${operation}/release`, danger: true, does: released(account), command: `bastion sentinel quarantine release ${operation}` }),
  drop: /** @type {Order} */ ({ name: "Drop", path: `/quarantine/${operation}/drop`, danger: true, does: "forgets it; its owner can sign another", command: `bastion sentinel quarantine drop ${operation}` }),
});

/** One button. What is dangerous is to be pressed twice. @param {() => Order} order @param {Element} said */
function button(order, said) {
  const { name, does } = order();
  const press = h("button", { type: "button", title: `${name}: ${does}` }, name);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let armed;
  /** What was announced: an order that is another by now is announced again. */
  let announced = "";
  const disarm = () => {
    clearTimeout(armed);
    announced = "";
    press.classList.remove("danger");
    setText(press, name);
  };
  /** @param {string} kind @param {string} text */
  const say = (kind, text) => {
    said.className = `said ${kind}`;
    setText(said, text);
  };
  press.addEventListener("click", async () => {
    const now = order();
    const text = JSON.stringify([now.path, now.body, now.does]);
    if (now.danger && announced !== text) {
      disarm();
      announced = text;
      armed = setTimeout(disarm, ARMED);
      press.classList.add("danger");
      setText(press, `${name}: sure?`);
      say("", `This ${now.does}.`);
      return;
    }
    disarm();
    say("", "Asking the node…");
    try {
      const answer = await call("POST", now.path, now.body);
      stale();
      say("text-good", answer.signature ? promised(answer) : "Done.");
    } catch (error) {
      say("text-bad", `Refused: ${error instanceof Error ? error.message : error}`);
    }
  });
  return press;
}

/**
 * Buttons, or commands.
 * @param {AbortSignal} signal
 * @param {() => Order[]} orders made anew when they are needed
 */
export function orders(signal, orders) {
  const said = h("p", { class: "said", role: "status" });
  const list = h("div", {});
  const commands = h("details", { class: "commands" }, h("summary", {}, `Commands: ${orders().map(({ name }) => name.toLowerCase()).join(", ")}`), list);
  const row = h("div", { class: "row" }, orders().map((_, i) => button(() => orders()[i], said)));
  const update = () => {
    row.hidden = !isIn();
    commands.hidden = isIn();
    put(list, orders().map((order) => command(order.command)));
  };
  onOperator(signal, update);
  return { element: h("div", { class: "orders" }, row, said, commands), update };
}
