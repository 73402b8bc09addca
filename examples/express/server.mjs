// An Express application that keeps its sessions in a Prisma model of its own.
import { randomBytes } from 'node:crypto';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import express from 'express';
import session from 'express-session';
import { PrismaSessionStore } from 'latchkey-sessions/express';
import { PrismaClient } from './generated/index.js';

const url = process.env.DATABASE_URL ?? 'file:./sessions.db';
const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url }) });
// What a migration would do.
await prisma.$executeRawUnsafe(`CREATE TABLE IF NOT EXISTS "Session" (
  "id" TEXT PRIMARY KEY, "sid" TEXT NOT NULL UNIQUE, "data" TEXT NOT NULL, "expiresAt" DATETIME NOT NULL)`);

const app = express();
app.use(
  session({
    // A real application has it from its environment: with a new one, everybody is signed out.
    secret: process.env.SECRET ?? randomBytes(32).toString('hex'),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: 60 * 60 * 1000 },
    store: new PrismaSessionStore(prisma, { checkPeriod: 2 * 60 * 1000 }),
  }),
);

app.get('/', (request, response) => {
  const { userId } = request.session;
  response.send(userId ? `Hello, ${userId}.` : 'Who are you?');
});
app.post('/sign-in', (request, response, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.userId = 'ann';
    return response.send('Hello.');
  });
});
app.post('/sign-out', (request, response, next) => {
  request.session.destroy((error) => (error ? next(error) : response.send('Goodbye.')));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}`);
});
