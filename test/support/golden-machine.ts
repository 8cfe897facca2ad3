import { once } from "node:events"
import { readdir, readFile } from "node:fs/promises"
import { createServer, type ServerResponse } from "node:http"
import { request } from "node:https"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { buildImage } from "../../image-builder/build-local.ts"
import type { ProfileName } from "../../image-builder/definition.ts"
import { userData } from "../../infra/user-data.ts"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { scaledSize } from "../../local-cloud/sizes.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { startTestCloud, type TestCloud } from "./local-cloud.ts"
import { openRfbClient, type RfbClient } from "./rfb-client.ts"
import { type StandInService, startStandInService } from "./stand-in-service.ts"
import { waitUntil } from "./wait-until.ts"
import { TEST_ZONE, testSpec } from "./workspace.ts"

/** The size of its machines, as the local cloud's catalog has it. */
const TYPE = { name: "cx43", diskGb: 160 }
const TOKEN = "a-token-for-the-desktop"
const MINUTES = 60_000

/** A local cloud with a golden image, and the stand-in of a service. */
export interface GoldenCloud {
  cloud: TestCloud
  service: StandInService
  imageId: number
  /** Does something with a server (`reboot`, `create_image` …) and waits until it is done; returns the answer. */
  act<T>(machine: GoldenMachine, action: string, body?: object): Promise<T>
  /**
   * Has a machine fall asleep with its memory and keeps that in a snapshot, as the service does; its server is deleted.
   * @returns the snapshot's id, from which the workspace's machine can be made again
   */
  hibernate(machine: GoldenMachine): Promise<number>
  /** Has what new servers are copies of made, as `npm start` does, and the next one ahead unless the template is enough. @throws when it cannot be */
  prepare(what?: "template"): Promise<void>
  /** Creates a server and resolves at once; `change` replaces parts of its workspace. */
  create(change?: Partial<Parameters<typeof testSpec>[0]> & { image?: number }): Promise<GoldenMachine>
  /** What went wrong where no caller waited for an answer. */
  logged(): string[]
  close(): Promise<void>
}

