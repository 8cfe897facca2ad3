// Mocha's spec reporter with the reason of each skipped test and the one closing line that programs read.
const { reporters } = require("mocha")

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    runner.on("pending", test =>
      skipped.push(test.skipReason ? `${test.fullTitle()}: ${test.skipReason}` : test.fullTitle()),
    )
    runner.once("end", () => {
      for (const one of skipped) console.log(`skipped  ${one}`)
      const tail = this.stats.pending > 0 ? `, ${this.stats.pending} skipped` : ""
      console.log(`${this.stats.passes} passed, ${this.stats.failures} failed${tail}`)
    })
  }
}
