import { parse } from "yaml";
import { InputError } from "../../errors.js";
import { isObject } from "../generation-api.js";
import { parseWorkerUrl } from "../worker-url.js";
import type { WantedWorker } from "./sourced-workers.js";

const EXPECTED = "expected prefill: and decode:, each a list of URLs, or of {url, bootstrap_port, model_id}";

/**
 * The workers that a file names, in YAML or JSON:
 *
 * ```
 * prefill: [{ url: http://p0:8000, bootstrap_port: 8998 }]
 * decode: [http://d0:8000, http://d1:8000]
 * ```
 *
 * @param name Of the file, for errors.
 * @throws InputError when something in it is wrong, or it names no decode worker.
 */
export function workersInFile(text: string, name: string): WantedWorker[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message.split("\n")[0]}, ${EXPECTED}`);
  }
  if (!isObject(document)) throw new InputError(`${name}: ${EXPECTED}`);
  const unknown = Object.keys(document).find((key) => key !== "prefill" && key !== "decode");
  if (unknown !== undefined) throw new InputError(`${name}: ${unknown} is unknown, ${EXPECTED}`);
  const workers = (["prefill", "decode"] as const).flatMap((leg) => {
    const list: unknown = document[leg] ?? [];
    if (!Array.isArray(list)) throw new InputError(`${name}: ${leg} is no list, ${EXPECTED}`);
    return list.map((entry: unknown) => ({ leg, url: urlOf(entry, `${name}: ${leg}`) }));
  });
  if (!workers.some(({ leg }) => leg === "decode")) {
    throw new InputError(`${name}: no decode worker, ${EXPECTED}`);
  }
  return workers;
}

function urlOf(entry: unknown, where: string): WantedWorker["url"] {
  const {
    url,
    bootstrap_port: port = null,
    model_id: model = null,
    ...others
  } = isObject(entry) ? entry : { url: entry };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new InputError(`${where}: ${unknown} is unknown, ${EXPECTED}`);
  if (typeof url !== "string") throw new InputError(`${where}: got ${JSON.stringify(entry)}, ${EXPECTED}`);
  const isPort = Number.isInteger(port) && (port as number) > 0 && (port as number) < 65536;
  if (port !== null && !isPort) {
    throw new InputError(`${where}: bootstrap_port: got ${JSON.stringify(port)}, expected 1 to 65535`);
  }
  if (model !== null && (typeof model !== "string" || model === "")) {
    throw new InputError(`${where}: model_id: got ${JSON.stringify(model)}, expected the name of a model`);
  }
  return parseWorkerUrl(url, { bootstrapPort: port as number | null, model });
}
