import { describe, expect, it } from "vitest";
import { clientRequestId, headersToClient, headersToWorker } from "../../src/proxy/headers.js";
import { expandRanks, parseWorkerUrl } from "../../src/proxy/worker-url.js";

const LEG = { requestId: "id", rank: null, readsAnswer: false, traceparent: null };

describe("headers on their way to a worker", () => {
  it("keep order, spelling and repetition, and lose those of the connection", () => {
    const raw = [
      "Host",
      "a",
      "X-Custom",
      "1",
      "Connection",
      "keep-alive, X-Hop",
      "x-hop",
      "2",
      "Content-Length",
      "9",
    ];
    raw.push(
      "Transfer-Encoding",
      "chunked",
      "x-custom",
      "3",
      "Authorization",
      "Bearer k",
      "Expect",
      "100-continue",
    );
    expect(headersToWorker(raw, LEG)).toEqual([
      ...["X-Custom", "1", "x-custom", "3", "Authorization", "Bearer k", "x-request-id", "id"],
    ]);
  });

  it("carry one request id, and the rank of the worker in place of the client's", () => {
    const raw = ["X-Request-Id", "other", "X-Data-Parallel-Rank", "7", "X-Pdbench-Explain", "1"];
    expect(headersToWorker(raw, { ...LEG, rank: 2 })).toEqual([
      "x-request-id",
      "id",
      "x-data-parallel-rank",
      "2",
    ]);
    expect(headersToWorker(raw, LEG)).toEqual(["X-Data-Parallel-Rank", "7", "x-request-id", "id"]);
  });

  it("ask for no compression where the proxy reads the answer", () => {
    expect(headersToWorker(["Accept-Encoding", "gzip"], { ...LEG, readsAnswer: true })).toEqual([
      "x-request-id",
      "id",
    ]);
  });
});

describe("the traceparent of a client", () => {
  const raw = ["Traceparent", "00-a-b-01", "Tracestate", "x=1"];

  it("goes through where nothing is traced", () => {
    expect(headersToWorker(raw, LEG)).toEqual([...raw, "x-request-id", "id"]);
  });

  it("gives way to that of the leg", () => {
    expect(headersToWorker(raw, { ...LEG, traceparent: "00-a-c-01" })).toEqual([
      ...["Tracestate", "x=1", "x-request-id", "id", "traceparent", "00-a-c-01"],
    ]);
  });
});

describe("headers on their way to the client", () => {
  const raw = [
    "Content-Type",
    "text/plain",
    "Content-Length",
    "5",
    "Connection",
    "close",
    "Set-Cookie",
    "a",
    "Set-Cookie",
    "b",
  ];

  it("keep the length of a body that goes through unchanged", () => {
    const bytes = raw.map((text) => Buffer.from(text));
    expect(headersToClient(bytes, true)).toEqual([
      "Content-Type",
      "text/plain",
      "Content-Length",
      "5",
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "b",
    ]);
    expect(headersToClient(raw, false)).not.toContain("Content-Length");
  });
});

describe("the client's request id", () => {
  it.each([
    ["req-1.a:b", "req-1.a:b"],
    ["", undefined],
    ["two words", undefined],
    ["x".repeat(201), undefined],
    ['a"b', undefined],
  ])("%j", (id, expected) => {
    expect(clientRequestId(["X-Request-ID", id])).toBe(expected);
  });
});

describe("a worker URL", () => {
  it.each([
    ["http://h:8000", "http://h:8000", null, ""],
    ["http://h:8000/", "http://h:8000", null, ""],
    ["http://h:8000@3", "http://h:8000@3", 3, ""],
    ["http://[::1]:8000@0", "http://[::1]:8000@0", 0, ""],
    ["https://h/llm/a/", "https://h/llm/a", null, "/llm/a"],
  ])("%s", (text, id, rank, basePath) => {
    expect(parseWorkerUrl(text)).toMatchObject({ id, rank, basePath });
  });

  it.each(["h:8000", "ftp://h", "http://user@h:1", "http://h/?x=1", ""])("cannot be %j", (text) => {
    expect(() => parseWorkerUrl(text)).toThrow(/is not a worker URL/);
  });

  it("stands for one worker per rank of its server", () => {
    expect(expandRanks(parseWorkerUrl("http://h:1"), 2).map(({ id }) => id)).toEqual([
      "http://h:1@0",
      "http://h:1@1",
    ]);
    expect(() => expandRanks(parseWorkerUrl("http://h:1@0"), 2)).toThrow(/names a rank/);
  });
});
