// Mocha's spec reporter with the first lines of each failure where it happens (a run takes long, and may be cut off) and, in a
// form that tools/test.ts reads, at the end; the reason of each skipped test; and the one closing line that programs read.
const { appendFileSync } = require("node:fs")
const { reporters } = require("mocha")

const SHOWN_LINES = 12
const KEPT_LINES = 40
const SHOWN_CHARACTERS = 300

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    const failed = []
    runner.on("pending", test => skipped.push(test.fullTitle()))
    runner.on("fail", (test, error) => {
      const lines = String(error?.stack ?? error).split("\n", KEPT_LINES)
      const shown = lines.map(line => `       ${line.slice(0, SHOWN_CHARACTERS)}`)
      for (const line of shown.slice(0, SHOWN_LINES)) console.log(line)
      failed.push([test.fullTitle(), ...shown])
    })
    const begun = new Map()
    const times = process.env.FOOZOL_TEST_TIMES
    // What comes from a worker names no file: tools/file-times.cjs writes those down.
    runner.on("suite", suite => begun.set(suite, performance.now()))
    runner.on("suite end", suite => {
      const ms = Math.round(performance.now() - begun.get(suite))
      begun.delete(suite)
      if (times && suite.file && suite.parent?.root)
        appendFileSync(times, `${JSON.stringify({ file: suite.file, ms })}\n`)
    })
    runner.once("end", () => {
      for (const one of failed) console.log(`failed  ${JSON.stringify(one)}`)
      for (const one of skipped) console.log(`skipped  ${one}`)
      const tail = this.stats.pending > 0 ? `, ${this.stats.pending} skipped` : ""
      console.log(`${this.stats.passes} passed, ${this.stats.failures} failed${tail}`)
    })
  }

  /** Mocha's own lists all failures again. */
  epilogue() {
    console.log(`\n  ${this.stats.passes} passing (${Math.round(this.stats.duration / 1000)} s)\n`)
  }
}
