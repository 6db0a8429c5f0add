/** Types of the bundle for the page's modules, which import it by this name. */
export * from "../src/index.js";
