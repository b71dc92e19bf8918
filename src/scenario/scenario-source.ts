import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
} from "yaml";
import { InputError } from "../errors.js";
import { excerptOf, ScenarioError, type SourcePosition } from "./scenario-error.js";

/** Keys from the root of the scenario to a setting. */
export type SettingPath = readonly (string | number)[];

/** A tree of settings as a user wrote it, unchecked. */
export type SettingTree = Record<string, unknown>;

/** A scenario as written, and where each of its settings stands. */
export interface ScenarioSource {
  /** Path as the user gave it, for messages; null for the built-in scenario. */
  readonly file: string | null;
  /** Relative paths in the scenario resolve against this. */
  readonly directory: string;
  readonly tree: SettingTree;
  /** An error at the setting `path`, or at its nearest ancestor in the file; `problem` says what is wrong. */
  errorAt(path: SettingPath, problem: string, pointAt?: "key" | "value"): InputError;
  /** `FILE:LINE` of a setting, or null where the file does not give it. */
  origin(path: SettingPath): string | null;
}

/**
 * Reads a scenario file without checking its settings.
 *
 * @throws InputError when there is no such file or it is not YAML; the message names line and column.
 */
export function readScenarioSource(file: string): ScenarioSource {
  if (!existsSync(file))
    throw new InputError(
      `${file}: no such scenario file, expected one that is there (\`pdbench init --out ${file}\` writes one)`,
    );
  if (statSync(file).isDirectory()) throw new InputError(`${file}: is a folder, expected a scenario file`);
  return parseScenarioSource(readFileSync(file, "utf8"), file);
}

/** As `readScenarioSource`, for a text that is already at hand. */
export function parseScenarioSource(text: string, file: string): ScenarioSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const fail = (offset: number, problem: string): ScenarioError => {
    const position = place(offset);
    const where = `${file}:${position.line}:${position.column}`;
    return new ScenarioError(`${where}: ${problem}`, excerptOf(text, position));
  };

  const syntax = document.errors[0];
  if (syntax !== undefined) {
    const problem = syntax.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
    throw fail(syntax.pos[0], `not valid YAML: ${problem}`);
  }
  const tree: unknown = document.toJS() ?? {};
  if (typeof tree !== "object" || Array.isArray(tree)) {
    throw fail(0, "expected a scenario: a block of settings such as `fleet:` and `workload:`");
  }
  return {
    file,
    directory: dirname(resolve(file)),
    tree: tree as SettingTree,
    errorAt: (path, problem, pointAt = "value") => {
      const found = find(document, path);
      const offset = pointAt === "key" ? found.key?.range?.[0] : offsetOf(found, path);
      return fail(offset ?? 0, path.length === 0 ? problem : `${path.join(".")}: ${problem}`);
    },
    origin: (path) => {
      const found = find(document, path);
      return found.depth < path.length ? null : `${file}:${place(found.key?.range?.[0] ?? 0).line}`;
    },
  };
}

/** The deepest setting on the way to `path` that the file gives. */
interface Found {
  readonly depth: number;
  readonly key: Node | null;
  readonly value: Node | null;
}

function find(document: Document, path: SettingPath): Found {
  let found: Found = { depth: 0, key: null, value: document.contents };
  for (const [index, step] of path.entries()) {
    const parent = isAlias(found.value) ? found.value.resolve(document) : found.value;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(step));
      if (pair === undefined) break;
      const value = isNode(pair.value) ? pair.value : null;
      found = { depth: index + 1, key: pair.key as Node, value };
    } else if (isSeq(parent) && typeof step === "number" && isNode(parent.items[step])) {
      found = { depth: index + 1, key: parent.items[step], value: parent.items[step] };
    } else {
      break;
    }
  }
  return found;
}

/** A bad value is shown where it stands, a missing or unknown one at the key it belongs to. */
function offsetOf(found: Found, wanted: SettingPath): number {
  const isWholeValue = found.depth === wanted.length && isScalar(found.value);
  const node = isWholeValue ? found.value : (found.key ?? found.value);
  return node?.range?.[0] ?? 0;
}
