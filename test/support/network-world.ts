/** Networks of a test's own for machines with addresses of their own: a host, and somebody outside of it. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { MachineConfig } from "../../local-cloud/machines/contract.ts"
import type { OwnAddresses } from "../../local-cloud/own-addresses.ts"
import { waitUntil } from "./wait-until.ts"

const execute = promisify(execFile)

/** Why such networks cannot be made here; null when they can. */
export async function whyNoNetworks(): Promise<string | null> {
  if (process.getuid?.() !== 0) return "needs root, for networks of its own"
  try {
    await execute("nft", ["--version"])
  } catch {
    return "needs nftables"
  }
  const name = `fzp${process.pid}`
  try {
    await execute("ip", ["netns", "add", name])
    const inside = ["netns", "exec", name]
    await execute("ip", [...inside, "ip", "tuntap", "add", "dev", "fztry", "mode", "tap"])
    await execute("ip", [...inside, "nft", "add", "table", "inet", "fztry"])
    return null
  } catch (error) {
    return `the kernel lets nobody make networks here: ${(error as { stderr?: string }).stderr?.trim().split("\n")[0]}`
  } finally {
    await execute("ip", ["netns", "del", name]).catch(() => {})
  }
}

/** A host with a driver of machines in a network of its own, and the world outside. */
export interface NetworkWorld {
  /** Calls a function of the driver in the host's network. */
  driver(call: string, ...args: unknown[]): Promise<unknown>
  /** Runs a program on the host, or outside of it. */
  run(where: "host" | "outside", program: string, args: string[]): Promise<string>
  /** Answers HTTP with "here" at a port of the host, or of the one outside, at all of its addresses. */
  listen(where: "host" | "outside", port: number, address?: string): Promise<void>
  /** Ends the driver's process, as a crash does, and starts it again. */
  crash(): Promise<void>
  close(): Promise<void>
}

const HOST = "192.0.2.1"
const HOST_V6 = "2001:db8:ffff::1"
const OUTSIDE = "192.0.2.2"
const OUTSIDE_V6 = "2001:db8:ffff::2"
/** Addresses of that world. */
export const WORLD = { host: HOST, hostV6: HOST_V6, outside: OUTSIDE, outsideV6: OUTSIDE_V6 } as const

/** Makes the networks and starts the driver. */
export async function startNetworkWorld(directory: string, own: OwnAddresses): Promise<NetworkWorld> {
  const names = { host: `fzh${process.pid}`, outside: `fzo${process.pid}` }
  const run: NetworkWorld["run"] = async (where, program, args) =>
    (await execute("ip", ["netns", "exec", names[where], program, ...args])).stdout
  const ip = (where: "host" | "outside", line: string) => run(where, "ip", line.split(" "))
  for (const name of Object.values(names)) {
    await execute("ip", ["netns", "add", name])
    await execute("ip", ["-n", name, "link", "set", "lo", "up"])
  }
  await execute("ip", [
    "link",
    "add",
    "up0",
    "netns",
    names.host,
    "type",
    "veth",
    "peer",
    "name",
    "up1",
    "netns",
    names.outside,
  ])
  await ip("host", `address add ${HOST}/24 dev up0`)
  await ip("host", `address add ${HOST_V6}/64 dev up0 nodad`)
  await ip("host", "link set up0 up")
  await ip("outside", `address add ${OUTSIDE}/24 dev up1`)
  await ip("outside", `address add ${OUTSIDE_V6}/64 dev up1 nodad`)
  await ip("outside", "link set up1 up")
  // Who is in the same network asks for the addresses there.
  for (const range of own.ipv4.filter(one => !one.startsWith("192.0.2.")))
    await ip("outside", `route add ${range} via ${HOST}`)
  if (own.ipv6) await ip("outside", `-6 route add ${own.ipv6} via ${HOST_V6}`)
  for (const name of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.up0.proxy_ndp"])
    await run("host", "sysctl", ["-qw", `${name}=1`])

  const script = fileURLToPath(new URL("./network-driver.ts", import.meta.url))
  const startDriver = async () => {
    const args = ["netns", "exec", names.host, process.execPath, script, directory, JSON.stringify(own)]
    const child = spawn("ip", args, { stdio: ["pipe", "pipe", "inherit"] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const answer = async () => JSON.parse((await lines.next()).value ?? '{"error":"the driver ended"}')
    const first = await answer()
    if (first.error) throw new Error(first.error)
    return { child, answer }
  }
  let driver = await startDriver()
  let last: Promise<unknown> = Promise.resolve()
  const call: NetworkWorld["driver"] = (name, ...args) => {
    const done = last.then(async () => {
      driver.child.stdin.write(`${JSON.stringify([name, ...args])}\n`)
      const { error, result } = await driver.answer()
      if (error) throw new Error(error)
      return result
    })
    last = done.catch(() => {})
    return done
  }
  const listeners: ChildProcess[] = []
  return {
    driver: call,
    run,
    async listen(where, port, address = "::") {
      const serve = `require("node:http").createServer((_, to) => to.end("here")).listen(${port}, "${address}", () => console.log("listens"))`
      const args = ["netns", "exec", names[where], process.execPath, "-e", serve]
      const child = spawn("ip", args, { stdio: ["ignore", "pipe", "inherit"] })
      listeners.push(child)
      await once(child.stdout, "data")
    },
    async crash() {
      driver.child.kill("SIGKILL")
      await once(driver.child, "exit")
      driver = await startDriver()
    },
    async close() {
      for (const child of listeners) child.kill()
      driver.child.stdin.end()
      if (driver.child.exitCode === null) await once(driver.child, "exit")
      for (const name of Object.values(names)) await execute("ip", ["netns", "del", name])
    },
  }
}

/** User-data of a machine that runs what it is sent by POST at port 6081, as root. */
export const COMMANDS = `#!/bin/sh
mkdir -p /tmp/commands/cgi-bin
cat > /tmp/commands/cgi-bin/run <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
sh 2>&1
END
chmod 755 /tmp/commands/cgi-bin/run
httpd -p 6081 -h /tmp/commands
`
/** The port of those machines. */
export const COMMAND_PORT = 6081

/** What a command says on a machine whose user-data is \`COMMANDS\`; waits until it takes commands. */
export function onMachine(world: Pick<NetworkWorld, "run">, config: MachineConfig, command: string): Promise<string> {
  const url = `http://${config.ipv4}:${COMMAND_PORT}/cgi-bin/run`
  return waitUntil(`${config.name} takes commands`, async () => {
    // Longer than what such a command waits itself: one whose answer nobody hears any more would run again and again.
    const args = ["--silent", "--fail", "--max-time", "60", "--data-binary", `${command}\necho done`, url]
    const said = await world.run("outside", "curl", args)
    return said.endsWith("done\n") && said.slice(0, -"done\n".length)
  })
}
