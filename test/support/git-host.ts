import { execFile } from "node:child_process"
import { once } from "node:events"
import { existsSync, statSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { request as ask, createServer as createHttp } from "node:http"
import { createServer as createHttps } from "node:https"
import { type AddressInfo, connect, type Socket } from "node:net"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { selfSignedCertificate } from "./certificate.ts"

export interface GitHost {
  /** Of the environment in which git finds it, as `https://github.com/`. */
  environment: Record<string, string>
  /** Paths that were asked for. */
  asked: string[]
  /** What repositories below a path ask for: a user's name and a password. */
  passwords: Map<string, string>
  /** Where requests below a path are sent. */
  moved: Map<string, string>
  /** While true, nobody gets through. */
  away: boolean
  /** While true, objects are begun and never ended. */
  stalls: boolean
  /** Makes a repository with one commit in each branch, the first one being its own. @returns its bare folder */
  make(path: string, branches: Record<string, Record<string, string>>): Promise<string>
  /** Runs git beside all settings of this system. */
  git(folder: string, ...args: string[]): Promise<string>
  close(): Promise<void>
}

/**
 * Serves repositories over https as plain files, behind a proxy by which github.com is this machine: so addresses are
 * the ones that people enter, without a port.
 */
export async function startGitHost(directory: string): Promise<GitHost> {
  const { key, cert } = selfSignedCertificate("github.com")
  const root = join(directory, "served")
  await mkdir(root)
  const trust = join(directory, "trust.pem")
  await writeFile(trust, cert)
  const sockets = new Set<Socket>()

  const server = createHttps({ key, cert }, async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "https://github.com")
    host.asked.push(pathname)
    const under = <T>(all: Map<string, T>) => [...all].find(([path]) => pathname.startsWith(`/${path}`))?.[1]
    const [password, target] = [under(host.passwords), under(host.moved)]
    if (target) return void response.writeHead(301, { location: `${target}${request.url}` }).end()
    const given = Buffer.from(request.headers.authorization?.replace(/^Basic /, "") ?? "", "base64").toString()
    if (password !== undefined && given !== password) {
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end()
    }
    const file = join(root, pathname)
    if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end()
    const bytes = await readFile(file)
    if (!host.stalls || !pathname.includes("/objects/")) return void response.end(bytes)
    response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, bytes.length >> 1))
  })
  // What else goes by the proxy is on this machine too, which machines of the local cloud call by another address.
  const proxy = createHttp((request, response) => {
    const { port, pathname, search } = new URL(request.url ?? "/")
    const onward = ask(
      { host: "127.0.0.1", port, path: pathname + search, method: request.method ?? "GET" },
      answer => {
        response.writeHead(answer.statusCode ?? 502)
        answer.pipe(response)
      },
    )
    onward.on("error", () => response.destroy())
    request.pipe(onward)
  })
  proxy.on("connect", (request, client: Socket) => {
    sockets.add(client)
    client.on("error", () => {})
    if (host.away || request.url !== "github.com:443") return void client.end("HTTP/1.1 502 Away\r\n\r\n")
    const onward = connect((server.address() as AddressInfo).port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n")
      client.pipe(onward).pipe(client)
    })
    onward.on("error", () => client.destroy())
  })
  for (const one of [server, proxy]) await once(one.listen(0, "127.0.0.1"), "listening")

  const run = promisify(execFile)
  const who = ["AUTHOR", "COMMITTER"].flatMap(role => [
    [`GIT_${role}_NAME`, "Test"],
    [`GIT_${role}_EMAIL`, "test@example.com"],
  ])
  const env = {
    ...{ PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
    ...Object.fromEntries(who),
  }
  const host: GitHost = {
    environment: {
      https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      GIT_SSL_CAINFO: trust,
    },
    ...{ asked: [], passwords: new Map(), moved: new Map(), away: false, stalls: false },
    git: async (folder, ...args) => (await run("git", args, { cwd: folder, env })).stdout.trim(),
    async make(path, branches) {
      const work = join(directory, "work", path)
      await mkdir(work, { recursive: true })
      await host.git(work, "init", "--quiet", "--initial-branch", Object.keys(branches)[0] ?? "main")
      for (const [branch, files] of Object.entries(branches)) {
        if (branch !== Object.keys(branches)[0]) await host.git(work, "checkout", "--quiet", "--orphan", branch)
        for (const [name, text] of Object.entries(files)) {
          await mkdir(dirname(join(work, name)), { recursive: true })
          await writeFile(join(work, name), text)
        }
        await host.git(work, "add", "--all")
        await host.git(work, "commit", "--quiet", "--message", branch)
      }
      await host.git(work, "checkout", "--quiet", Object.keys(branches)[0] ?? "main")
      const bare = join(root, `${path}.git`)
      await mkdir(dirname(bare), { recursive: true })
      await host.git(root, "clone", "--quiet", "--bare", work, bare)
      await host.git(bare, "update-server-info")
      return bare
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      proxy.closeAllConnections()
      await Promise.all([server, proxy].map(one => new Promise(resolve => one.close(resolve))))
    },
  }
  return host
}
