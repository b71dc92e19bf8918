import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OPEN_DOOR } from "../../../src/proxy/door/door.js";
import { ProcessLog } from "../../../src/proxy/process-log.js";
import { post, startFleet, until } from "../support/fleet.js";
import { sendJson } from "../support/scripted-engine.js";

const KEY = "sk-open-sesame";
const WORKER_KEY = "sk-of-the-workers";
const PROMPT = "the prompt nobody may read";
const SESSION = "session-of-mine";

describe("what the proxy writes down or tells", () => {
  it("holds no key, no prompt and no session, even where things go wrong", async () => {
    const directory = mkdtempSync(join(tmpdir(), "pdbench-secrets-"));
    const [requestLog, record] = [join(directory, "requests.log"), join(directory, "trace.jsonl")];
    let said = "";
    const log = new ProcessLog({ level: "trace", format: "text", write: (line) => (said += line) });
    const fleet = await startFleet({
      options: { requestLog, record, log, door: { ...OPEN_DOOR, apiKey: KEY, workerKey: WORKER_KEY } },
    });
    const { url, proxy, decode } = fleet;
    const headers = { authorization: `Bearer ${KEY}`, "x-session-id": SESSION, cookie: "c=secret-cookie" };
    const body = { prompt: PROMPT, max_tokens: 2, user: SESSION };
    const ask = async (path: string, text: object | string) => {
      const response = await post(`${url}${path}`, text, headers);
      return response.text();
    };
    await ask("/v1/completions", body);
    await ask("/v1/completions", { ...body, stream: true });
    await ask(`/v1/completions?key=${KEY}`, body);
    const refused = await ask("/v1/completions", `{"prompt":"${PROMPT}`);
    decode[0]!.script = (_, res) => sendJson(res, 500, "{}");
    await ask("/v1/completions", body);
    decode[0]!.script = (_, res) => void res.destroy();
    const failed = await ask("/v1/completions", body);
    const wrong = await (
      await post(`${url}/v1/completions`, body, { authorization: "Bearer guess-of-mine" })
    ).text();
    await until(() => proxy.router.isIdle());
    const told = await Promise.all(
      ["/metrics", "/debug/decisions", "/dashboard/state", "/workers", "/loads"].map(async (path) =>
        (await fetch(`${url}${path}`, { headers })).text(),
      ),
    );
    await proxy.close();
    expect(said).toContain("/v1/completions");
    const files = [requestLog, record].map((file) => readFileSync(file, "utf8"));
    expect(files.map((text) => text.trim().split("\n").length >= 4)).toEqual([true, true]);
    const all = [said, refused, failed, wrong, ...told, files[0]!].join("\n");
    for (const secret of [KEY, WORKER_KEY, "guess-of-mine", SESSION, "secret-cookie"]) {
      expect(all).not.toContain(secret);
    }
    expect([said, failed, wrong, ...told, ...files].join("\n")).not.toContain("nobody may read");
    for (const secret of [KEY, WORKER_KEY, "secret-cookie"]) expect(files[1]).not.toContain(secret);
  });
});
