import assert from "node:assert/strict"
import { driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

interface Image {
  image: { id: number; labels: Record<string, string> }
}

/** Whose memory goes where; what the driver makes of that, test/integration/sleeping-machines.test.ts tells. */
describe("the memory of a server that sleeps", () => {
  let cloud: TestCloud
  let made: [image: number, withMemory: boolean][]
  let disks: [image: number, wakes: boolean][]
  let dropped: number[]
  const ASLEEP = { "foozol-workspace": "otter", "foozol-memory": "kept" }

  before(async () => {
    cloud = await startTestCloud({
      machines: "none",
      driver: driverWith(inner => ({
        createDisk: async (_id, image, _bytes, options) => void disks.push([image, options?.wakes ?? false]),
        createImage: (id, image, options) => {
          made.push([image, options?.withMemory ?? false])
          return inner.createImage(id, image, options)
        },
        dropMemory: async image => void dropped.push(image),
      })),
    })
  })
  after(() => cloud?.close())
  beforeEach(() => {
    made = []
    disks = []
    dropped = []
  })

  let count = 0
  const create = (image: number, labels: Record<string, string> = { "foozol-workspace": "otter" }) =>
    cloud.api<{ server: { id: number } }>("POST", "/servers", {
      ...{ name: `server-${count++}`, server_type: "cx23", image: String(image), labels },
    })
  const snapshot = async (labels: Record<string, string>) => {
    const { server } = await create(cloud.imageId)
    await cloud.api("POST", `/servers/${server.id}/actions/poweroff`)
    const { image } = await cloud.api<Image>("POST", `/servers/${server.id}/actions/create_image`, { labels })
    disks = []
    return image.id
  }

  it("goes into the snapshot whose label says so, and into no other", async () => {
    const [asleep, backup] = [await snapshot(ASLEEP), await snapshot({ "foozol-workspace": "otter" })]
    assert.deepEqual(made, [
      [asleep, true],
      [backup, false],
    ])
  })

  it("is gone on with by a server of the same workspace alone", async () => {
    const asleep = await snapshot(ASLEEP)
    await create(asleep, { "foozol-workspace": "badger" })
    await create(asleep, {})
    await create(asleep)
    assert.deepEqual(disks, [
      [asleep, false],
      [asleep, false],
      [asleep, true],
    ])
    const nobodys = await snapshot({ "foozol-memory": "kept" })
    await create(nobodys, {})
    assert.deepEqual(disks, [[nobodys, false]])
  })

  it("goes when its label is taken away, and stays with any other change", async () => {
    const asleep = await snapshot(ASLEEP)
    await cloud.api("PUT", `/images/${asleep}`, { labels: { ...ASLEEP, more: "yes" } })
    await cloud.api("PUT", `/images/${asleep}`, { description: "renamed" })
    assert.deepEqual(dropped, [])
    await cloud.api("PUT", `/images/${asleep}`, { labels: { "foozol-workspace": "otter" } })
    assert.deepEqual(dropped, [asleep])
    await create(asleep)
    assert.deepEqual(disks, [[asleep, false]])
  })
})
