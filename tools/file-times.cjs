// Writes down what each test file of a parallel run takes, its hooks included; of a serial one tools/reporter.cjs does. In a
// worker of mocha these hooks are around each file.
const { appendFileSync } = require("node:fs")

let begun = 0
exports.mochaHooks = process.env.MOCHA_WORKER_ID
  ? {
      beforeAll() {
        begun = performance.now()
      },
      afterAll() {
        const [first] = this.test.parent.suites
        const target = process.env.FOOZOL_TEST_TIMES
        const ms = Math.round(performance.now() - begun)
        if (target && first) appendFileSync(target, `${JSON.stringify({ file: first.file, ms })}\n`)
      },
    }
  : {}
