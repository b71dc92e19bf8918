/** Position of a named column, or -1. Letter case and surrounding blanks do not matter. */
export function columnOf(header: readonly string[], name: string): number {
  const wanted = normalise(name);
  return header.findIndex((field) => normalise(field) === wanted);
}

function normalise(field: string): string {
  return field.trim().toLowerCase();
}
