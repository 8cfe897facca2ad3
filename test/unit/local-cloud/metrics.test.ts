import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { NoRoomError } from "../../../local-cloud/machines/contract.ts"
import { serveMetrics } from "../../../local-cloud/metrics.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"
import { waitUntil } from "../../support/wait-until.ts"

const file = (name: string) => readFileSync(join(PROJECT_ROOT, "monitoring", name), "utf8")
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(found => found[1] as string)

describe("metrics of the local cloud", () => {
  let cloud: TestCloud
  let tell: (id: number) => void
  let failure: Error | null = null
  before(async () => {
    cloud = await startTestCloud({
      machines: "qemu",
      driver: driverWith(inner => ({
        onStopped: listener => {
          tell = listener
        },
        ahead: () => 1,
        start: async config => {
          if (failure) throw failure
          await inner.start(config)
        },
      })),
      settings: {
        ...{ scale: { memory: 1, cores: 1, disk: 1 }, capacity: { coresPerCore: 100, diskGb: 500 } },
        network: { ipv4: ["203.0.113.0/28"], dns: ["192.0.2.53"] },
      },
    })
  })
  after(() => cloud?.close())

  const settled = (id: number, status: string) =>
    waitUntil(`${id} is ${status}`, () => {
      const server = cloud.cloud.context.store.get("server", id)
      return server?.status === status && !server.locked
    })
  const create = async (name: string, status: string) => {
    const body = { name, server_type: "cx23", image: cloud.imageId }
    const { server } = await cloud.api<{ server: { id: number } }>("POST", "/servers", body)
    await settled(server.id, status)
    return server.id
  }
  const read = async () => {
    const text = await cloud.cloud.context.metrics.registry.metrics()
    const value = (name: string) =>
      Number(new RegExp(`^foozol_host_${name.replace(/[{}]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1])
    return { text, value }
  }

  it("tell machines by state, what is promised and what may be", async () => {
    await create("on", "running")
    const off = await create("off", "running")
    await cloud.api("POST", `/servers/${off}/actions/poweroff`)
    await settled(off, "off")
    const { value } = await read()
    assert.deepEqual([value('servers{state="running"}'), value('servers{state="off"}')], [1, 1])
    assert.deepEqual([value("cores_promised"), value("memory_promised_bytes")], [2, 4 * 1024 ** 3])
    assert.deepEqual([value("disk_promised_bytes"), value("disk_most_bytes")], [80e9, 500e9])
    assert.equal(value("cores_most"), 100 * value("cores"))
    // Of 16 addresses one ends in 0, and two are taken.
    assert.equal(value("addresses_free"), 13)
    assert.ok(value("disk_free_bytes") > 0 && value("memory_available_bytes") > 0)
  })

  it("count starts with their time, and those that came to nothing with the reason", async () => {
    const earlier = (await read()).value
    failure = new NoRoomError("no room")
    await create("no-room", "off")
    failure = new Error("QEMU did not start")
    await create("broken", "off")
    failure = null
    const now = (await read()).value
    assert.equal(now("start_seconds_count"), earlier("start_seconds_count"))
    assert.equal(now('start_failures_total{reason="no-room"}'), 1)
    assert.equal(now('start_failures_total{reason="fault"}'), 1)
    assert.equal(now('work_failures_total{work="start"}'), 2)
    await create("well", "running")
    assert.equal((await read()).value("start_seconds_count"), earlier("start_seconds_count") + 1)
  })

  it("count machines that went off by themselves", async () => {
    const earlier = (await read()).value("machines_ended_total")
    tell(await create("guest", "running"))
    assert.equal((await read()).value("machines_ended_total"), earlier + 1)
  })

  it("are served at a port of their own, and nothing else is", async () => {
    const served = await serveMetrics(cloud.cloud.context.metrics, { address: "127.0.0.1", port: 0 })
    try {
      const answer = await fetch(`http://127.0.0.1:${served.port}/metrics`)
      assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=/)
      assert.match(await answer.text(), /^foozol_host_servers\{state="running"\} \d+$/m)
      assert.equal((await fetch(`http://127.0.0.1:${served.port}/`)).status, 404)
    } finally {
      await served.close()
    }
  })

  it("are what alerts ask for, and each alert has its page", async () => {
    const [alerts, runbooks] = [file("host-alerts.yml"), file("host-runbooks.md")]
    const { text } = await read()
    const asked = new Set(all(alerts, /expr: (.*)/g).flatMap(expr => all(expr, /\b(foozol_\w+)/g)))
    assert.ok(asked.size > 7)
    for (const name of asked) assert.match(text, new RegExp(`^${name}(\\{| )`, "m"), name)
    const names = all(alerts, /- alert: (\w+)/g)
    assert.deepEqual(all(runbooks, /^## (\w+)$/gm), names)
    assert.deepEqual(
      all(alerts, /runbook: host-runbooks.md#(\w+)/g),
      names.map(name => name.toLowerCase()),
    )
  })
})
