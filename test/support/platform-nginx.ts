import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { freePort } from "../../cli/redis-process.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { selfSignedCertificate } from "./certificate.ts"
import { waitUntil } from "./wait-until.ts"

const ROOTFS = join(PROJECT_ROOT, "image-builder", "platform", "rootfs")
/** As the package libnginx-mod-stream of Debian and Ubuntu brings it. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"

/** The NGINX of the platform's server, with the very configuration of its image, in a folder of a test. */
export interface PlatformNginx {
  port: number
  /** Of its certificate. */
  tls: string
  /** Where it looks for the keeper. */
  keeperSocket: string
  close(): Promise<void>
}

/** @param service port of the service, which need not be there */
export async function startPlatformNginx(directory: string, host: string, service: number): Promise<PlatformNginx> {
  const port = await freePort(0)
  await mkdir(join(directory, "tls"), { recursive: true, mode: 0o700 })
  const { key, cert } = selfSignedCertificate(host)
  await writeFile(join(directory, "tls/key.pem"), key)
  await writeFile(join(directory, "tls/cert.pem"), cert)
  const places: [string, string][] = [
    ["user www-data;", process.getuid?.() === 0 ? "user root;" : ""],
    ["include /etc/nginx/modules-enabled/*.conf;", `load_module ${STREAM_MODULE};`],
    ["worker_processes auto;", "worker_processes 1;"],
    ["pid /run/nginx.pid;", `pid ${directory}/nginx.pid;`],
    [
      "access_log syslog:server=unix:/dev/log,facility=daemon,tag=nginx,nohostname plain;",
      `access_log ${directory}/access.log plain;\n  ${["fastcgi", "uwsgi", "scgi"].map(kind => `${kind}_temp_path ${directory}/${kind};`).join(" ")}`,
    ],
    ["listen 443;", `listen 127.0.0.1:${port};`],
    ["listen [::]:443;", ""],
    ["server 127.0.0.1:8080;", `server 127.0.0.1:${service};`],
    ["/run/foozol/", `${directory}/`],
    ["/var/lib/foozol/tls/", `${directory}/tls/`],
    ["root /usr/share/foozol;", `root ${ROOTFS}/usr/share/foozol;`],
  ]
  const text = await readFile(join(ROOTFS, "etc/nginx/foozol.conf"), "utf8")
  const moved = places.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`The server's foozol.conf has no "${from}" any more.`)
    return result.replaceAll(from, to)
  }, text)
  await writeFile(join(directory, "nginx.conf"), moved)
  const child = spawn("nginx", ["-p", directory, "-c", join(directory, "nginx.conf"), "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", part => {
    said += part
  })
  const gone = once(child, "exit")
  const listens = () =>
    new Promise<boolean>(resolve => {
      const socket = connect(port, "127.0.0.1")
      socket.once("connect", () => socket.end(() => resolve(true))).once("error", () => resolve(false))
    })
  await waitUntil("NGINX listens or ends", async () => child.exitCode !== null || listens())
  if (child.exitCode !== null) throw new Error(`NGINX ended: ${said}`)
  return {
    port,
    tls: join(directory, "tls"),
    keeperSocket: join(directory, "keeper.sock"),
    async close() {
      child.kill("SIGTERM")
      await gone
    },
  }
}
