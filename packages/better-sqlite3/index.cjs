'use strict';

// Version 13 crashes Node 20 when it is loaded. Version 12 aborts Node 24 when statements are garbage-collected.
const major = Number(process.versions.node.split('.')[0]);
// eslint-disable-next-line @typescript-eslint/no-require-imports -- this is a CommonJS module
module.exports = require(major >= 22 ? 'better-sqlite3-13' : 'better-sqlite3-12');
