/**
 * The keeper: takes settings and secrets from the operator, has the service start with them, and sees to it that this
 * server has a certificate. Runs as root beside the service, which can reach neither it nor what it keeps.
 */
import { X509Certificate } from "node:crypto"
import { chmod, readFile, rm } from "node:fs/promises"
import { get } from "node:http"
import { parseAuthority } from "../../agent/certificate/authority.ts"
import { doorOpen, showCertificate } from "../../agent/certificate/door.ts"
import { keepCertificate } from "../../agent/certificate/keeper.ts"
import { obtainBy } from "../../agent/certificate/request.ts"
import { journal } from "../../agent/log.ts"
import { run } from "../../agent/run.ts"
import { keptIn } from "./kept.ts"
import { createKeeperServer } from "./server.ts"

const DATA = "/var/lib/foozol"
const SOCKET = "/run/foozol/keeper.sock"
const SERVICE = "foozol-cloud.service"

main()

async function main(): Promise<void> {
  const { host, birth, operatorKey } = JSON.parse(await readFile("/run/foozol/platform.json", "utf8")) as {
    host: string
    birth: string
    operatorKey: string
  }
  const stopping = new AbortController()
  const { signal } = stopping
  const kept = keptIn(`${DATA}/secrets`, `${DATA}/acme-trust.pem`)
  const https = { host: "127.0.0.1", port: 443 }
  const folder = `${DATA}/tls`
  const certificate = keepCertificate({
    ...{
      name: host,
      folder,
      socket: "/run/foozol/acme.sock",
      socketGid: await groupOf("www-data"),
      signal,
      log: journal,
    },
    obtain: obtainBy("/usr/lib/foozol/acme.cjs"),
    show: () => showCertificate({ run, https, folder }, signal),
    doorOpen: () => doorOpen(https, signal),
    told() {},
    now: Date.now,
  })
  const use = async () => certificate.use(parseAuthority(await kept.certificate()))
  await use().catch(error => journal.warn(`the certificate's settings: ${error.message}`))

  const server = createKeeperServer({
    ...{ birth, operatorKey, now: Date.now, heard: journal.info },
    fingerprint: async () => new X509Certificate(await readFile(`${folder}/cert.pem`)).fingerprint256,
    async service() {
      if (!(await kept.hasSettings())) return "waits for its settings"
      return (await isReady()) ? "ready" : "starts"
    },
    async take(given) {
      parseAuthority(given.certificate)
      const isNew = await kept.keep(given)
      await use()
      // Without waiting: who asks next is told how far it is.
      await run("systemctl", ["--no-block", isNew ? "restart" : "start", SERVICE])
    },
  })
  await rm(SOCKET, { force: true })
  await new Promise<void>(resolve => server.listen(SOCKET, resolve))
  // NGINX is another user's. Nothing comes this way that is not signed.
  await chmod(SOCKET, 0o666)
  journal.info("ready")
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.once(name, () => {
      stopping.abort()
      server.close()
      void certificate.done.then(() => process.exit(0))
    })
}

/** Does the service say that it is ready? */
const isReady = () =>
  new Promise<boolean>(resolve => {
    const question = get({ host: "127.0.0.1", port: 8080, path: "/readyz", timeout: 5_000 }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    question.on("timeout", () => question.destroy())
    question.on("error", () => resolve(false))
  })

async function groupOf(name: string): Promise<number | undefined> {
  const line = (await readFile("/etc/group", "utf8")).split("\n").find(one => one.startsWith(`${name}:`))
  return line === undefined ? undefined : Number(line.split(":")[2])
}
