/** The local cloud as a process: `node local-cloud/main.ts --directory DIR`; `foozol-cloud local up` starts it so. */
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { pino } from "pino"
import { shutDownForHost } from "./after-reboot.ts"
import { StartError } from "./errors.ts"
import { HostSettings, readHostSettings } from "./host-settings.ts"
import { hostIsStopping } from "./host-shutdown.ts"
import { createNoMachines } from "./machines/none.ts"
import { hostPort } from "./machines/qemu/forwards.ts"
import { createQemuMachines } from "./machines/qemu/qemu-machines.ts"
import { serveMetrics } from "./metrics.ts"
import { createNames, platformAddress } from "./names.ts"
import { startDns } from "./network/dns.ts"
import { startServiceDoor } from "./network/service-door.ts"
import { startSniRouter } from "./network/sni-router.ts"
import { readRuntime, removeRuntime, startTicks, writeRuntime } from "./runtime-file.ts"
import { startLocalCloud } from "./server.ts"

const { values } = parseArgs({
  options: {
    directory: { type: "string" },
    machines: { type: "string", default: "qemu" },
    boot: { type: "string", default: "template" },
    port: { type: "string" },
    "router-port": { type: "string" },
    "dns-port": { type: "string" },
    settings: { type: "string" },
    "sign-in-port": { type: "string" },
    "door-port": { type: "string" },
    "sign-in-callback": { type: "string" },
    "no-sign-in": { type: "boolean" },
  },
})
/** How long guests may take to shut down with the host; the systemd unit gives the whole stop a little more. */
const SHUTDOWN_LIMIT_MS = 90_000
const log = pino({ name: "local-cloud", level: process.env.FOOZOL_LOG_LEVEL ?? "info" })

try {
  await main(values.directory ?? "")
} catch (error) {
  if (error instanceof StartError) log.fatal(error.message)
  else log.fatal({ err: error }, `The local cloud failed to start: ${(error as Error).message}`)
  process.exit(1)
}

async function main(directory: string): Promise<void> {
  if (!directory) throw new StartError("The local cloud needs a folder: --directory DIR.")
  if (readRuntime(directory)) throw new StartError(`A local cloud runs from ${directory} already.`)
  const kind = values.machines === "none" ? "none" : "qemu"
  const host = values.settings ? readHostSettings(values.settings) : HostSettings.parse({})
  const { listen, routes, ...settings } = host
  const boot = values.boot === "cold" ? "cold" : "template"
  const tokens = secrets(directory)
  const machines =
    kind === "none"
      ? createNoMachines(directory)
      : createQemuMachines({
          directory: join(directory, "machines"),
          ...{ boot, standing: 1, network: host.network, memoryOvercommit: host.capacity.memoryOvercommit },
          ...{ log: (line: string) => log.info(line) },
        })
  const [port, routerPort, dnsPort, signInPort, doorPort] = [
    await choose(values.port, 8180, "API"),
    listen.router?.port ?? (await choose(values["router-port"], 8443, "router")),
    listen.dns?.port ?? (await choose(values["dns-port"], 8053, "DNS server")),
    await choose(values["sign-in-port"], 8446, "stand-in for GitHub"),
    await choose(values["door-port"], 8447, "way to a service that is a machine here"),
  ]
  const signIn = values["no-sign-in"]
    ? null
    : { port: signInPort, ...(values["sign-in-callback"] && { callbackUrl: values["sign-in-callback"] }) }
  const cloud = await startLocalCloud(
    { ...settings, directory, tokens: { [tokens.api]: "default" }, adminToken: tokens.admin, port, signIn },
    machines,
    log,
  )
  const names = createNames(cloud.context.store)
  const https = host.network ? 443 : hostPort(443)
  const dns = await startDns({ port: dnsPort, ...(listen.dns && { host: listen.dns.address }), ...names })
  const router = await startSniRouter({
    port: routerPort,
    ...(listen.router && { host: listen.router.address }),
    lookup: host => {
      const elsewhere = Object.hasOwn(routes, host) ? routes[host] : undefined
      if (elsewhere) return elsewhere
      const address = names.address(host)
      return address === null ? null : { address, port: https }
    },
  })
  const door = await startServiceDoor({
    port: doorPort,
    lookup() {
      const address = platformAddress(cloud.context.store)
      return address === null ? null : { address, port: https }
    },
  })
  const metrics = listen.metrics ? await serveMetrics(cloud.context.metrics, listen.metrics) : null
  writeRuntime(directory, {
    pid: process.pid,
    startTicks: startTicks(process.pid),
    apiUrl: cloud.apiUrl,
    token: tokens.api,
    adminUrl: cloud.adminUrl,
    adminToken: tokens.admin,
    routerPort: router.port,
    dnsPort: dns.port,
    doorPort: door.port,
    machines: kind,
    signIn: cloud.signIn,
  })
  const parts = { api: cloud.apiUrl, router: router.port, dns: dns.port, signIn: cloud.signIn?.url }
  log.info({ ...parts, machines: kind }, "ready")

  const stop = async (signal: string) => {
    if (await hostIsStopping()) {
      log.info({ signal }, "the host shuts down; so do the machines, and they are started again in its next boot")
      const left = await shutDownForHost(cloud.context, SHUTDOWN_LIMIT_MS)
      if (left > 0) log.warn({ left }, "machines were still on when their time was over; the host ends them")
    } else log.info({ signal }, "stopping; machines go on running")
    removeRuntime(directory)
    await Promise.all([router.close(), door.close(), dns.close(), metrics?.close(), cloud.close()])
    process.exit(0)
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop(signal))
}

/** The API token (64 characters, as Hetzner's) and the admin token, made at the first start and kept. */
function secrets(directory: string): { api: string; admin: string } {
  const file = join(directory, "tokens.json")
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    const made = { api: randomBytes(32).toString("hex"), admin: randomBytes(32).toString("hex") }
    writeFileSync(file, JSON.stringify(made), { mode: 0o600, flag: "wx" })
  }
  return JSON.parse(readFileSync(file, "utf8")) as { api: string; admin: string }
}

/** A given port must be free; without one the usual port is taken, or any free one when something has it. */
async function choose(given: string | undefined, usual: number, what: string): Promise<number> {
  if (given !== undefined) {
    const port = Number(given)
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new StartError(`The port of the ${what} must be a number from 1 to 65535, not "${given}".`)
    if (!(await isFree(port)))
      throw new StartError(`Port ${port} for the ${what} is in use: end what uses it, or choose another port.`)
    return port
  }
  return (await isFree(usual)) ? usual : 0
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })
}
