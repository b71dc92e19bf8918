import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readResults } from "../../src/report/read-results.js";
import { reportOn, reportText } from "../../src/report/write-report.js";
import { startServe, type RunningSite } from "../../src/serve/server.js";
import { loadOf, ranked, searchOf } from "../report/search-builder.js";
import { pointOf, summaryOf, sweepOf } from "../report/sweep-builder.js";
import { inline } from "../sweep/sweep-bench.js";
import { ask, newFolder, routedSummary, startSite, writeResult } from "./site.js";

const TWO_POINTS = sweepOf([
  pointOf(0, { routing_threshold: 0 }, [summaryOf({ goodput: 2 })]),
  pointOf(1, { routing_threshold: 4096 }, [summaryOf({ goodput: 4 })]),
]);

describe("the list of results", () => {
  it("has every run and sweep below the folder, the newest first, with what tells them apart", async () => {
    const folder = newFolder();
    writeResult(join(folder, "old"), routedSummary("cache_aware", 2048, { goodput: 7.25 }), 60);
    writeResult(join(folder, "deep", "er", "new"), routedSummary("round_robin", 0), 1);
    writeResult(join(folder, "grid"), TWO_POINTS, 30);
    writeResult(join(folder, "grid", "runs", "point-0000-seed-1"), routedSummary("random", 0), 31);
    const { status, text } = await ask(await startSite(folder), "/");
    expect(status).toBe(200);
    const rows = text.split("<tr").slice(2);
    expect(rows.map((row) => /name="of" value="([^"]*)"/.exec(row)?.[1])).toEqual([
      "deep/er/new",
      "grid",
      "grid/runs/point-0000-seed-1",
      "old",
    ]);
    for (const words of [
      "cache_aware, threshold 2,048",
      "conversation-4p4d",
      "chat.jsonl",
      ">7.25<",
      "run",
    ]) {
      expect(rows[3]).toContain(words);
    }
    for (const words of ["routing_threshold x 2", "figures of routing_threshold=4096", ">4.00<", "sweep"]) {
      expect(rows[1]).toContain(words);
    }
    expect(rows[2]).toMatch(/^ data-kept hidden/);
  });

  it("says of a live run where it was measured, not by what settings a simulation would route", async () => {
    const folder = newFolder();
    const run = routedSummary("cache_aware", 2048);
    const settings = { ...(run.settings as object), replay: { url: "http://127.0.0.1:30000" } };
    writeResult(join(folder, "live"), { ...run, settings });
    const { text } = await ask(await startSite(folder), "/");
    expect(text).toContain("live: http://127.0.0.1:30000");
    expect(text).toContain('data-value="live run"');
    expect(text).not.toContain("threshold 2,048");
  });

  it("says of a search what it was for", async () => {
    const folder = newFolder();
    writeResult(join(folder, "loads"), TWO_POINTS);
    const search = searchOf("max_rate", [ranked(4096, loadOf(1.5, 1.6)), ranked(0, loadOf(1, 1.2))]);
    writeFileSync(join(folder, "loads", "optimize.json"), JSON.stringify(search));
    const site = await startSite(folder);
    const { text } = await ask(site, "/");
    expect(text).toContain('data-value="search"');
    expect(text).toContain("largest load: 30.0 requests/s, figures of routing_threshold=4096");
    expect((await ask(site, "/report?of=loads")).text).toContain("sustains speedup 1.50 (30.0 requests/s)");
  });

  it("shows a folder that is a result itself, and one that holds none", async () => {
    const run = newFolder();
    writeResult(run, summaryOf());
    expect((await ask(await startSite(run), "/")).text).toContain('href="/results?of=."');
    const { status, text } = await ask(await startSite(newFolder()), "/");
    expect(status).toBe(200);
    expect(text).toContain("No runs or sweeps here yet.");
  });

  it("says of a result that cannot be read what is wrong with it, and of an unfinished sweep how far it is", async () => {
    const folder = newFolder();
    for (const [name, file, content] of [
      ["text", "sweep.json", "not json"],
      ["other", "summary.json", '{"schema":"other@1"}'],
      ["empty", "summary.json", '{"schema":"pdbench/summary@1"}'],
      ["log", "points.jsonl", "{}\n"],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, file), content);
    }
    mkdirSync(join(folder, "half"));
    const fingerprint = {
      scenario: { name: "quick" },
      axes: [{ setting: "router.decider.routing_threshold", values: [0, 1, 2] }],
      seeds: [1, 2],
    };
    const header = JSON.stringify({ schema: "pdbench/sweep-log@1", fingerprint });
    writeFileSync(join(folder, "half", "points.jsonl"), `${header}\n{"point":0}\n{"point":1}\n`);
    const { text } = await ask(await startSite(folder), "/");
    expect(text).toContain("sweep.json: not JSON");
    expect(text).toContain("schema &quot;other@1&quot;");
    expect(text).toContain("its file is damaged");
    expect(text).toContain("points.jsonl: not the log of a sweep");
    expect(text).toContain("2 of 6 runs done");
    expect(text).not.toContain('name="of"');
  });

  it("reads a result again when its file has changed", async () => {
    const folder = newFolder();
    writeResult(join(folder, "run"), routedSummary("random", 0), 2);
    const url = await startSite(folder);
    expect((await ask(url, "/")).text).toContain("random, threshold 0");
    writeResult(join(folder, "run"), routedSummary("round_robin", 0), 1);
    expect((await ask(url, "/")).text).toContain("round_robin, threshold 0");
  });

  it("shows names as text, whatever is in them", async () => {
    const folder = newFolder();
    writeResult(join(folder, "<img src=x onerror=alert(1)>"), summaryOf());
    const url = await startSite(folder);
    const { text } = await ask(url, "/");
    expect(text).not.toContain("<img");
    const link = /href="(\/results[^"]*)"/.exec(text)![1]!;
    expect((await ask(url, link)).text).not.toContain("<img");
  });
});

