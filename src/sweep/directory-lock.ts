import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { InputError } from "../errors.js";

/** Who holds a folder. */
interface LockOwner {
  readonly pid: number;
  readonly host: string;
}

const FILE = "in-use.lock";
/** The owner renews its lock this often; where its process cannot be looked up, a lock older than STALE_MS is left over. */
const RENEW_MS = 5_000;
const STALE_MS = 60_000;

/** True for files by which processes agree on who uses a folder. */
export function isLockFile(name: string): boolean {
  return name.startsWith(FILE);
}

/**
 * Calls `body` while no other process works on `directory` under this lock; the folder is made, and removed again
 * where nothing was put into it. A lock whose owner is gone (killed, or on another host and silent for a minute)
 * is taken over.
 *
 * @throws InputError when another process holds the folder
 */
export async function holdingDirectory<T>(directory: string, body: () => Promise<T>): Promise<T> {
  const isNew = !existsSync(directory);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, FILE);
  acquire(directory, path);
  const renewal = setInterval(() => renew(path), RENEW_MS).unref();
  try {
    return await body();
  } finally {
    clearInterval(renewal);
    if (read(path) === ownText()) unlinkSync(path);
    if (isNew) removeEmpty(directory);
  }
}

function acquire(directory: string, path: string): void {
  for (let attempt = 0; !create(path); attempt++) {
    const text = read(path);
    if (text === null) continue;
    const owner = parseOwner(text);
    if (attempt < 3 && isGone(owner, path)) {
      takeAway(path, text);
      continue;
    }
    const who = owner === null ? "another process" : `process ${owner.pid} on ${owner.host}`;
    throw new InputError(
      `--out ${directory}: ${who} is writing there, expected a folder of its own for every running command ` +
        `(if it is gone for good, remove ${path})`,
    );
  }
}

/** False where there is a lock already. */
function create(path: string): boolean {
  // Linked into place whole: nobody ever reads a lock without its owner.
  const draft = `${path}.${hostname()}.${process.pid}`;
  writeFileSync(draft, ownText());
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function ownText(): string {
  const owner: LockOwner = { pid: process.pid, host: hostname() };
  return JSON.stringify(owner);
}

function isGone(owner: LockOwner | null, path: string): boolean {
  if (owner === null) return false;
  if (owner.host === hostname()) return owner.pid === process.pid || !isAlive(owner.pid);
  return ageMs(path) > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** By the clock of the file system, which hosts share. */
function ageMs(path: string): number {
  const probe = `${path}.now.${hostname()}.${process.pid}`;
  closeSync(openSync(probe, "w"));
  try {
    return statSync(probe).mtimeMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  } finally {
    unlinkSync(probe);
  }
}

/** Removes the lock that reads `text`. One that somebody else has made in its place meanwhile is put back. */
function takeAway(path: string, text: string): void {
  const away = `${path}.left-over.${hostname()}.${process.pid}`;
  try {
    renameSync(path, away);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  try {
    if (readFileSync(away, "utf8") !== text) linkSync(away, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    unlinkSync(away);
  }
}

function renew(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Whoever removed the lock wants to go ahead; the results themselves are written whole.
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

function parseOwner(text: string): LockOwner | null {
  try {
    return JSON.parse(text) as LockOwner;
  } catch {
    return null;
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
