'use strict';

// 13 crashes Node 20 when it is loaded, and 12 aborts Node 24 when statements are collected.
const major = Number(process.versions.node.split('.')[0]);
// eslint-disable-next-line @typescript-eslint/no-require-imports -- CommonJS has no other way
module.exports = require(major >= 22 ? 'better-sqlite3-13' : 'better-sqlite3-12');
