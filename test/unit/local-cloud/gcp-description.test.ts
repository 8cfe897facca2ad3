import assert from "node:assert/strict"
import { deviations } from "../../support/compute-description.ts"

const PATH = "/compute/v1/projects/desks/zones/z/instances/one"
const exchange = (given: object) => ({
  ...{ method: "GET", path: PATH, query: new URLSearchParams(), body: null, status: 200, answer: {} },
  ...given,
})

describe("what the local Google is held to: Google's own description", () => {
  it("takes what is as described", () => {
    const answer = { name: "one", id: "7", labels: { a: "b" }, disks: [{ boot: true, diskSizeGb: "64" }] }
    assert.deepEqual(deviations(exchange({ answer })), [])
    assert.deepEqual(
      deviations(exchange({ method: "POST", path: `${PATH}/stop`, query: new URLSearchParams({ requestId: "x" }) })),
      [],
    )
  })
  const found = (given: object, words: RegExp) => assert.match(deviations(exchange(given)).join("\n"), words)
  it("finds paths, parameters and fields that are not, and values of another type", () => {
    found({ path: "/compute/v1/projects/desks/machines" }, /no such method/)
    found({ method: "PATCH" }, /no such method/)
    found({ query: new URLSearchParams({ colour: "blue" }) }, /no such parameter as colour/)
    found({ answer: { colour: "blue" } }, /Instance has no such field/)
    found({ answer: { disks: [{ bootable: true }] } }, /disks\[0\]\.bootable: AttachedDisk has no such field/)
    found({ answer: { id: 7 } }, /7 is no uint64/)
    found({ answer: { labels: { a: 1 } } }, /labels\.a: 1 is no string/)
    found({ answer: { deletionProtection: "yes" } }, /no bool/)
    found({ method: "POST", path: PATH.replace(/\/one$/, ""), body: { nick: "x" } }, /nick: Instance has no such field/)
    found({ status: 404, answer: { error: "no" } }, /no error of Google's/)
  })
})
