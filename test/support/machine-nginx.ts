import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { dirname, join } from "node:path"
import { freePort } from "../../cli/redis-process.ts"
import { buildViewer } from "../../image-builder/viewer/build.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { selfSignedCertificate } from "./certificate.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { waitUntil } from "./wait-until.ts"

/** The NGINX of a machine, with the very configuration of the golden image. */
export interface MachineNginx {
  /** Where it listens, on loopback; browsers would know it by the workspace's name. */
  port: number
  host: string
  /** Folder of its key and certificate, and where it passes certificate authorities on to. */
  tls: string
  acmeSocket: string
  /** Its process. */
  pid: number
  /** What it has written about requests. */
  accessLog(): Promise<string>
  /** Takes key and certificate anew, as `systemctl reload` does. */
  reload(): void
  close(): Promise<void>
}

/** As the package libnginx-mod-stream of Debian and Ubuntu brings it. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
const ROOTFS = join(PROJECT_ROOT, "image-builder", "rootfs", "etc", "nginx")

/**
 * Starts it with other paths and another port than on a machine, and with what the boot would write for this service.
 * @param options.socket where the agent listens
 */
export async function startMachineNginx(options: {
  host: string
  service: string
  workspaceKey: string
  socket: string
  /** Where it listens for ports; beside the other unless it is told otherwise. */
  portsSocket?: string
}): Promise<MachineNginx> {
  const { path: directory, remove } = await temporaryDirectory()
  const port = await freePort(0)
  const { key, cert } = selfSignedCertificate(options.host)
  await Promise.all(["tls", "temp"].map(name => mkdir(join(directory, name), { mode: 0o700 })))
  await buildViewer({ out: join(directory, "viewer") })
  const authority = new URL(options.service).host
  const files = {
    "tls/key.pem": key,
    "tls/cert.pem": cert,
    // As /usr/lib/foozol/boot writes them.
    "foozol-key.conf": `set $workspace_key "${options.workspaceKey}";
set $service_url "${options.service}";
set $service_host "${authority}";
set $service_name "${authority.replace(/:.*/, "")}";
set $service_link '${options.service}';
resolver 127.0.0.1 valid=30s ipv6=off;
`,
    "foozol-service-tls.conf": "",
    "foozol-headers.conf": await readFile(join(ROOTFS, "foozol-headers.conf"), "utf8"),
    "nginx.conf": moved(await readFile(join(ROOTFS, "nginx.conf"), "utf8"), {
      directory,
      port,
      socket: options.socket,
      portsSocket: options.portsSocket ?? join(dirname(options.socket), "ports.sock"),
    }),
  }
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)))
  const child = spawn("nginx", ["-p", directory, "-c", join(directory, "nginx.conf"), "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", text => {
    said += text
  })
  const gone = once(child, "exit")
  await waitUntil("NGINX listens or ends", async () => child.exitCode !== null || listens(port))
  if (child.exitCode !== null) throw new Error(`NGINX ended: ${said}`)
  return {
    port,
    host: options.host,
    tls: join(directory, "tls"),
    acmeSocket: join(directory, "acme.sock"),
    pid: child.pid as number,
    reload: () => void child.kill("SIGHUP"),
    accessLog: () => readFile(join(directory, "access.log"), "utf8"),
    async close() {
      child.kill("SIGTERM")
      await gone
      await remove()
    },
  }
}

/** The configuration with the places of a test; each one must be there, so that none is looked for in vain. */
function moved(
  text: string,
  { directory, port, socket, portsSocket }: { directory: string; port: number; socket: string; portsSocket: string },
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  const places: [string, string][] = [
    // Whoever runs the test, root or not; the agent's socket is theirs.
    ["user www-data;", process.getuid?.() === 0 ? "user root;" : ""],
    // What the system beside the tests has switched on; a machine has none that matter here.
    ["include /etc/nginx/modules-enabled/*.conf;", `load_module ${STREAM_MODULE};`],
    ["worker_processes auto;", "worker_processes 1;"],
    ["pid /run/nginx.pid;", `pid ${directory}/nginx.pid;`],
    ["http {", `http {\n${temporary.map(kind => `  ${kind}_temp_path ${directory}/temp/${kind};\n`).join("")}`],
    [
      "access_log syslog:server=unix:/dev/log,facility=daemon,tag=nginx,nohostname plain;",
      `access_log ${directory}/access.log plain;`,
    ],
    ["listen 443;", `listen 127.0.0.1:${port};`],
    ["listen [::]:443;", ""],
    ...["https", "acme-door", "acme"].map((name): [string, string] => [
      `unix:/run/foozol/${name}.sock`,
      `unix:${directory}/${name}.sock`,
    ]),
    ["server unix:/run/foozol/agent.sock;", `server unix:${socket};`],
    ["server unix:/run/foozol/ports.sock;", `server unix:${portsSocket};`],
    ["/etc/foozol/tls/", `${directory}/tls/`],
    ["/etc/nginx/foozol-", `${directory}/foozol-`],
    ["/usr/share/foozol/viewer", `${directory}/viewer`],
    // The pages lie in the viewer's folder before they are put beside it.
    ["root /usr/share/foozol;", `root ${directory}/viewer;`],
  ]
  return places.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`The machine's nginx.conf has no "${from}" any more.`)
    return result.replaceAll(from, to)
  }, text)
}

const listens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => socket.end(() => resolve(true))).once("error", () => resolve(false))
  })
