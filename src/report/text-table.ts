/** A column of a text table. */
export interface TextColumn {
  /** Printed once above neighbouring columns that share it; empty = none. */
  readonly group: string;
  readonly header: string;
  readonly align: "left" | "right";
}

const GAP = "  ";

/** Width of the table that `textTable` makes. */
export function textTableWidth(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): number {
  return columnWidths(columns, rows).reduce((sum, width) => sum + width + GAP.length, -GAP.length);
}

/**
 * Lines of a table in plain text: group headers where there are any, headers, rows. Cells are padded, columns
 * two spaces apart, and no line ends in spaces.
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): { readonly header: readonly string[]; readonly rows: readonly string[] } {
  const widths = columnWidths(columns, rows);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(cell, widths[i]!, columns[i]!.align))
      .join(GAP)
      .trimEnd();
  const header = [line(columns.map((column) => column.header))];
  if (columns.some(({ group }) => group !== "")) header.unshift(groupLine(columns, widths));
  return { header, rows: rows.map(line) };
}

/** Breaks text at spaces into lines of at most `width` columns; `indent` goes before every line but the first. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function columnWidths(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): number[] {
  const widths = columns.map(({ header }, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]!.length), header.length),
  );
  for (const { from, to, group } of groupsOf(columns)) {
    const inside = widths.slice(from, to).reduce((sum, width) => sum + width, GAP.length * (to - from - 1));
    widths[to - 1]! += Math.max(0, group.length - inside);
  }
  return widths;
}

function groupLine(columns: readonly TextColumn[], widths: readonly number[]): string {
  return groupsOf(columns)
    .map(({ from, to, group }) => {
      const width = widths.slice(from, to).reduce((sum, one) => sum + one, GAP.length * (to - from - 1));
      return pad(group, width, columns[from]!.align);
    })
    .join(GAP)
    .trimEnd();
}

/** Neighbouring columns of one group; a column without a group stands alone. */
function groupsOf(columns: readonly TextColumn[]): { from: number; to: number; group: string }[] {
  const groups: { from: number; to: number; group: string }[] = [];
  columns.forEach(({ group }, i) => {
    const last = groups.at(-1);
    if (group !== "" && last?.group === group) last.to = i + 1;
    else groups.push({ from: i, to: i + 1, group });
  });
  return groups;
}

function pad(text: string, width: number, align: TextColumn["align"]): string {
  return align === "left" ? text.padEnd(width) : text.padStart(width);
}
