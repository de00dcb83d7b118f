/** Bundles every `frontend/tests/*.test.ts` and runs it with Node's own test runner. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { cssText } from "./build.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "node_modules", ".cache", "frontend-tests");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const only = process.argv[2] ?? "";
const names = readdirSync(join(here, "tests")).filter(
  (name) => name.endsWith(".test.ts") && name.includes(only),
);
await build({
  entryPoints: names.map((name) => join(here, "tests", name)),
  bundle: true,
  outdir: out,
  platform: "node",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  packages: "external",
  plugins: [cssText],
});
const files = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
process.exit(status ?? 1);