describe("a report", () => {
  it("is the very text that pdbench report writes, of one result and of several", async () => {
    const folder = newFolder();
    writeResult(join(folder, "a"), routedSummary("random", 0));
    writeResult(join(folder, "b"), TWO_POINTS);
    const url = await startSite(folder);
    for (const names of [["a"], ["b"], ["a", "b"]]) {
      const query = names.map((name) => `of=${name}`).join("&");
      const results = await Promise.all(names.map((name) => readResults(join(folder, name))));
      const { status, headers, text } = await ask(url, `/report?${query}`);
      expect(status).toBe(200);
      expect(text).toBe(await reportText(await reportOn(results, {}), "html"));
      expect(headers["content-security-policy"]).toMatch(
        /^sandbox allow-scripts allow-downloads; default-src 'none'/,
      );
      expect((await ask(url, `/results?${query}`)).text).toContain(
        `src="/report?${query.replace("&", "&amp;")}"`,
      );
    }
    const csv = await ask(url, "/report?of=b&format=csv");
    expect(csv.headers["content-disposition"]).toBe('attachment; filename="b.csv"');
    expect(csv.text).toContain("routing_threshold");
  });

  it("can be asked for another baseline and objective, which its downloads keep", async () => {
    const folder = newFolder();
    writeResult(join(folder, "a"), routedSummary("random", 0));
    writeResult(join(folder, "b"), TWO_POINTS);
    writeResult(join(folder, "c"), routedSummary("round_robin", 0));
    const url = await startSite(folder);
    const ofSweep = (await ask(url, "/results?of=b&baseline=routing_threshold%3D4096&objective=ttft_ms.p90"))
      .text;
    expect(ofSweep).toContain('<option value="routing_threshold=4096" selected>');
    expect(ofSweep).toContain('<option value="ttft_ms.p90" selected>TTFT p90</option>');
    const address = /href="(\/report[^"]*format=json)"/.exec(ofSweep)![1]!.replaceAll("&amp;", "&");
    const sweep = await reportOn([await readResults(join(folder, "b"))], {
      baseline: "routing_threshold=4096",
      objective: "ttft_ms.p90",
    });
    expect((await ask(url, address)).text).toBe(await reportText(sweep, "json"));
    const ofRuns = (await ask(url, "/results?of=a&of=c&baseline=c")).text;
    expect(ofRuns).toContain('<option value="c" selected>c</option>');
    expect(ofRuns).not.toContain('name="objective"');
    const runs = await Promise.all(["a", "c"].map((name) => readResults(join(folder, name))));
    expect((await ask(url, "/report?of=a&of=c&baseline=c&format=json")).text).toBe(
      await reportText(await reportOn(runs, { baseline: "c" }), "json"),
    );
    expect((await ask(url, "/results?of=a")).text).not.toContain("<select");
    const { status, text } = await ask(url, "/report?of=b&objective=goodputt");
    expect([status, text.includes("Choose another")]).toEqual([422, true]);
  });

  it("tells results of equal names apart by their paths", async () => {
    const folder = newFolder();
    writeResult(join(folder, "before", "run"), routedSummary("random", 0));
    writeResult(join(folder, "after", "run"), routedSummary("round_robin", 0));
    const { status, text } = await ask(await startSite(folder), "/report?of=before/run&of=after/run");
    expect(status).toBe(200);
    expect(text).toContain("<h1>before/run and after/run</h1>");
  });

  it("is refused, with the next step, where there is none", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "nothing"));
    mkdirSync(join(folder, "linked"));
    writeResult(join(folder, "run"), summaryOf());
    mkdirSync(join(folder, "bad"));
    writeFileSync(join(folder, "bad", "sweep.json"), "{}");
    symlinkSync(join(folder, "run", "summary.json"), join(folder, "linked", "summary.json"));
    symlinkSync(join(folder, "run"), join(folder, "alias"));
    const url = await startSite(folder);
    const many = Array.from({ length: 51 }, (_, i) => `of=${i}`).join("&");
    for (const [query, status, words] of [
      ["", 400, "No result is named"],
      ["of=gone", 404, "gone is not there any more"],
      ["of=nothing", 404, "neither sweep.json nor summary.json"],
      ["of=linked", 403, "linked/summary.json is a symbolic link"],
      ["of=alias", 400, "not a path below"],
      ["of=..", 400, "not a path below"],
      ["of=%2e%2e%2f%2e%2e%2fetc", 400, "not a path below"],
      ["of=%252e%252e", 404, "%2e%2e is not there"],
      ["of=run%00", 400, "not a path below"],
      ["of=/etc", 400, "not a path below"],
      [many, 400, "51 results are named"],
      ["of=run&format=pdf", 400, "no format"],
      ["of=bad", 422, "expected &quot;pdbench/sweep@1&quot;"],
    ] as const) {
      const answer = await ask(url, `/report?${query}`);
      expect([answer.status, answer.text], query).toEqual([status, expect.stringContaining(words)]);
    }
  });
});

