import { existsSync } from "node:fs"
import { createInterface } from "node:readline/promises"
import { SetupError } from "./errors.ts"
import type { Progress } from "./progress.ts"
import { run, which } from "./run.ts"

/** A program of the distribution that the project starts. */
export interface SystemTool {
  /** Any one of these on PATH is enough; the first is named in messages. */
  programs: string[]
  /** A file that must exist besides, for tools that are no program. */
  file?: string
  /** Package of Debian and Ubuntu. */
  package: string
  purpose: string
  /** Only tests use it: without it they are skipped with a reason, and the product works. */
  testsOnly?: boolean
}

export const SYSTEM_TOOLS: SystemTool[] = [
  { programs: ["qemu-system-x86_64"], package: "qemu-system-x86", purpose: "boots the machines of the local cloud" },
  { programs: ["qemu-img"], package: "qemu-utils", purpose: "makes machine disks" },
  { programs: ["mke2fs"], package: "e2fsprogs", purpose: "makes file systems for images" },
  { programs: ["nc.openbsd"], package: "netcat-openbsd", purpose: "connects a machine to its metadata" },
  { programs: ["mmdebstrap"], package: "mmdebstrap", purpose: "builds golden images" },
  { programs: ["pip3"], package: "python3-pip", purpose: "fetches a program of golden images" },
  { programs: ["redis-server"], package: "redis-server", purpose: "keeps logins, tokens and workspaces" },
  { programs: ["nginx"], package: "nginx-light", purpose: "is tested as the door of a machine" },
  {
    programs: ["nginx"],
    file: "/usr/lib/nginx/modules/ngx_stream_module.so",
    package: "libnginx-mod-stream",
    purpose: "tells certificate authorities from visitors at that door",
  },
  {
    programs: ["nft"],
    package: "nftables",
    purpose: "keeps machines with addresses of their own apart in tests",
    testsOnly: true,
  },
  { programs: ["curl"], package: "curl", purpose: "asks machines in tests", testsOnly: true },
  { programs: ["restic"], package: "restic", purpose: "backs homes up in tests", testsOnly: true },
  { programs: ["tmux"], package: "tmux", purpose: "has the terminals of tests", testsOnly: true },
  { programs: ["Xvfb"], package: "xvfb", purpose: "is the screen of desktop tests", testsOnly: true },
  { programs: ["x11vnc"], package: "x11vnc", purpose: "serves that screen in tests", testsOnly: true },
  { programs: ["xclip"], package: "xclip", purpose: "copies and pastes in tests", testsOnly: true },
  { programs: ["xterm"], package: "xterm", purpose: "is typed into in tests", testsOnly: true },
  {
    programs: ["certutil"],
    package: "libnss3-tools",
    purpose: "tells a browser in tests whom to trust",
    testsOnly: true,
  },
  { programs: ["jq"], package: "jq", purpose: "is what scripts of the image use", testsOnly: true },
  { programs: ["unzip"], package: "unzip", purpose: "reads our archives in tests", testsOnly: true },
  { programs: ["ssh-keygen"], package: "openssh-client", purpose: "reads our keys in tests", testsOnly: true },
  {
    programs: ["chromium", "chromium-browser", "google-chrome"],
    package: "chromium",
    purpose: "drives the pages in tests",
    testsOnly: true,
  },
]

/** Looks every tool up; `path` is null where it is missing. */
export async function findSystemTools(): Promise<(SystemTool & { path: string | null })[]> {
  return Promise.all(
    SYSTEM_TOOLS.map(async tool => {
      // Debian keeps some of these in sbin, which is not on every user's PATH.
      const found = await Promise.all(tool.programs.map(async name => (await which(name)) ?? inSbin(name)))
      const whole = tool.file === undefined || existsSync(tool.file)
      return { ...tool, path: whole ? (found.find(path => path !== null) ?? null) : null }
    }),
  )
}

function inSbin(name: string): string | null {
  return ["/usr/sbin", "/sbin"].map(dir => `${dir}/${name}`).find(existsSync) ?? null
}

/**
 * Installs what is missing with apt-get; asks before it uses sudo.
 * @param assumeYes install without asking (`--yes`, or `CI=true`)
 */
export async function ensureSystemPackages(progress: Progress, assumeYes: boolean): Promise<void> {
  const missing = (await findSystemTools()).filter(tool => tool.path === null)
  if (missing.length === 0) return
  const packages = missing.map(tool => tool.package)
  const byHand = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`
  const needed = missing.filter(tool => !tool.testsOnly)
  if (!(await which("apt-get"))) {
    if (needed.length === 0) return
    throw new SetupError(
      `Missing programs: ${needed.map(tool => `${tool.programs[0]} (${tool.purpose})`).join(", ")}; this system has no apt-get, so install them with its own package manager.`,
    )
  }
  const root = process.getuid?.() === 0
  for (const tool of missing) progress.say(`missing: ${tool.package} (${tool.purpose})`)
  if (!root && !assumeYes && !(await mayUseSudo(byHand))) {
    throw new SetupError(`System packages are missing: run \`sudo sh -c '${byHand}'\`, then try again.`)
  }
  await progress.step(`system packages: installing ${packages.join(", ")}`, async detail => {
    await apt(root, ["update"], detail)
    const required = needed.map(tool => tool.package)
    if (required.length > 0) {
      const done = await apt(root, ["install", "-y", "--no-install-recommends", ...required], detail)
      if (done.code !== 0)
        throw new SetupError(`apt-get could not install ${required.join(", ")}: ${lastLine(done.stderr)}`)
    }
    for (const tool of missing.filter(one => one.testsOnly)) {
      const done = await apt(root, ["install", "-y", "--no-install-recommends", tool.package], detail)
      if (done.code !== 0) progress.say(`${tool.package} could not be installed: tests that need it will be skipped`)
    }
  })
}

async function mayUseSudo(command: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Set-up wants to run with sudo:\n  ${command}\nGo ahead? [y/N] `)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

function apt(root: boolean, args: string[], detail: (line: string) => void) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const command = root ? ["apt-get", ...args] : ["sudo", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args]
  return run(command[0] ?? "", command.slice(1), { env, onLine: detail })
}

const lastLine = (text: string) => text.trim().split("\n").at(-1) ?? ""
