import Driver from 'better-sqlite3';

/** What the thread is asked to do; see `database-checkpoint.server.ts`. */
export interface CheckpointTask {
  file: string;
}

/** The thread's own, for as long as it lives. */
let connection: Driver.Database | null = null;

/** Runs in a worker thread: a checkpoint of as much as there is, without waiting for anybody. */
export function checkpoint({ file }: CheckpointTask): void {
  connection ??= new Driver(file, { fileMustExist: true });
  connection.pragma('wal_checkpoint(PASSIVE)');
}
