import { lstatSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { PageError } from "./page-error.js";

const LONGEST_PATH = 1000;
/** A name below the folder that is served, made for it: no separators, nothing hidden, nothing a shell would mind. */
const NEW_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
// eslint-disable-next-line no-control-regex
const UNUSUAL = /[\x00-\x1f\x7f\\]/;

/**
 * The file or folder that `path` names below `root`; what it names need not exist.
 *
 * @param root a folder by its real path
 * @param path names separated by `/`, as they stand after decoding; `.` = the root itself
 * @throws PageError for anything that leaves `root` or could: `..`, absolute paths, backslashes, control characters,
 *   and every symbolic link on the way, wherever it points
 */
export function insidePath(root: string, path: string): string {
  if (path === ".") return root;
  const names = path.split("/");
  const isPlain = path.length <= LONGEST_PATH && !UNUSUAL.test(path) && names.every(isPlainName);
  if (!isPlain) throw outside(path);
  const full = join(root, ...names);
  const existing = deepestExisting(root, names);
  // The names were checked one by one; links are what is left that could lead elsewhere.
  if (realpathSync(existing) !== existing) throw outside(path);
  return full;
}

/** True for a file that is one itself: not a link, a folder or a device. */
export function isRegularFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** True for a name that a new folder below the root may have. */
export function isNewName(name: string): boolean {
  return NEW_NAME.test(name);
}

function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes(sep);
}

/** How far the path exists, links included that point nowhere. */
function deepestExisting(root: string, names: readonly string[]): string {
  let path = root;
  for (const name of names) {
    const next = join(path, name);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return path;
    if (found.isSymbolicLink()) throw outside(names.join("/"));
    if (!found.isDirectory()) return next;
    path = next;
  }
  return path;
}

function outside(path: string): PageError {
  return new PageError(
    400,
    `${JSON.stringify(path.slice(0, 200))} is not a path below the folder that is shown.`,
    "Symbolic links are not followed. Go back to the list and open a result from there.",
  );
}
