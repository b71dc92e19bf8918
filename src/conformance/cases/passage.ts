import { sendJson } from "../answerings.js";
import type { ConformanceCase } from "../conformance-case.js";
import { digestOf, echo } from "../engine-routes.js";
import { headerValues } from "../wire.js";

/** Routes that are the engine's own: they pass as they are, in both directions. */
export const PASSAGE_CASES: readonly ConformanceCase[] = [
  passage("tokenize", "POST", (marker) => [
    "/tokenize",
    `{"prompt": "${marker} x" ,"add_special_tokens":false}`,
  ]),
  passage("embeddings", "POST", (marker) => [
    "/v1/embeddings?encoding=float",
    `{"input":"${marker}","n":9007199254740993}`,
  ]),
  passage("rerank", "POST", (marker) => ["/v1/rerank", `{"query":"${marker}","documents":["a","b"]}`]),
  passage("lora", "POST", (marker) => [
    "/v1/load_lora_adapter",
    `{"lora_name":"${marker}","lora_path":"/x"}`,
  ]),
  passage("get", "GET", (marker) => [`/v1/audio/voices?of=${marker}`, ""]),
  passage("delete", "DELETE", (marker) => [`/v1/responses/${marker}`, ""]),
  {
    name: "passage/models",
    rule: "GET /v1/models names the model that the engines serve",
    async run(probe) {
      const x = probe.exchange();
      const { status, text } = await x.send("GET", "/v1/models", "").over();
      probe.findings.check(status === 200, `the client got status ${status}, expected 200`);
      probe.findings.check(
        text.includes(`"${probe.model}"`),
        `the list does not name ${probe.model}: ${text.slice(0, 200)}`,
      );
    },
  },
  {
    name: "passage/engine-error",
    rule: "an engine's own status, headers and body on such a route reach the client",
    hasFaults: true,
    async run(probe) {
      const refuse = (_: unknown, response: Parameters<typeof sendJson>[0]) => {
        sendJson(response, 404, '{"detail":"Not Found"}', { "x-worker-id": "w7" });
      };
      const x = probe.exchange({ prefill: refuse, decode: refuse });
      const { status, text, rawHeaders } = await x.send("GET", `/v1/files/${x.marker}`, "").over();
      probe.needs(x.all.length > 0, `the router answers GET /v1/files/ID itself, with ${status}`);
      probe.findings.check(status === 404, `the client got status ${status}, the engine said 404`);
      probe.findings.check(
        text === '{"detail":"Not Found"}',
        `the engine's body became ${text.slice(0, 200)}`,
      );
      if (headerValues(rawHeaders, "x-worker-id")[0] !== "w7") {
        probe.findings.differ(
          "the engine's header X-Worker-Id did not reach the client; production-stack passes none on",
        );
      }
    },
  },
];

function passage(
  name: string,
  method: string,
  request: (marker: string) => readonly [path: string, body: string],
): ConformanceCase {
  return {
    name: `passage/${name}`,
    rule: `${method} ${request("")[0].split("?")[0]!} reaches one engine with its query and body as they are`,
    async run(probe) {
      const x = probe.exchange();
      const [path, body] = request(x.marker);
      const headers = body === "" ? [] : ["content-type", "application/json"];
      const { status, text } = await x.send(method, path, body, headers).over();
      if (x.all.length === 0) {
        probe.findings.differ(`the router does not pass this route on: it answers ${status}`);
        return;
      }
      const [request_] = x.all;
      probe.findings.check(x.all.length === 1, `${x.all.length} engines were asked, expected one`);
      probe.findings.check(request_!.method === method, `the method became ${request_!.method}`);
      probe.findings.check(request_!.url === path, `${path} became ${request_!.url}`);
      probe.findings.check(
        digestOf(request_!.body) === digestOf(body),
        `the body ${body} became ${request_!.body.toString().slice(0, 200)}`,
      );
      probe.findings.check(status === 200, `the client got status ${status}, the engine said 200`);
      probe.findings.check(text === echo(request_!), `the engine's answer became ${text.slice(0, 200)}`);
    },
  };
}
