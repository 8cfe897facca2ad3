import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { pino } from "pino"
import { freePort } from "../../cli/redis-process.ts"
import type { LocalCloudSettings } from "../../local-cloud/config.ts"
import type { FaultRuleInput } from "../../local-cloud/faults.ts"
import type { Limited } from "../../local-cloud/limits.ts"
import type { Machines } from "../../local-cloud/machines/contract.ts"
import { createNoMachines } from "../../local-cloud/machines/none.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { type LocalCloud, startLocalCloud } from "../../local-cloud/server.ts"
import { readLedger } from "../../local-cloud/state/ledger.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { testImage } from "./test-image.ts"
import { TEST_ZONE } from "./workspace.ts"

export type TestFault = FaultRuleInput

/** A local cloud of a test's own, with one system image and one zone. */
export interface TestCloud {
  cloud: LocalCloud
  directory: string
  apiUrl: string
  token: string
  /** Id of the system image. */
  imageId: number
  /** One API call; throws when it is refused. */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>
  /** One API call, whatever the answer. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: unknown }>
  /** Makes another system image; returns its id. */
  addImage(): Promise<number>
  addFault(fault: TestFault): Promise<void>
  clearFaults(): Promise<void>
  /** The faults that are set, and how often each has struck. */
  faults(): Promise<{ struck: number }[]>
  /** How many of something a project may have; null: no limit. The test's own project is called `test`. */
  limit(project: string, of: Limited, most: number | null): Promise<void>
  /** Requests so far, by method and route. */
  requests(): Promise<Record<string, number>>
  /** Of all routes together. */
  requestCount(): Promise<number>
  ledger(): ReturnType<typeof readLedger>
  userData(server: number): Promise<string>
  /** Stops the process's part and starts it again over the same folder; in another boot of the host where one is named. */
  restart(boot?: string): Promise<void>
  close(): Promise<void>
}

export interface TestCloudOptions {
  machines: "none" | "qemu"
  settings?: Partial<LocalCloudSettings>
  /** Tokens and projects besides the test's own. */
  projects?: Record<string, string>
  /** Another driver instead, made for the folder. */
  driver?: (directory: string) => Machines
  /** Another clock than the system's, ms. */
  clock?: () => number
  /** Folder of the system image, where it is not the small one for tests. */
  imageDirectory?: string
}

/** Starts a local cloud over a temporary folder, on ports of its own. */
export async function startTestCloud(options: TestCloudOptions): Promise<TestCloud> {
  const { path: directory, remove } = await temporaryDirectory("fc-")
  const token = randomBytes(32).toString("hex")
  const adminToken = randomBytes(32).toString("hex")
  const makeDriver =
    options.driver ??
    (folder =>
      options.machines === "none" ? createNoMachines(folder) : createQemuMachines({ directory: join(folder, "m") }))
  // It comes again at the same one, which nobody is given meanwhile.
  let port = await freePort(0)
  let boot: string | undefined
  const start = async () => {
    const settings = {
      directory,
      tokens: { [token]: "test", ...options.projects },
      adminToken,
      port,
      requestsPerHour: 1_000_000,
      ...options.settings,
    }
    const log = pino({ level: "silent" })
    const started = await startLocalCloud(settings, makeDriver(directory), log, options.clock, boot)
    port = Number(new URL(started.apiUrl).port)
    return started
  }
  const test: TestCloud = {
    cloud: await start(),
    directory,
    get apiUrl() {
      return test.cloud.apiUrl
    },
    token,
    imageId: 0,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${test.cloud.apiUrl}${path}`, {
        method,
        // A connection kept from before a restart is a dead one.
        headers: { authorization: `Bearer ${token}`, connection: "close", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
    },
    async api<T>(method: string, path: string, body?: unknown) {
      const answer = await test.call(method, path, body)
      if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body as T
    },
    async addImage() {
      const made = { ...image, name: `test-${test.cloud.context.store.nextId()}` }
      return (await registerImage(test.cloud.context, made)).id
    },
    async addFault(fault) {
      const response = await admin(test, adminToken, "POST", "/faults", fault)
      if (!response.ok) throw new Error(await response.text())
    },
    async clearFaults() {
      await admin(test, adminToken, "DELETE", "/faults")
    },
    async faults() {
      return ((await (await admin(test, adminToken, "GET", "/faults")).json()) as { faults: { struck: number }[] })
        .faults
    },
    async limit(project, of, most) {
      const response = await admin(test, adminToken, "POST", "/limits", { project, of, most })
      if (!response.ok) throw new Error(await response.text())
    },
    async requests() {
      const answer = (await (await admin(test, adminToken, "GET", "/requests")).json()) as {
        requests: Record<string, number>
      }
      return answer.requests
    },
    requestCount: async () => Object.values(await test.requests()).reduce((sum, one) => sum + one, 0),
    ledger: () => readLedger(join(directory, "ledger.ndjson")),
    userData: async server => (await admin(test, adminToken, "GET", `/machines/${server}/user-data`)).text(),
    async restart(next) {
      await test.cloud.close()
      boot = next ?? boot
      test.cloud = await start()
    },
    async close() {
      for (const server of test.cloud.context.store.all("server")) await test.cloud.context.machines.remove(server.id)
      await test.cloud.close()
      await remove()
    },
  }
  const image = {
    name: "test",
    directory: "",
    description: "",
    architecture: "x86" as const,
    os_flavor: "debian",
    os_version: "12",
  }
  if (options.imageDirectory) image.directory = options.imageDirectory
  else if (options.machines === "qemu") image.directory = await testImage()
  test.imageId = (await registerImage(test.cloud.context, image)).id
  await test.api("POST", "/zones", { name: TEST_ZONE, mode: "primary" })
  return test
}

function admin(test: TestCloud, token: string, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${test.cloud.adminUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
