/** What a command printed, and its exit status. */
export interface Captured {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a part of the program in this process and keeps what it prints; one at a time. */
export async function captured(run: () => Promise<number>): Promise<Captured> {
  const kept = { stdout: "", stderr: "" };
  const { stdout, stderr } = process;
  const writes = { stdout: stdout.write.bind(stdout), stderr: stderr.write.bind(stderr) };
  const keep =
    (name: "stdout" | "stderr") =>
    (chunk: string | Uint8Array): boolean => {
      kept[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      return true;
    };
  stdout.write = keep("stdout");
  stderr.write = keep("stderr");
  try {
    return { status: await run(), ...kept };
  } finally {
    stdout.write = writes.stdout;
    stderr.write = writes.stderr;
  }
}
