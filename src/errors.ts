/**
 * Every error pdbench raises on purpose. The command line prints `message` on one line and exits with
 * `exitCode`; anything else that escapes is a defect and is printed with its stack.
 */

/** Base of all errors a user can meet. `code` is stable and listed in docs/errors.md. */
export class PdbenchError extends Error {
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, exitCode: number) {
    super(message);
    this.name = "PdbenchError";
    this.code = code;
    this.exitCode = exitCode;
  }
}

/**
 * The command line or a file is wrong (exit status 2). The message names the file, line, field and value
 * where there are any, and what was expected.
 */
export class InputError extends PdbenchError {
  constructor(message: string, code = "PDB_ERR_INPUT") {
    super(code, message, 2);
    this.name = "InputError";
  }
}

/** The work itself failed (exit status 1). */
export class WorkError extends PdbenchError {
  constructor(message: string, code = "PDB_ERR_WORK") {
    super(code, message, 1);
    this.name = "WorkError";
  }
}

/** Interrupted by the user (exit status 130); what was finished is on disk. */
export class InterruptedError extends PdbenchError {
  constructor(message: string) {
    super("PDB_ERR_INTERRUPTED", message, 130);
    this.name = "InterruptedError";
  }
}
