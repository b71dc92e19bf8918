import { StringDecoder } from "node:string_decoder";

/** Longer "lines" are not a trace; the limit keeps a wrong file from filling the memory. */
const LONGEST_LINE = 128 * 1024 * 1024;

/**
 * The lines of a text, without line feeds, a batch per chunk of bytes. A byte-order mark is left out.
 *
 * @throws RangeError for a line of more than 128 Mi characters.
 */
export async function* lineBatches(bytes: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder("utf8");
  let rest: string | null = null;
  for await (const chunk of bytes) {
    const text: string =
      rest === null ? decoder.write(chunk).replace(/^\uFEFF/, "") : rest + decoder.write(chunk);
    const lines = text.split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) throw new RangeError("a line has more than 128 Mi characters");
    yield lines;
  }
  const last = (rest ?? "") + decoder.end();
  if (last !== "") yield [last];
}
