import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mockEnginesCommand } from "../../src/cli/mock-engines.js";
import { BIN } from "../cli/cli.js";
import { get, post } from "./fleet.js";

/** The first JSON document that a command prints. */
async function document(
  child: ChildProcess,
): Promise<{ engines: { name: string; role: string; url: string }[] }> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    if (text.endsWith("}\n")) break;
  }
  return JSON.parse(text) as { engines: { name: string; role: string; url: string }[] };
}

describe("pdbench mock-engines", () => {
  it("starts the fleet of a scenario with its faults, serves it, and ends on SIGTERM", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "scenario-")), "two.yaml");
    writeFileSync(
      file,
      "fleet: { profile: llama-3.1-8b-h100-tp1-bf16, prefill: { workers: 1 }, decode: { workers: 2 } }\n" +
        "mock_engines: { error_rate: 1, error_status: 503 }\n",
    );
    const args = [file, "--base-port", "0", "--time-scale", "0.1", "--knob", "delay_ms=1", "--json"];
    const child = spawn(process.execPath, [BIN, "mock-engines", ...args]);
    const { engines } = await document(child);
    expect(engines.map(({ name }) => name)).toEqual(["prefill-0", "decode-0", "decode-1"]);
    expect((await get(engines[1]!, "/admin/config")).json).toMatchObject({ error_rate: 1, delay_ms: 1 });
    expect((await post(engines[1]!, "/v1/completions", { prompt: "a" })).status).toBe(503);
    await post(engines[1]!, "/admin/config", { error_rate: 0 });
    expect((await post(engines[1]!, "/v1/completions", { prompt: "a" })).status).toBe(200);
    child.kill("SIGTERM");
    expect((await once(child, "close"))[0]).toBe(0);
  });

  it.each([
    [["--knob", "error_rat=1"], 'knobs: error_rat: no such knob, did you mean "error_rate"?'],
    [["--knob", "error_rate"], "--knob error_rate: expected NAME=VALUE"],
    [["--base-port", "http"], "--base-port: got http, expected a port"],
    [["--config", "nowhere.yaml"], "--config nowhere.yaml: cannot be read"],
  ])("refuses %j", async (args, message) => {
    const command = mockEnginesCommand().exitOverride();
    await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(message);
  });
});
