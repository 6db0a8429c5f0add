/** Judges some of the calls, by number, and answers with letters. */
import { parentPort, workerData } from "node:worker_threads";
import { sampleVerifier, sampleCall, judge, layoutOf, letterOf } from "./block.js";
import { calls } from "./mutations.js";

const verifier = sampleVerifier();
const list = calls(sampleCall(), layoutOf(verifier));
const letters = (workerData as number[]).map((number) => {
  const make = list[number];
  return make === undefined ? "?" : letterOf(judge(verifier, make()));
});
parentPort?.postMessage(letters);