describe("the door", () => {
  it("is the loopback address alone", async () => {
    const url = await startSite(newFolder());
    const others = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).filter(({ family, internal }) => family === "IPv4" && !internal),
    );
    for (const { address } of others) {
      const refused = new Promise((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), address, () =>
          reject(new Error(`${address} answers`)),
        );
        socket.on("error", resolve);
      });
      await expect(refused).resolves.toMatchObject({ code: "ECONNREFUSED" });
    }
    expect(new URL(url).hostname).toBe("127.0.0.1");
  });

  it("answers to the names of this machine's own address alone", async () => {
    const url = await startSite(newFolder());
    for (const [host, status] of [
      ["127.0.0.1", 200],
      ["localhost:9", 200],
      ["LOCALHOST", 200],
      ["evil.example", 403],
      ["evil.example:80", 403],
      ["127.0.0.1.evil.example", 403],
      ["localhost.evil.example", 403],
      ["127.0.0.1@evil.example", 403],
      ["0.0.0.0", 403],
      [" ", 403],
    ] as const) {
      expect((await ask(url, "/", { headers: { host } })).status, host).toBe(status);
    }
  });

  it("has no page it does not know, and takes no method a page does not have", async () => {
    const url = await startSite(newFolder());
    for (const target of [
      "/x",
      "/../../etc/passwd",
      "//evil.example/",
      "http://evil.example/",
      "/%2e%2e/",
      "*",
    ]) {
      expect((await ask(url, target)).status, target).toBe(404);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect((await ask(url, "/", { method })).status, method).toBe(405);
    }
    expect((await ask(url, "/", { method: "HEAD" })).status).toBe(200);
  });

  it("lets pages run nothing but their own script, and be framed by nobody", async () => {
    const { headers } = await ask(await startSite(newFolder()), "/");
    expect(headers["content-security-policy"]).toMatch(
      /default-src 'none'; script-src 'nonce-[^']+'; .*form-action 'self'; .*frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
  });

  it("stays closed for a folder that is none, and where the port is taken", async () => {
    const folder = newFolder();
    const start = (directory: string, port: number): Promise<RunningSite> =>
      startServe({ directory, port, execute: inline, onDefect: () => undefined });
    await expect(start(join(folder, "none"), 0)).rejects.toThrow("no such folder");
    writeFileSync(join(folder, "file"), "");
    await expect(start(join(folder, "file"), 0)).rejects.toThrow("is a file");
    const port = Number(new URL(await startSite(folder)).port);
    await expect(start(folder, port)).rejects.toThrow(`--port ${port}: another program`);
  });
});
