import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { insidePath, isNewName } from "../../src/serve/inside-path.js";
import { PageError } from "../../src/serve/page-error.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pdbench-serve-")));
const root = join(folder, "shown");
mkdirSync(join(root, "a", "b"), { recursive: true });
writeFileSync(join(root, "a", "file"), "");
mkdirSync(join(folder, "shown-too"));
mkdirSync(join(root, "..hidden"));
symlinkSync(folder, join(root, "up"));
symlinkSync(join(root, "a"), join(root, "within"));
symlinkSync(join(folder, "nowhere"), join(root, "a", "dangling"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a path below the folder that is shown", () => {
  it.each([
    ".",
    "a",
    "a/b",
    "a/file",
    "not/there",
    "a/new",
    "..hidden",
    "a..b",
    "%2e%2e",
    "ünï cödé",
    "a'b\"<&>",
  ])("%s stays within", (path) =>
    expect(insidePath(root, path)).toBe(path === "." ? root : `${root}/${path}`),
  );

  it.each([
    ["", "nothing at all"],
    ["..", "the folder above"],
    ["../shown-too", "a neighbour whose name begins alike"],
    ["a/../../x", "out by a detour"],
    ["a/..", "a detour that stays within"],
    ["./a", "a dot"],
    ["a/./b", "a dot in between"],
    ["a//b", "an empty name"],
    ["a/", "a slash at the end"],
    ["/etc/passwd", "an absolute path"],
    ["//host/share", "a network path"],
    ["..\\x", "a backslash"],
    ["C:\\x", "a drive"],
    ["a\0b", "a NUL"],
    ["a\nb", "a line break"],
    ["up", "a link out"],
    ["up/shown/a", "a link out and back in"],
    ["within", "a link within"],
    ["within/b", "through a link within"],
    ["a/dangling", "a link to nowhere"],
    ["a/dangling/x", "through a link to nowhere"],
    ["x".repeat(1001), "a name without end"],
  ])("%j is refused: %s", (path) => {
    expect(() => insidePath(root, path)).toThrow(PageError);
  });
});

describe("a name for a new folder", () => {
  it.each(["threshold", "a", "2026-11-29_b.1", "x".repeat(100)])("%s is taken", (name) => {
    expect(isNewName(name)).toBe(true);
  });

  it.each(["", ".", "..", ".hidden", "-rf", "a/b", "a\\b", "a b", "ü", "a\n", "$(x)", "x".repeat(101)])(
    "%j is refused",
    (name) => expect(isNewName(name)).toBe(false),
  );
});
