import assert from "node:assert/strict"
import type { MachineCertificate } from "../../../service/machines/certificate.ts"
import { MachineReport } from "../../../service/machines/reports.ts"
import { certificateWords } from "../../../service/pages/workspace/certificate.ts"

const NOW = Date.parse("2026-03-01T12:00:00Z")
const certificate = (more: Partial<MachineCertificate> = {}): MachineCertificate => ({
  ...{ state: "issued", issuer: "An Authority", expiresAt: "2026-05-01T00:00:00.000Z" },
  ...{ asking: false, nextAt: "2026-04-01T00:00:00.000Z", problem: null },
  ...more,
})
const words = (more: Partial<MachineCertificate> = {}) =>
  certificateWords(certificate(more), NOW)
    .toString()
    .replace(/<[^>]*>/g, "")

describe("what is said of a machine's certificate", () => {
  it("by whom it is and until when, while all is well", () => {
    assert.equal(words(), "by An Authority, good until 2026-05-01")
  })
  it("why there is none that browsers trust, and when it is tried again", () => {
    const problem = { kind: "rateLimited", reason: "too many <b>certificates</b>", failures: 2 }
    const said = words({ state: "self-signed", problem, nextAt: "2026-03-01T14:00:00.000Z" })
    assert.match(said, /^signed by the machine itself: browsers warn of it/)
    assert.match(said, /failed: too many &lt;b&gt;certificates/)
    assert.match(said, /next in 2 hours\.$/)
    assert.match(
      words({ state: "expired", expiresAt: "2026-02-01T00:00:00.000Z", asking: true }),
      /^expired .* ago.*being asked for$/,
    )
  })
  it("nothing, where a report tells of it in another form", () => {
    const report = { bootId: "b", ready: true, checks: [], certificate: { state: "fine" } }
    assert.equal(MachineReport.parse(report).certificate, undefined)
    assert.equal(MachineReport.parse({ ...report, certificate: certificate() }).certificate?.issuer, "An Authority")
  })

  it("who waits for a turn is told when it is, and that the connection is encrypted meanwhile", () => {
    const about = NOW + 5 * 3_600_000
    const own = certificate({ state: "self-signed", issuer: "workspace" })
    const said = String(certificateWords(own, NOW, { about }))
    assert.match(said, /so many new names a week, and those are used up: it is this one&#39;s turn|this one's turn/)
    assert.match(said, /in 5 hours/)
    assert.match(said, /encrypted all the same/)
    assert.doesNotMatch(String(certificateWords(own, NOW)), /turn/)
  })
})
