// Runs one contender in a separate process. Arguments: its name, and its environment as JSON. It prints its
// port and the headers of a signed-in client. On the line "revoke" on standard input it revokes that session,
// and on "cpu" it prints the CPU time it has used.
import { createInterface } from 'node:readline';
import { compare, hash } from 'bcryptjs';
import express, { type RequestHandler } from 'express';
import { contenders } from './contenders/all.ts';
import { USER, type Environment } from './contenders/contender.ts';

const COST = 12;
const PASSWORD = 'a long enough password';

const [name = '', environment = '{}'] = process.argv.slice(2);
const open = await contenders[name]!();
const contender = await open(JSON.parse(environment) as Environment);

const app = express();
app.disable('x-powered-by').disable('etag');
const answer: RequestHandler = (_request, response) => {
  const user = (response.locals.user as typeof USER | undefined) ?? USER;
  response.json({ id: user.id, email: user.email });
};
contender.use(app, answer);
/** Computed at the first sign-in. */
let passwordHash: Promise<string> | undefined;
const signIn =
  contender.signIn ??
  (async () => {
    passwordHash ??= hash(PASSWORD, COST);
    if (!(await compare(PASSWORD, await passwordHash)))
      throw new Error('the password does not match its hash');
    await contender.saveNewSession?.();
  });
app.post('/sign-in', (_request, response, next) => {
  signIn().then(() => response.status(204).end(), next);
});
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  const { headers, revoke } = contender;
  process.stdout.write(`${JSON.stringify({ port, headers, canRevoke: revoke !== null })}\n`);
});
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'revoke') {
    await contender.revoke?.();
    process.stdout.write('revoked\n');
  }
  if (line === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${user + system}\n`);
  }
}
process.exit(0);
