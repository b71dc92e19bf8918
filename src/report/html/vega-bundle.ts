import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { codeForScript } from "./escape.js";

/** Versions and code of the chart libraries, ready to be inlined into a page. */
export interface VegaBundle {
  readonly code: string;
}

let loaded: Promise<VegaBundle> | undefined;

/**
 * The minified builds of Vega and Vega-Lite that lie beside the modules they are installed as; their packages
 * export no path to them.
 */
export function vegaBundle(): Promise<VegaBundle> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<VegaBundle> {
  const require = createRequire(import.meta.url);
  const sources = await Promise.all(
    [
      ["vega", "vega.min.js"],
      ["vega-lite", "vega-lite.min.js"],
    ].map(([module, file]) => readFile(join(dirname(require.resolve(module!)), file!), "utf8")),
  );
  return { code: sources.map(withoutSourceMap).map(codeForScript).join("\n") };
}

/** A link to a source map would be a request when developer tools are open. */
function withoutSourceMap(code: string): string {
  return code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
