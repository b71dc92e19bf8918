import { describe, expect, it } from "vitest";
import { HEADERS_MAX } from "../../../src/proxy/door/framing.js";
import { startFleet } from "../support/fleet.js";
import { rawExchange, statusesOf } from "../support/raw.js";

const BODY = '{"prompt":"x","max_tokens":1}';
const LENGTH = `Content-Length: ${BODY.length}`;
const NEXT = "POST /v1/completions HTTP/1.1\r\nHost: evil\r\nContent-Length: 0\r\n\r\n";

/** A POST with these header lines; a second request behind it shows what a parser that is fooled would serve. */
const posts = (lines: readonly string[], body = BODY) =>
  `POST /v1/completions HTTP/1.1\r\n${["Host: a", ...lines].join("\r\n")}\r\n\r\n${body}${NEXT}`;
const chunked = (text: string) => posts(["Transfer-Encoding: chunked"], text);

describe("a request that two parsers could read differently is refused, and so is what follows it:", () => {
  it.each<[string, string, number]>([
    ["Content-Length twice", posts([LENGTH, LENGTH]), 400],
    ["two lengths", posts([LENGTH, "Content-Length: 0"]), 400],
    ["a list of lengths", posts([`Content-Length: ${BODY.length}, ${BODY.length}`]), 400],
    ["a signed length", posts([`Content-Length: +${BODY.length}`]), 400],
    ["a hexadecimal length", posts(["Content-Length: 0x1d"]), 400],
    ["a length of nothing", posts(["Content-Length:"]), 400],
    ["a length too large for any integer", posts(["Content-Length: 99999999999999999999999"]), 400],
    ["both framing headers", posts([LENGTH, "Transfer-Encoding: chunked"], "0\r\n\r\n"), 400],
    ["both, the other way round", posts(["Transfer-Encoding: chunked", LENGTH], "0\r\n\r\n"), 400],
    ["a coding that is almost chunked", posts(["Transfer-Encoding: xchunked"], "0\r\n\r\n"), 501],
    ["chunked that is not last", posts(["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"), 400],
    ["a coding in front of chunked", posts(["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"), 501],
    ["chunked twice", posts(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"), 400],
    [
      "chunked in HTTP/1.0",
      `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
    ],
    ["a folded header", posts(["X-A: 1", " 2", LENGTH]), 400],
    ["white space before a colon", posts([LENGTH.replace(":", " :")]), 400],
    ["a carriage return in a value", posts(["X-A: 1\r2", LENGTH]), 400],
    ["a NUL in a value", posts(["X-A: 1\0", LENGTH]), 400],
    ["bare line feeds", posts([LENGTH]).replaceAll("\r\n", "\n"), 400],
    ["a header without a colon", posts(["X-A", LENGTH]), 400],
    ["a header without a name", posts([": x", LENGTH]), 400],
    ["a name with a space", posts(["X A: 1", LENGTH]), 400],
    ["a header that looks like the length", posts(["Content_Length: 0", LENGTH]), 400],
    ["a header that looks like the coding", posts(["Transfer_Encoding: chunked", LENGTH]), 400],
    ["two hosts", posts(["Host: b", LENGTH]), 400],
    ["no host", `POST / HTTP/1.1\r\n${LENGTH}\r\n\r\n${BODY}${NEXT}`, 400],
    ["two keys", posts(["Authorization: Bearer a", "Authorization: Bearer b", LENGTH]), 400],
    ["a chunk size beyond all integers", chunked("fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), 400],
    ["a negative chunk size", chunked("-1\r\n{}\r\n0\r\n\r\n"), 400],
    ["chunks with bare line feeds", chunked("2\n{}\n0\n\n"), 400],
    ["a chunk longer than it says", chunked("1\r\n{}\r\n0\r\n\r\n"), 400],
    ["a length in the trailers", chunked("2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n"), 400],
    ["more headers than anybody needs", posts([...Array<string>(HEADERS_MAX).fill("X: 1"), LENGTH]), 431],
    ["headers of 100 kB", posts([`X-A: ${"a".repeat(100_000)}`, LENGTH]), 431],
    ["HTTP/0.9", `GET /v1/models\r\n\r\n${NEXT}`, 505],
    ["HTTP/1.2", `GET /v1/models HTTP/1.2\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["HTTP/2 at once", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${NEXT}`, 400],
    ["another server's target", `GET http://evil/v1/models HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["a target that is no path", `OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["a space in the target", `GET /v1/models x HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["a control character in the target", `GET /v1/\x01 HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["dot segments", `GET /v1/../metrics HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["dot segments in disguise", `GET /v1/.%2E/metrics HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`, 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ])("%s", async (_, request, status) => {
    const { url, prefill, decode } = await startFleet();
    const answer = await rawExchange(url, request);
    expect(statusesOf(answer)).toEqual([status]);
    for (const engine of [...prefill, ...decode]) expect(engine.seen).toEqual([]);
  });

  it("a tunnel", async () => {
    const { url, decode } = await startFleet();
    expect(await rawExchange(url, `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`)).toBe("");
    expect(decode[0]!.seen).toEqual([]);
  });
});

describe("a request that is unusual and clear is served:", () => {
  const closing = (lines: readonly string[], body = BODY) =>
    `POST /v1/completions HTTP/1.1\r\n${["Host: a", "Connection: close", ...lines].join("\r\n")}\r\n\r\n${body}`;

  it.each<[string, string]>([
    ["chunks with extensions", closing(["Transfer-Encoding: chunked"], `1d;a=b\r\n${BODY}\r\n0\r\n\r\n`)],
    ["trailers", closing(["Transfer-Encoding: chunked"], `1d\r\n${BODY}\r\n0\r\nX-A: 1\r\n\r\n`)],
    ["HTTP/1.0", `POST /v1/completions HTTP/1.0\r\n${LENGTH}\r\n\r\n${BODY}`],
    [
      "an upgrade that nobody asked to be taken",
      closing(["Upgrade: h2c", LENGTH]).replace("close", "close, Upgrade"),
    ],
    ["a length with zeros in front", closing([`Content-Length: 00${BODY.length}`])],
  ])("%s", async (_, request) => {
    const { url, prefill, decode } = await startFleet();
    expect(statusesOf(await rawExchange(url, request))).toEqual([200]);
    expect(decode[0]!.seen.map(({ json }) => json?.["prompt"])).toEqual(["x"]);
    for (const { headers } of [...prefill[0]!.seen, ...decode[0]!.seen]) {
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(["upgrade"]));
      expect(headers).not.toHaveProperty("transfer-encoding");
      expect(headers.connection).toBe("keep-alive");
    }
  });

  it("several behind each other on one connection, answered in their order", async () => {
    const { url, decode } = await startFleet({ router: { decider: "never" } });
    const request = (i: number, last = false) => {
      const body = JSON.stringify({ prompt: `p${i}`, max_tokens: i });
      const end = last ? "Connection: close\r\n" : "";
      return `POST /v1/completions HTTP/1.1\r\nHost: a\r\n${end}Content-Length: ${body.length}\r\n\r\n${body}`;
    };
    const answer = await rawExchange(url, [1, 2, 3].map((i) => request(i, i === 3)).join(""));
    expect(statusesOf(answer)).toEqual([200, 200, 200]);
    const texts = [...answer.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text);
    expect(texts).toEqual([" t0", " t0 t1", " t0 t1 t2"]);
    expect(decode[0]!.seen).toHaveLength(3);
  });
});
