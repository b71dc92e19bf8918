import { InputError } from "../errors.js";

/** Levels of both products; `warning` is another word for `warn`. */
const LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LEVELS)[number];

/** How a line begins in text; what the proxy reports as a matter of course needs no heading. */
const HEADINGS: Readonly<Record<LogLevel, string>> = {
  trace: "pdbench: trace: ",
  debug: "pdbench: debug: ",
  info: "",
  warn: "pdbench: warning: ",
  error: "pdbench: error: ",
  critical: "pdbench: error: ",
};

export interface ProcessLogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Takes a line with its end; default: standard error. */
  readonly write?: (line: string) => void;
}

/** What the proxy tells of itself on standard error: never a prompt, a key or a session. */
export class ProcessLog {
  private readonly threshold: number;
  private readonly format: "text" | "json";
  private readonly write: (line: string) => void;

  constructor({ level, format, write }: ProcessLogOptions) {
    this.threshold = LEVELS.indexOf(level);
    this.format = format;
    this.write = write ?? ((line) => process.stderr.write(line));
  }

  shows(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= this.threshold;
  }

  say(level: LogLevel, message: string): void {
    if (!this.shows(level)) return;
    const line =
      this.format === "text"
        ? `${HEADINGS[level]}${message}`
        : JSON.stringify({ time: new Date().toISOString(), level, message });
    this.write(`${line}\n`);
  }
}

/** Reads `--log-level`. @throws InputError naming the levels. */
export function logLevel(text: string): LogLevel {
  const level = LEVELS.find((known) => known === (text === "warning" ? "warn" : text));
  if (level !== undefined) return level;
  throw new InputError(`--log-level: got ${text}, expected one of ${LEVELS.join(", ")}`);
}
