/** Columns of help on a terminal of `columns`; 80 where there is none. */
export function helpWidth(columns: number | undefined): number {
  return Math.max(60, Math.min(100, columns ?? 80));
}

/**
 * Help text made to fit `width` columns. Where a line is too long, its paragraph is filled again, an entry of a
 * list is wrapped under its own text, and an example goes on in the next line as a shell allows. What fits
 * stays as it was written.
 */
export function fitHelp(text: string, width: number): string {
  const parts: string[][] = [];
  for (const line of text.split("\n")) {
    const part = parts.at(-1);
    if (part !== undefined && goesOn(part, line)) part.push(line);
    else parts.push([line]);
  }
  return parts
    .flatMap((lines) => (lines.some((line) => line.length > width) ? fit(lines, width) : lines))
    .join("\n");
}

/** Whether `line` belongs to the paragraph, the list entry or the command that `part` has begun. */
function goesOn(part: readonly string[], line: string): boolean {
  const first = part[0]!;
  const indent = indentOf(first);
  if (first === "" || line === "") return false;
  if (isExample(first)) return part.at(-1)!.endsWith("\\");
  return indent === 0 ? indentOf(line) === 0 : indentOf(line) > indent && !isExample(line);
}

function fit(lines: readonly string[], width: number): string[] {
  const first = lines[0]!;
  const words = lines.map((line) => line.replace(/ *\\$/, "").trim()).join(" ");
  if (isExample(first)) return fitExample(words, width);
  const indent = indentOf(first);
  // `  --flag   what it does`: further lines stand below "what".
  const term = /^ *\S+(?: \S+)* {2,}/.exec(first);
  const hanging = indent > 0 && term !== null ? term[0].length : indent;
  const start = indent > 0 && term !== null ? term[0] : " ".repeat(indent);
  const rest = words.slice(start.trim().length).trim();
  return wrap(rest, width - hanging).map((line, index) => (index === 0 ? start : " ".repeat(hanging)) + line);
}

/** `$ command  what it does`: the remark goes below, a long command is continued. */
function fitExample(words: string, width: number): string[] {
  const remark = / {2,}(\S.*)$/.exec(words);
  const command = remark === null ? words : words.slice(0, remark.index);
  const commandLines = wrap(command, width - "      ".length - " \\".length).map((line, index, all) => {
    return `${index === 0 ? "  " : "      "}${line}${index < all.length - 1 ? " \\" : ""}`;
  });
  const remarkLines = remark === null ? [] : wrap(remark[1]!, width - 6).map((line) => `      ${line}`);
  return [...commandLines, ...remarkLines];
}

function isExample(line: string): boolean {
  return line.startsWith("  $ ");
}

function indentOf(line: string): number {
  return /^ */.exec(line)![0].length;
}

/** Words put into lines of at most `width`; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
