import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"

describe("an option that there is none of", () => {
  for (const [program, usage] of [
    ["test/chaos/main.ts", "npm run chaos -- CAMPAIGN"],
    ["bench/main.ts", "npm run bench -- NAME"],
    ["tools/test.ts", "npm test --"],
  ] as const) {
    it(`is named with how it is meant, without a stack: ${program}`, () => {
      const { status, stderr } = spawnSync(process.execPath, [join(PROJECT_ROOT, program), "--nonsense"], {
        encoding: "utf8",
      })
      assert.equal(status, 2)
      const [first, second = "", ...rest] = stderr
        .trim()
        .split("\n")
        .filter(line => !line.includes("Warning"))
      assert.equal(first, "Unknown option '--nonsense'.")
      assert.ok(second.startsWith(usage), second)
      assert.deepEqual(rest, [])
    })
  }
})
