import type { Command } from "commander";

/** A command as `pdbench --help` lists it; its module is loaded only when it runs. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "a first scenario, with comments, after a few questions",
    load: async () => (await import("./init.js")).initCommand(),
  },
  {
    name: "simulate",
    summary: "one run of a scenario in virtual time",
    load: async () => (await import("./simulate.js")).simulateCommand(),
  },
  {
    name: "sweep",
    summary: "a grid over any settings and several seeds, with a recommendation",
    load: async () => (await import("./sweep.js")).sweepCommand(),
  },
  {
    name: "optimize",
    summary: "searches the best settings, the largest load or the cheapest fleet under SLOs",
    load: async () => (await import("./optimize.js")).optimizeCommand(),
  },
  {
    name: "worker",
    summary: "takes runs of distributed sweeps from a queue",
    load: async () => (await import("./worker.js")).workerCommand(),
  },
  {
    name: "merge",
    summary: "the shards of a sweep put together",
    load: async () => (await import("./merge.js")).mergeCommand(),
  },
  {
    name: "report",
    summary: "HTML, Markdown, CSV and JSON of runs and sweeps, or several side by side",
    load: async () => (await import("./report.js")).reportCommand(),
  },
  {
    name: "serve",
    summary: "a folder of runs and sweeps in a browser: list, compare, start sweeps",
    load: async () => (await import("./serve.js")).serveCommand(),
  },
  {
    name: "calibrate",
    summary: "measured step times, a measured run or a live server to an engine profile",
    load: async () => (await import("./calibrate.js")).calibrateCommand(),
  },
  {
    name: "validate",
    summary: "predicted against measured latencies of a real run",
    load: async () => (await import("./validate.js")).validateCommand(),
  },
  {
    name: "mock-engines",
    summary: "mock prefill and decode engines that speak vLLM's HTTP API",
    load: async () => (await import("./mock-engines.js")).mockEnginesCommand(),
  },
  {
    name: "proxy",
    summary: "live router in front of vLLM or mock engines",
    load: async () => (await import("./proxy.js")).proxyCommand(),
  },
  {
    name: "conformance",
    summary: "holds anybody's prefill/decode router against a table of cases",
    load: async () => (await import("./conformance.js")).conformanceCommand(),
  },
  {
    name: "replay",
    summary: "sends a trace to a server and measures what simulate predicts",
    load: async () => (await import("./replay.js")).replayCommand(),
  },
  {
    name: "compare",
    summary: "two runs of one workload side by side, such as simulated and live",
    load: async () => (await import("./compare.js")).compareCommand(),
  },
  {
    name: "trace",
    summary: "statistics of a trace, conversion between formats, synthetic traces",
    load: async () => (await import("./trace.js")).traceCommand(),
  },
  {
    name: "regret",
    summary: "what other workers would have given a sample of requests",
    load: async () => (await import("./regret.js")).regretCommand(),
  },
  {
    name: "explain",
    summary: "why a request of a run went where it went",
    load: async () => (await import("./explain.js")).explainCommand(),
  },
  {
    name: "plan-ports",
    summary: "collisions of NIXL side-channel ports between engines of one host",
    load: async () => (await import("./plan-ports.js")).planPortsCommand(),
  },
  {
    name: "doctor",
    summary: "whether this machine has what pdbench needs, and what to do where not",
    load: async () => (await import("./doctor.js")).doctorCommand(),
  },
  {
    name: "completion",
    summary: "the script with which bash, zsh or fish completes pdbench",
    load: async () => (await import("./completion.js")).completionCommand(),
  },
  {
    name: "list",
    summary: "the policies, deciders, presets, profiles, scenarios and trace formats there are",
    load: async () => (await import("./list.js")).listCommand(),
  },
];
