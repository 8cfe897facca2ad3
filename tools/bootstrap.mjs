// Runs a TypeScript program of this project on a fresh checkout: installs the npm packages when the lock file says
// so, then starts the program with the Node of `node_modules`, whatever Node the system has (20 or newer).
// Plain JavaScript without dependencies, because it runs before either exists.
//
//   node tools/bootstrap.mjs PROGRAM [ARGUMENT…]
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, "node_modules")
const node = join(modules, ".bin", "node")
const stamp = join(modules, ".foozol-installed")

if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node ${process.versions.node} is too old: install Node 20 or newer, then run the command again.`)
}

const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex")
if (!existsSync(node) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  process.stderr.write("npm packages: installing (about a minute the first time)\n")
  // npm tells its own path to the scripts it runs; outside of npm it is found on PATH.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"]
  const [command, ...first] = npm
  const installed = spawnSync(command, [...first, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  })
  if (installed.error) fail(`npm could not be started (${installed.error.message}): install npm, then try again.`)
  if (installed.status !== 0) fail("npm ci failed: its message is above; is the package registry reachable?")
  writeFileSync(stamp, wanted)
}

const [program, ...rest] = process.argv.slice(2)
if (program) {
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", join(root, program), ...rest], {
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(modules, ".bin")}:${process.env.PATH}` },
  })
  // Ctrl-C reaches the whole foreground group; the child decides when it is done.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => signal !== "SIGINT" && child.kill(signal))
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
