import assert from "node:assert/strict"
import { type ProofReport, whatIsWrong } from "../../../service/backups/proof-report.ts"

const fine = { name: "disk", ok: true, detail: "clean" }
const manifest = { digest: "aa", files: 100, damaged: [], changed: 5 }
const report = (given: Partial<ProofReport> = {}): ProofReport => ({ checks: [fine], manifest, ...given })

describe("what a trial of a backup has found", () => {
  it("is nothing where all checks passed and the files are as they were", () => {
    assert.equal(whatIsWrong(report(), "aa"), null)
    assert.equal(whatIsWrong(report({ manifest: null }), null), null, "no manifest was written")
    // One of an earlier backup, since which people have worked.
    assert.equal(whatIsWrong(report({ manifest: { ...manifest, damaged: ["/a"] } }), null), null)
  })
  it("is said in words otherwise", () => {
    const wrong: [ProofReport, RegExp][] = [
      [report({ checks: [] }), /no checks/],
      [report({ checks: [fine, { name: "vnc", ok: false, detail: "closed" }] }), /vnc \(closed\)/],
      [report({ manifest: null }), /not on its disk/],
      [report({ manifest: { ...manifest, digest: "bb" } }), /not the one/],
      [report({ manifest: { ...manifest, damaged: ["/usr/a", "/usr/b"] } }), /\/usr\/a, \/usr\/b/],
      [report({ manifest: { ...manifest, changed: 21 } }), /21 of 100/],
    ]
    for (const [given, expected] of wrong) assert.match(whatIsWrong(given, "aa") ?? "", expected)
  })
})
