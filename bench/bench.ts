// npm run bench: Latchkey beside what people would pick instead, in one run. Names of contenders choose
// some of them; --quick only looks whether each answers what it must.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../tests/fixtures/postgres.ts';
import { startRedis } from '../tests/fixtures/redis.ts';
import { contenders } from './contenders/all.ts';
import { startContender, type ContenderProcess } from './contender-process.ts';
import { measure, type Load } from './rounds.ts';
import { COLUMNS, markdown, tableOf, type Measured } from './table.ts';

const RESULTS = new URL('./results.md', import.meta.url);
const ROUNDS = { quick: 1, whole: 5 };
const WARM_UP: Load = { connections: 10, seconds: 2 };
const LOAD = { quick: { connections: 10, seconds: 1 }, whole: { connections: 10, seconds: 3 } };

const args = process.argv.slice(2);
const mode = args.includes('--quick') ? 'quick' : 'whole';
const chosen = args.filter((arg) => !arg.startsWith('--'));
for (const name of chosen) {
  if (!contenders[name]) {
    console.error(`There is no "${name}"; there are: ${Object.keys(contenders).join(', ')}.`);
    process.exit(1);
  }
}
const names = Object.keys(contenders).filter(
  (name) => chosen.length === 0 || name === 'floor' || chosen.includes(name),
);

const say = (text: string) => process.stderr.write(`${text}\n`);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const postgres = await startPostgres();
const redis = await startRedis();
const running: ContenderProcess[] = [];
try {
  for (const name of names) {
    say(`starting ${name}`);
    const own = mkdtempSync(join(folder, 'of-'));
    const surroundings = { postgresUrl: postgres.url, redisUrl: redis.url, folder: own };
    const contender = await startContender(name, surroundings);
    running.push(contender);
    await contender.check();
  }
  const measured: Measured[] = running.map(({ name }) => ({ name, rounds: [], canEnd: null }));
  for (let round = 0; round <= ROUNDS[mode]; round += 1) {
    // Each round in another order: who comes after whom is nobody's advantage.
    const order = running.map((_, index) => (index + round * 5) % running.length);
    for (const [turn, index] of order.entries()) {
      const contender = running[index]!;
      const isWarmUp = round === 0;
      if (isWarmUp && mode === 'quick') continue;
      say(
        `${isWarmUp ? 'warm-up' : `round ${round} of ${ROUNDS[mode]}`}, ` +
          `${turn + 1} of ${running.length}: ${contender.name}`,
      );
      const result = await measure(contender, isWarmUp ? WARM_UP : LOAD[mode]);
      if (!isWarmUp) measured[index]!.rounds.push(result);
    }
  }
  for (const [index, contender] of running.entries()) {
    await contender.check();
    const isEnded = await contender.checkEnd();
    measured[index]!.canEnd = contender.name === 'floor' ? null : isEnded;
  }
  const table = markdown(COLUMNS, tableOf(measured));
  console.log(table);
  if (mode === 'whole' && chosen.length === 0) writeFileSync(RESULTS, page(table));
} finally {
  for (const contender of running) await contender.stop();
  await postgres.close();
  await redis.close();
  rmSync(folder, { recursive: true, force: true });
}

function page(table: string): string {
  const [cpu] = cpus();
  const versions = ['autocannon', 'better-auth', 'connect-redis', 'iron-session', 'jose'].concat(
    '@quixo3/prisma-session-store',
  );
  const listed = versions.map((name) => `${name} ${versionOf(name)}`).join(', ');
  const { seconds, connections } = LOAD.whole;
  return `# Results

The signed-in route \`GET /me\`, each contender in a process of its own with the same Express route: ${ROUNDS.whole} rounds of ${seconds} s,
interleaved, ${connections} connections, driven from the same machine. Medians; "of the floor" is the median of the ratios to the floor of the
same round. Every contender's answer was checked before and after, and that an ended session is refused.

${table}

Node ${process.version}, ${cpus().length} × ${cpu!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB. ${listed}.
`;
}

function versionOf(name: string): string {
  const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
