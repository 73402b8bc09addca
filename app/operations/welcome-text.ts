/** Returns the text that the terminal shows after the start: the URL, and next steps. */
export function welcomeText(origin: string, { hasOutbox }: { hasOutbox: boolean }): string {
  const lines = [`  Latchkey is at   ${origin}`];
  if (hasOutbox) {
    lines.push(
      `  Read its mail at ${origin}/outbox`,
      '  For a demo account, in another terminal: npm run seed',
    );
  }
  return `\n${lines.join('\n')}\n`;
}
