/** Writes the bundle that the node serves, or compares the committed one: `node bundle.mjs --check`. */
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const FILE = fileURLToPath(new URL("../../node/web/assets/bastion.js", import.meta.url));

/** A bundle as text: the same for the same sources and pinned packages. */
export async function bundle(entry = "src/index.ts") {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "inline",
    charset: "ascii",
    logLevel: "error",
  });
  return outputFiles[0].text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await bundle();
  if (process.argv.includes("--check")) {
    const committed = await readFile(FILE, "utf8").catch(() => "");
    if (committed !== text) {
      console.error("node/web/assets/bastion.js is not what clients/ts gives: run `npm run bundle` in clients/ts");
      process.exit(1);
    }
  } else {
    await writeFile(FILE, text);
  }
}
