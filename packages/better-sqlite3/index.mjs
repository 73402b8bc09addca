import Database from './index.cjs';

export default Database;
export const { SqliteError } = Database;
