// One contender in a process of its own: argv has its name and its surroundings as JSON. It says on which
// port it is and what a signed-in client sends; at "end" on standard input it ends that session, at "cpu" it
// says how much of that it has used.
import { createInterface } from 'node:readline';
import { compare, hash } from 'bcryptjs';
import express, { type RequestHandler } from 'express';
import { contenders } from './contenders/all.ts';
import { PERSON, type Surroundings } from './contenders/contender.ts';

const COST = 12;
const PASSWORD = 'a long enough password';

const [name = '', surroundings = '{}'] = process.argv.slice(2);
const open = await contenders[name]!();
const contender = await open(JSON.parse(surroundings) as Surroundings);

const app = express();
app.disable('x-powered-by').disable('etag');
const answer: RequestHandler = (_request, response) => {
  const user = (response.locals.user as typeof PERSON | undefined) ?? PERSON;
  response.json({ id: user.id, email: user.email });
};
contender.use(app, answer);
/** Made for the first who signs in. */
let passwordHash: Promise<string> | undefined;
const signIn =
  contender.signIn ??
  (async () => {
    passwordHash ??= hash(PASSWORD, COST);
    if (!(await compare(PASSWORD, await passwordHash))) throw new Error('bcrypt knows it no more');
    await contender.keepNew?.();
  });
app.post('/sign-in', (_request, response, next) => {
  signIn().then(() => response.status(204).end(), next);
});
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  const { headers, end } = contender;
  process.stdout.write(`${JSON.stringify({ port, headers, canEnd: end !== null })}\n`);
});
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') {
    await contender.end?.();
    process.stdout.write('ended\n');
  }
  if (line === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${user + system}\n`);
  }
}
process.exit(0);