/** A machine of the golden image, seen from outside. */
export interface GoldenMachine {
  id: number
  workspace: string
  host: string
  /** Its door, by its address, and the cookie with which the service admits. */
  url: string
  cookie: { name: string; value: string }
  /** One request to its door, as somebody the service admits unless `cookie` says otherwise. */
  ask(path: string, given?: { method?: string; body?: string; cookie?: string; limit?: number }): Promise<Answer>
  /** Waits until the door answers. */
  answers(): Promise<Answer>
  viewer(): Promise<RfbClient>
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

/**
 * Builds or finds the image of a profile and makes it known to a local cloud of the test's own.
 * @param boot `template`: machines begin as copies of one that has booted, where one is prepared
 * @param standing so many of them are made ahead
 * @param memoryOvercommit of the local cloud
 */
export async function startGoldenCloud(
  profile: ProfileName,
  boot: "cold" | "template" = "cold",
  standing = 1,
  memoryOvercommit = 1,
): Promise<GoldenCloud> {
  const log = (line: string) => process.env.VERBOSE && console.log(line)
  const cache = join(cacheDirectory(), "golden")
  const directory = await buildImage({ profile, cacheDirectory: cache, log })
  const service = await startStandInService()
  service.tokens.add(TOKEN)
  const lines: string[] = []
  const driver = (folder: string) =>
    createQemuMachines({
      directory: join(folder, "m"),
      boot,
      standing,
      memoryOvercommit,
      log: line => lines.push(line),
    })
  const cloud = await startTestCloud({ machines: "qemu", driver })
  const about = { architecture: "x86" as const, os_flavor: "debian", os_version: "12" }
  const image = await registerImage(cloud.cloud.context, { name: "golden", directory, description: "", ...about })
  const act = async <T>(machine: GoldenMachine, name: string, body: object = {}): Promise<T> => {
    const answer = await cloud.api<{ action: { id: number } }>("POST", `/servers/${machine.id}/actions/${name}`, body)
    await waitUntil(`${name} is done`, async () => {
      const { action } = await cloud.api<{ action: { status: string } }>("GET", `/actions/${answer.action.id}`)
      if (action.status === "error") throw new Error(`${name} failed`)
      return action.status === "success"
    })
    return answer as T
  }
  return {
    cloud,
    service,
    imageId: image.id,
    logged: () => lines,
    act,
    hibernate: async machine => {
      await waitUntil("it listens to its service", () => service.listeners() > 0, 10 * MINUTES)
      service.push("sleep", { id: "test" })
      const path = `/servers/${machine.id}`
      await waitUntil(
        "it sleeps",
        async () => (await cloud.api<{ server: { status: string } }>("GET", path)).server.status === "off",
        10 * MINUTES,
      )
      const labels = { ...labelsOf(machine.workspace), "foozol-memory": "kept" }
      const { image } = await act<{ image: { id: number } }>(machine, "create_image", { labels })
      await cloud.api("DELETE", path)
      await waitUntil("its server is gone", async () => (await cloud.call("GET", path)).status === 404, 10 * MINUTES)
      return image.id
    },
    prepare: async what => {
      const { config, machines } = cloud.cloud.context
      if (!(await machines.prepare(image.id, scaledSize(config, TYPE.name, TYPE.diskGb))))
        throw new Error("No template was made.")
      if (what !== "template") await machines.settled()
    },
    create: async (change = {}) => {
      const address = `http://${HOST_FROM_MACHINES}:${new URL(service.url).port}`
      const spec = testSpec({ profile, image: image.id, size: TYPE.name, service: address, ...change })
      const secrets = { workspaceKey: service.key }
      const body = {
        name: spec.workspace,
        server_type: spec.size,
        location: spec.region,
        image: String(spec.image),
        user_data: userData(spec, secrets),
        labels: labelsOf(spec.workspace),
      }
      const { server } = await cloud.api<{ server: { id: number; public_net: { ipv4: { ip: string } } } }>(
        "POST",
        "/servers",
        body,
      )
      const state = async () => {
        const { actions } = await cloud.api<{ actions: object[] }>("GET", `/servers/${server.id}/actions`)
        const file = cloud.cloud.context.machines.consoleLog(server.id)
        return [
          `its actions: ${JSON.stringify(actions)}`,
          file === null ? "it has no console" : `its console: ${(await readFile(file, "utf8")).slice(-4_000)}`,
          file === null ? "" : `processor time of its threads in 2 s: ${await busyThreads(dirname(file))}`,
        ].join("\n")
      }
      return machine({ id: server.id, workspace: spec.workspace }, server.public_net.ipv4.ip, state)
    },
    close: async () => {
      await cloud.close()
      await service.close()
    },
  }
}

const labelsOf = (workspace: string) => ({ "foozol-workspace": workspace })

/** What QEMU's threads have used of the processor in two seconds, in ticks of 10 ms: one that is stuck, or none. */
async function busyThreads(directory: string): Promise<string> {
  const pid = (await readFile(join(directory, "qemu.pid"), "utf8")).trim()
  const ticks = async () => {
    const threads = await readdir(`/proc/${pid}/task`)
    const lines = threads.map(async thread => {
      const [, name = "", rest = ""] =
        /\((.*)\) (.*)/s.exec(await readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")) ?? []
      const [user, system] = rest.split(" ").slice(11, 13).map(Number)
      return [`${name} ${thread}`, (user ?? 0) + (system ?? 0)] as const
    })
    return new Map(await Promise.all(lines))
  }
  const before = await ticks()
  await sleep(2_000)
  return [...(await ticks())].map(([name, now]) => `${name}: ${now - (before.get(name) ?? 0)}`).join(", ")
}

/** @param state of the machine, in words for the error of one that does not answer */
function machine(
  { id, workspace }: Pick<GoldenMachine, "id" | "workspace">,
  ipv4: string,
  state: () => Promise<string>,
): GoldenMachine {
  const host = `${workspace}.${TEST_ZONE}`
  const ask: GoldenMachine["ask"] = (path, given = {}) =>
    new Promise((resolve, reject) => {
      const { method = "GET", body, cookie = `__Host-foozol=${TOKEN}`, limit = MINUTES } = given
      const headers = { host, origin: `https://${host}`, cookie }
      const where = { host: ipv4, port: hostPort(443), servername: host, rejectUnauthorized: false, agent: false }
      const call = request({ ...where, path, method, headers }, response => {
        let text = ""
        response.setEncoding("utf8").on("data", part => {
          text += part
        })
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
      call.setTimeout(limit, () => call.destroy(new Error("no answer")))
      call.on("error", reject)
      call.end(body)
    })
  return {
    ...{ id, workspace, host },
    url: `https://${ipv4}:${hostPort(443)}/`,
    cookie: { name: "__Host-foozol", value: TOKEN },
    ask,
    // A connection made before the guest is up would only be answered when its first packet is repeated.
    answers: () =>
      waitUntil("the machine's door answers", () => ask("/", { limit: 10_000 }), 10 * MINUTES).catch(async error => {
        error.message += `\n${await state().catch(String)}`
        throw error
      }),
    viewer: () => {
      const headers = { host, origin: `https://${host}`, cookie: `__Host-foozol=${TOKEN}` }
      const url = `wss://${ipv4}:${hostPort(443)}/vnc`
      return waitUntil("the desktop lets a viewer in", () => openRfbClient(url, headers), 10 * MINUTES)
    },
  }
}

/**
 * Runs commands as root inside a machine: somebody types one line into its terminal, with which it fetches what to do
 * from this host again and again. With `stays` it goes on after a reboot, and in whatever is made from the disk.
 */
export async function openShell(viewer: RfbClient, options: { stays?: boolean } = {}) {
  const todo: { command: string; done: (output: string) => void }[] = []
  let waiting: ServerResponse | undefined
  let sent: (typeof todo)[number] | undefined
  const hand = () => {
    const next = todo[0]
    if (waiting === undefined || next === undefined || sent === next) return
    waiting.end(next.command)
    waiting = undefined
    sent = next
  }
  const server = createServer(async (request, response) => {
    if (request.url === "/s") return response.end(options.stays ? installed(server.address()) : loop(server.address()))
    if (request.url === "/next") {
      // Whoever asks again without an answer was rebooted in between.
      sent = undefined
      waiting = response
      return hand()
    }
    const chunks = await request.toArray()
    todo.shift()?.done(Buffer.concat(chunks).toString())
    sent = undefined
    response.end()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const asked = () => waiting !== undefined
  // The first letters may come before the terminal listens.
  await waitUntil("the terminal takes a command", async () => {
    viewer.click(200, 300)
    viewer.type(`\ncurl -s ${HOST_FROM_MACHINES}:${port}/s | sudo sh\n`)
    await waitUntil("the machine asks what to do", asked, 15_000)
    return true
  })
  return {
    run: (command: string) =>
      new Promise<string>(done => {
        todo.push({ command, done })
        hand()
      }),
    /** Resolves when the machine has fetched what it is to do next. */
    fetched: () => waitUntil("the machine has fetched its command", () => todo.length > 0 && sent === todo[0]),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const loop = (address: unknown) => {
  const here = `http://${HOST_FROM_MACHINES}:${(address as AddressInfo).port}`
  return `while :; do
    curl --noproxy '*' -sf ${here}/next > /run/test-command && sh /run/test-command > /run/test-output 2>&1 < /dev/null
    [ -s /run/test-command ] && curl --noproxy '*' -sf --data-binary @/run/test-output ${here}/done
    : > /run/test-command
    sleep 0.2
  done\n`
}

const installed = (address: unknown) => `cat > /usr/local/sbin/test-shell <<'END'
#!/bin/sh
${loop(address)}END
chmod 755 /usr/local/sbin/test-shell
cat > /etc/systemd/system/test-shell.service <<'END'
[Service]
ExecStart=/usr/local/sbin/test-shell
Restart=always
[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet --now test-shell.service
`
