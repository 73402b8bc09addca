/** Formats a table for a terminal: columns of fixed width, numbers aligned to the right. */
export function createTable(widths: readonly number[]) {
  const line = (cells: readonly (string | number)[]) =>
    `${cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd()}\n`;
  return { line, rule: () => `${widths.map((width) => '-'.repeat(width)).join('  ')}\n` };
}
