// Checks an account's proof with the client that the web page uses, in the bytes that the node serves:
//   node check-account.mjs http://127.0.0.1:4000 131072
import { Client, checkPath, checkRoot } from "../../node/web/assets/bastion.js";

const [url, index] = process.argv.slice(2);
if (!url || !/^\d+$/.test(index ?? "")) {
  console.error("usage: node check-account.mjs URL INDEX");
  process.exit(2);
}
const client = new Client(url);
const proof = await client.account(Number(index));
const checks = [
  checkPath(Number(index), proof),
  checkRoot(proof, await client.block("finalized")),
];
console.log(`account ${index}: ${proof.account?.balance ?? "empty"}, nonce ${proof.account?.nonce ?? "-"}`);
for (const { ok, text } of checks) console.log(`${ok ? "ok " : "BAD"} ${text}`);
process.exit(checks.every((check) => check.ok) ? 0 : 3);
