// Mocha's spec reporter with the first lines of each failure where it happens (a run takes long, and may be cut off), the
// reason of each skipped test and the one closing line that programs read.
const { reporters } = require("mocha")

const SHOWN_LINES = 12
const SHOWN_CHARACTERS = 300

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    runner.on("pending", test =>
      skipped.push(test.skipReason ? `${test.fullTitle()}: ${test.skipReason}` : test.fullTitle()),
    )
    runner.on("fail", (_, error) => {
      const lines = String(error?.stack ?? error).split("\n")
      for (const line of lines.slice(0, SHOWN_LINES)) console.log(`       ${line.slice(0, SHOWN_CHARACTERS)}`)
    })
    runner.once("end", () => {
      for (const one of skipped) console.log(`skipped  ${one}`)
      const tail = this.stats.pending > 0 ? `, ${this.stats.pending} skipped` : ""
      console.log(`${this.stats.passes} passed, ${this.stats.failures} failed${tail}`)
    })
  }
}
