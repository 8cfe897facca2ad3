import assert from "node:assert/strict"
import { type CaseResult, providerTable } from "../../support/provider-table.ts"

describe("provider-table", () => {
  const one = (provider: CaseResult["provider"], title: string, isPassed = true): CaseResult => ({
    ...{ provider, group: "power", title, isPassed },
  })
  it("has a line for each case, a column for each provider, and says what failed and what was not run", () => {
    const table = providerTable([one("hetzner", "on"), one("hetzner", "off"), one("gcp", "on", false)])
    assert.deepEqual(table.split("\n"), [
      "| of | case | Hetzner | Google Cloud |",
      "| --- | --- | --- | --- |",
      "| power | on | ✓ | ✗ |",
      "| power | off | ✓ | – |",
      "|  | **passed** | **2 of 2** | **0 of 1** |",
    ])
  })
})
