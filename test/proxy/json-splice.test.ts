import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson, spliceJson, type JsonEdit, type JsonPath } from "../../src/proxy/json-splice.js";

const splice = (text: string, ...edits: JsonEdit[]) => spliceJson(Buffer.from(text), edits).toString();
const set = (path: JsonPath, value: string): JsonEdit => ({ path, value });
const remove = (...path: JsonPath): JsonEdit => ({ path, value: null });

describe("splicing JSON", () => {
  it.each<[string, string, JsonEdit[], string]>([
    ["replaces a value", '{"a":1,"b":2}', [set(["a"], "7")], '{"a":7,"b":2}'],
    ["adds a member behind the last", '{"a":1}', [set(["b"], "[2]")], '{"a":1,"b":[2]}'],
    ["adds a member to an empty object", "{ }", [set(["b"], "2")], '{"b":2 }'],
    ["removes the first of several", '{"a":1, "b":2}', [remove("a")], '{"b":2}'],
    ["removes the last of several", '{"a":1 , "b":2 }', [remove("b")], '{"a":1 }'],
    ["removes a member between two", '{"a":1,"b":2,"c":3}', [remove("b")], '{"a":1,"c":3}'],
    ["removes the only one", '{"a":1}', [remove("a")], "{}"],
    ["removes all and adds one", '{"a":1,"b":2}', [remove("a"), remove("b"), set(["c"], "3")], '{"c":3}'],
    ["leaves an absent member alone", '{"a":1}', [remove("x"), remove("a", "y")], '{"a":1}'],
    ["sets a nested value", '{"s":{"n":3,"t":0.5}}', [set(["s", "n"], "1")], '{"s":{"n":1,"t":0.5}}'],
    ["adds to a nested object", '{"s":{"t":1}}', [set(["s", "n"], "2")], '{"s":{"t":1,"n":2}}'],
    ["makes the objects on the way", '{"a":1}', [set(["s", "n"], "1")], '{"a":1,"s":{"n":1}}'],
    ["makes an object of what is none", '{"s":null}', [set(["s", "n"], "1")], '{"s":{"n":1}}'],
    ["removes inside an object", '{"s":{"n":1,"t":2}}', [remove("s", "n")], '{"s":{"t":2}}'],
    [
      "makes two edits inside one object",
      '{"s":{"n":1}}',
      [set(["s", "n"], "5"), set(["s", "m"], "6")],
      '{"s":{"n":5,"m":6}}',
    ],
    ["sets every duplicate", '{"a":1,"b":0,"a":2}', [set(["a"], "9")], '{"a":9,"b":0,"a":9}'],
    [
      "keeps integers beyond 2^53",
      '{"id":9007199254740993,"a":1}',
      [set(["a"], "2")],
      '{"id":9007199254740993,"a":2}',
    ],
    [
      "keeps the order of integer-like keys",
      '{"t":{"10":1,"2":2},"a":1}',
      [remove("a")],
      '{"t":{"10":1,"2":2}}',
    ],
    [
      "keeps escapes and white space",
      '{ "x" : "\\u00e9\\/" ,\n"a":1 }',
      [set(["a"], "2")],
      '{ "x" : "\\u00e9\\/" ,\n"a":2 }',
    ],
    [
      "is not misled by quotes in strings",
      '{"x":"\\\\\\",\\"a\\":9","a":1}',
      [set(["a"], "2")],
      '{"x":"\\\\\\",\\"a\\":9","a":2}',
    ],
    ["knows a key by its escapes", '{"\\u0061":1}', [set(["a"], "2")], '{"\\u0061":2}'],
    ["leaves what is no object alone", "[1,2]", [set(["a"], "2")], "[1,2]"],
  ])("%s", (_, document, edits, expected) => {
    expect(splice(document, ...edits)).toBe(expected);
  });

  it("returns the document itself when there is nothing to edit", () => {
    const document = Buffer.from('{"a":1}');
    expect(spliceJson(document, [])).toBe(document);
  });

  it("reads the bytes of a value, of duplicates the last", () => {
    const document = Buffer.from('{"a":1,"kv":{"id":9223372036854775807, "x":[1]},"a":2}');
    expect(readJson(document, ["kv"])?.toString()).toBe('{"id":9223372036854775807, "x":[1]}');
    expect(readJson(document, ["kv", "id"])?.toString()).toBe("9223372036854775807");
    expect(readJson(document, ["a"])?.toString()).toBe("2");
    expect(readJson(document, ["kv", "missing"])).toBeNull();
    expect(readJson(document, ["a", "b"])).toBeNull();
  });
});

const key = fc.oneof(fc.constantFrom("a", "b", "c", "10", "2", "", 'q"\\', "é😀", "__proto__x"), fc.string());
const tree = fc.jsonValue({ maxDepth: 3 });
const object = fc
  .dictionary(key, tree, { maxKeys: 6 })
  .filter((value) => !("__proto__" in value && Object.hasOwn(value, "__proto__")));
const layout = fc.constantFrom<[number | undefined]>([undefined], [1], [2]);

describe("splicing JSON, against JSON.parse", () => {
  it("changes what it is told to and nothing else", () => {
    fc.assert(
      fc.property(
        object,
        layout,
        fc.uniqueArray(key, { maxLength: 4 }),
        fc.array(fc.option(tree), { minLength: 4, maxLength: 4 }),
        (value, [indent], names, values) => {
          const document = JSON.stringify(value, null, indent);
          const expected = new Map(Object.entries(value));
          const edits = names.map((name, i): JsonEdit => {
            const edited = values[i] ?? null;
            if (edited === null) expected.delete(name);
            else expected.set(name, edited);
            return { path: [name], value: edited === null ? null : JSON.stringify(edited) };
          });
          const parsed = JSON.parse(splice(document, ...edits)) as object;
          expect(new Map(Object.entries(parsed))).toEqual(
            new Map(Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(expected))) as object)),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("edits nested members as an assignment would", () => {
    fc.assert(
      fc.property(object, key, key, tree, (value, outer, inner, edited) => {
        if (inner === "__proto__" || outer === "__proto__") return;
        const parsed = JSON.parse(
          splice(JSON.stringify(value), set([outer, inner], JSON.stringify(edited))),
        ) as Record<string, unknown>;
        const before = value[outer];
        const isObject = typeof before === "object" && before !== null && !Array.isArray(before);
        expect(parsed[outer]).toEqual(
          JSON.parse(JSON.stringify({ ...(isObject ? before : {}), [inner]: edited })),
        );
      }),
    );
  });

  it("reads every member as JSON.parse does", () => {
    fc.assert(
      fc.property(object, layout, (value, [indent]) => {
        const document = Buffer.from(JSON.stringify(value, null, indent));
        for (const name of Object.keys(value)) {
          expect(JSON.parse(readJson(document, [name])!.toString())).toEqual(
            JSON.parse(JSON.stringify(value[name])),
          );
        }
      }),
    );
  });

  it("ends on anything, JSON or not", () => {
    const junk = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", " ", "1") }),
    );
    fc.assert(
      fc.property(junk, (text) => {
        spliceJson(Buffer.from(text), [set(["a"], "1"), remove("b"), set(["c", "d"], "2")]);
        readJson(Buffer.from(text), ["a", "b"]);
      }),
      { numRuns: 2000 },
    );
  });
});
