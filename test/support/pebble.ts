import { execFileSync, spawn } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { Agent, request } from "node:https"
import { join } from "node:path"
import { freePort } from "../../cli/redis-process.ts"
import type { Authority } from "../../image-builder/agent/certificate/authority.ts"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { SetupError } from "../../tools/setup/errors.ts"
import { ensurePebble } from "../../tools/setup/pebble.ts"
import { createProgress } from "../../tools/setup/progress.ts"
import { skipSuite } from "./skip.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { waitUntil } from "./wait-until.ts"

/** A certificate authority of a test's own: Let's Encrypt's Pebble, which asks as the real one does. */
export interface Pebble {
  /** As machines are told of it; `host` is how they call this computer. */
  authority(host?: string, more?: Partial<Authority>): Authority
  /** What its directory's own certificate is trusted by: a file, in PEM. */
  trustFile: string
  /** PEM of the root that its certificates lead to, which browsers must trust; made anew at each start. */
  root(): Promise<string>
  /** Common name of one of its roots; with 1 the one of the chain that is not served unless it is asked for. */
  rootName(index: number): Promise<string | undefined>
  /** The text at one of its addresses. */
  get(url: string): Promise<string>
  /** What it has logged. */
  logged(): string
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * @param options.tlsPort at which it looks for names
 * @param options.dns port of the DNS server that it asks
 * @param options.bindings keys of accounts (Base64 URL) by their ids; without one of them nobody gets an account
 */
export async function startPebble(options: {
  tlsPort: number
  dns: number
  bindings?: Record<string, string>
  validSeconds?: number
}): Promise<Pebble> {
  const program = await ensurePebble(createProgress())
  const { path: directory, remove } = await temporaryDirectory()
  const file = (name: string) => join(directory, name)
  const [port, adminPort] = [await freePort(0), await freePort(0)]
  makeCertificates(directory)
  const settings = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${adminPort}`,
    certificate: file("directory.pem"),
    privateKey: file("directory.key"),
    httpPort: 1,
    tlsPort: options.tlsPort,
    externalAccountBindingRequired: options.bindings !== undefined,
    externalAccountMACKeys: options.bindings ?? {},
    domainBlocklist: [],
    retryAfter: { authz: 1, order: 1 },
    keyAlgorithm: "ecdsa",
    profiles: { default: { description: "", validityPeriod: options.validSeconds ?? 90 * 86_400 } },
  }
  await writeFile(file("pebble.json"), JSON.stringify({ pebble: settings }))
  const trust = await readFile(file("root.pem"), "utf8")
  let logged = ""
  let child: ReturnType<typeof spawn> | undefined
  const rootAt = (index: number) => get(`https://127.0.0.1:${adminPort}/roots/${index}`, trust)
  const root = () => rootAt(0)
  const pebble: Pebble = {
    authority: (host = HOST_FROM_MACHINES, more = {}) => ({
      ...{ directory: `https://${host}:${port}/dir`, contact: null, binding: null, chain: null, trust },
      ...more,
    }),
    trustFile: file("root.pem"),
    root,
    rootName: async index => /^CN=(.*)$/m.exec(new X509Certificate(await rootAt(index)).subject)?.[1],
    get: url => get(url, trust),
    logged: () => logged,
    async start() {
      // It waits a while before it looks, unless told not to; it refuses one in twenty nonces, as the real one may.
      const env = { PATH: process.env.PATH, PEBBLE_VA_NOSLEEP: "1", PEBBLE_ALTERNATE_ROOTS: "1" }
      child = spawn(program, ["-config", file("pebble.json"), "-dnsserver", `127.0.0.1:${options.dns}`], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      })
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding("utf8").on("data", text => (logged += text))
      await waitUntil("Pebble answers", root)
    },
    async stop() {
      if (child === undefined || child.exitCode !== null) return
      const gone = once(child, "exit")
      child.kill("SIGTERM")
      await gone
    },
    async close() {
      await pebble.stop()
      await remove()
    },
  }
  await pebble.start()
  return pebble
}

/** Starts it, or skips the suite with the reason where it cannot be built. */
export async function pebbleOrSkip(hook: Mocha.Context, options: Parameters<typeof startPebble>[0]): Promise<Pebble> {
  // The first time it is built.
  hook.timeout(1_800_000)
  try {
    return await startPebble(options)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    return skipSuite(hook, error.message)
  }
}

/** A root, and a certificate of it for the directory, under all names it is called by. */
function makeCertificates(directory: string): void {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "ignore" })
  openssl(
    "req",
    "-x509",
    ...curve,
    "-days",
    "2",
    "-subj",
    "/CN=Pebble's directory",
    "-keyout",
    "root.key",
    "-out",
    "root.pem",
  )
  const names = `subjectAltName=IP:127.0.0.1,IP:${HOST_FROM_MACHINES},DNS:localhost`
  const own = [
    "-days",
    "2",
    "-subj",
    "/CN=directory",
    "-addext",
    names,
    "-addext",
    "basicConstraints=critical,CA:FALSE",
  ]
  const signed = ["-CA", "root.pem", "-CAkey", "root.key", "-keyout", "directory.key", "-out", "directory.pem"]
  openssl("req", "-x509", ...curve, ...own, ...signed)
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // It refuses whoever does not say what they are.
    const call = request(url, { agent: new Agent({ ca }), headers: { "user-agent": "test" } }, answer => {
      let text = ""
      answer.setEncoding("utf8").on("data", part => (text += part))
      answer.on("end", () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))))
    })
    call.on("error", reject)
    call.end()
  })
}
