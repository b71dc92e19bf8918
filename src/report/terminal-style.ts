import { styleText } from "node:util";

/** Marks text for a terminal, or leaves it as it is. */
export interface TerminalStyle {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
}

const PLAIN: TerminalStyle = {
  bold: (text) => text,
  dim: (text) => text,
  good: (text) => text,
};

/** Whether there is to be colour was decided by the caller: styleText must not look at stdout itself. */
const as = (format: "bold" | "dim" | "green") => (text: string) =>
  styleText(format, text, { validateStream: false });

const COLOURED: TerminalStyle = { bold: as("bold"), dim: as("dim"), good: as("green") };

/** How to print: to what width, and whether with colour. */
export interface TerminalOptions {
  /** Columns; default 100, at least 60. */
  readonly width?: number;
  /** Default false. */
  readonly colour?: boolean;
  /** Characters beyond ASCII, for small charts; default false. */
  readonly unicode?: boolean;
}

/** The marks for the given options. */
export function styleFor({ colour }: TerminalOptions): TerminalStyle {
  return colour === true ? COLOURED : PLAIN;
}

/** Columns to print to for the given options. */
export function widthFor({ width = 100 }: TerminalOptions): number {
  return Math.max(60, Math.min(100, width));
}

/**
 * Options for an output stream: its width, colour only on a terminal and unless NO_COLOR is set, and characters beyond
 * ASCII where the locale says UTF-8.
 */
export function terminalOptionsOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Required<TerminalOptions> {
  const noColour = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "";
  return {
    width: stream.columns ?? 100,
    colour: stream.isTTY === true && !noColour,
    unicode: /utf-?8/i.test(locale),
  };
}
