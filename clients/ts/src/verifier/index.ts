/** The third verifier of block proofs: it shares no code with the prover, the contract or `audit`. */
export * from "./block.js";
export { blockInputs, challengeOf, headerFrom, INPUT_NAMES, inputsFrom } from "./inputs.js";
export type { Header, InputName, PublicInputs } from "./inputs.js";
export { digestOf, manifestFrom, type Manifest } from "./manifest.js";
export { Refused, type Reason } from "./refused.js";
export { Verifier } from "./verifier.js";
