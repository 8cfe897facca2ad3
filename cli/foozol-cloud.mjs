#!/usr/bin/env node
// `npx foozol-cloud`: works on a fresh checkout and with any Node from 20 on, like `npm start`.
process.argv.splice(2, 0, "cli/main.ts")
await import("../tools/bootstrap.mjs")
