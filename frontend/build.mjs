/**
 * Builds the browser files: `node frontend/build.mjs [--check] [--size]`.
 *
 * Output goes to the apps' static folders and is committed, so that nobody needs Node to install.
 * `--check` compares with what is there and fails on a difference; `--size` prints and gates sizes.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const HEADER = "/* Generated; do not edit. */\n";
const TARGETS = ["chrome111", "firefox115", "safari16.4"];

/** One entry per built file; `max` is its budget in bytes after gzip -9. */
export const BUNDLES = [
  {
    entry: "widget/launcher.ts",
    out: "chatwidget/static/chatwidget/widget.js",
    format: "iife",
    max: 2560,
  },
  {
    entry: "widget/panel.ts",
    out: "chatwidget/static/chatwidget/panel.js",
    format: "esm",
    max: 15360,
  },
  {
    entry: "inbox/inbox.ts",
    out: "inbox/static/inbox/inbox.js",
    format: "esm",
    max: 46080,
  },
];

/** Stylesheets become minified text for constructable sheets. */
export const cssText = {
  name: "css-text",
  setup(plugin) {
    plugin.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), {
        loader: "css",
        minify: true,
        target: TARGETS,
      });
      return { contents: code.trim().replace(/(--[\w-]+): /g, "$1:"), loader: "text" };
    });
  },
};

/** `"key": _("text")` pairs of a Python dict, in order. */
export function readStrings(source) {
  const pairs = [...source.matchAll(/^ {4}"(\w+)": _\(\s*("(?:[^"\\]|\\.)*")\s*\),$/gm)];
  return Object.fromEntries(pairs.map(([, key, text]) => [key, JSON.parse(text)]));
}

function stringsModule() {
  const strings = readStrings(readFileSync(join(root, "chatwidget/widget_strings.py"), "utf8"));
  return [
    "/** Generated from chatwidget/widget_strings.py by `npm run build`; do not edit. */",
    "",
    "export type Key =",
    `${Object.keys(strings)
      .map((key) => `  | "${key}"`)
      .join("\n")};`,
    "",
  ].join("\n");
}

export async function bundle({ entry, format }) {
  const result = await build({
    entryPoints: [join(root, "frontend", entry)],
    bundle: true,
    write: false,
    minify: true,
    format,
    charset: "utf8",
    target: TARGETS,
    legalComments: "none",
    tsconfigRaw: { compilerOptions: { alwaysStrict: false } },
    plugins: [cssText],
  });
  // A second minifier: about 4 % smaller than esbuild's own output once compressed.
  const { code } = await minify(result.outputFiles[0].text, {
    module: format === "esm",
    ecma: 2020,
    compress: { passes: 6, pure_getters: true, unsafe: true, unsafe_arrows: true },
    mangle: true,
    format: { comments: false },
  });
  return `${HEADER}${code.trim()}\n`;
}

async function main(flags) {
  const check = flags.includes("--check");
  const files = new Map([[join("frontend", "shared", "strings.ts"), stringsModule()]]);
  if (!check) writeFileSync(join(root, "frontend/shared/strings.ts"), stringsModule());
  for (const one of BUNDLES) files.set(one.out, await bundle(one));
  let failed = false;
  for (const [path, text] of files) {
    const full = join(root, path);
    if (check) {
      if (readFileSync(full, "utf8") === text) continue;
      failed = true;
      console.error(`${path} is not what "npm run build" makes of its sources`);
    } else {
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    }
  }
  for (const { out, max } of BUNDLES) {
    const bytes = gzipSync(files.get(out), { level: 9 }).length;
    const over = bytes > max;
    console.log(`${out}: ${bytes} B gzip of ${max} B${over ? "  TOO LARGE" : ""}`);
    if (over && flags.includes("--size")) failed = true;
  }
  if (failed) process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
