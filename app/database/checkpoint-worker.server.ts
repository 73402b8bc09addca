import Driver from 'better-sqlite3';

/** The task of the worker thread; see `checkpoints.server.ts`. */
export interface CheckpointTask {
  file: string;
}

/** The thread's own connection, kept open until the thread ends. */
let connection: Driver.Database | null = null;

/** Runs a passive checkpoint in the worker thread: it does as much as it can without waiting for locks. */
export function checkpoint({ file }: CheckpointTask): void {
  connection ??= new Driver(file, { fileMustExist: true });
  connection.pragma('wal_checkpoint(PASSIVE)');
}
