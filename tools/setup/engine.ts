import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { SetupError } from "./errors.ts"
import { enginePaths, PROJECT_ROOT } from "./paths.ts"
import { GO_MINIMUM, HCLOUD_PLUGIN_VERSION, PULUMI_VERSION } from "./pins.ts"
import type { Progress } from "./progress.ts"
import { run, which } from "./run.ts"

/** Where a part of the engine came from. */
export type EngineSource = "PATH" | "download" | "Go build"

/** What set-up found or made, as kept in the cache. */
export interface EngineRecord {
  pulumi: { path: string; version: string; source: EngineSource }
  hcloudPlugin: { path: string; version: string; source: EngineSource }
  /** `PULUMI_HOME` for every engine run. */
  home: string
}

const SOURCES = join(PROJECT_ROOT, "tools", "engine")

/** The engine as set up before, or null; checks that the files are still there. Takes no process. */
export function readEngineRecord(): EngineRecord | null {
  const { record } = enginePaths()
  if (!existsSync(record)) return null
  const engine = JSON.parse(readFileSync(record, "utf8")) as EngineRecord
  return existsSync(engine.pulumi.path) && existsSync(engine.hcloudPlugin.path) ? engine : null
}

/**
 * Obtains the Pulumi CLI and the hcloud plugin: a good CLI on PATH, else the official downloads, else built from
 * their Go modules. Nothing is kept that did not answer with the pinned version.
 * @throws SetupError naming what is missing and the ways to get it
 */
export async function ensureEngine(progress: Progress): Promise<EngineRecord> {
  const known = readEngineRecord()
  if (known) return known
  const paths = enginePaths()
  mkdirSync(join(paths.directory, "bin"), { recursive: true })
  mkdirSync(paths.home, { recursive: true, mode: 0o700 })
  const pulumi = (await pulumiOnPath()) ?? (await downloadPulumi(progress)) ?? (await buildPulumi(progress))
  const hcloudPlugin = (await downloadPlugin(progress, pulumi.path)) ?? (await buildPlugin(progress))
  const engine: EngineRecord = { pulumi, hcloudPlugin, home: paths.home }
  const half = `${paths.record}.${process.pid}`
  writeFileSync(half, `${JSON.stringify(engine, null, 2)}\n`)
  renameSync(half, paths.record)
  return engine
}

/** The version a CLI reports, without the `v`; null when it does not run. */
export async function pulumiVersion(path: string): Promise<string | null> {
  const answer = await run(path, ["version"], { env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" } })
  return /^v?(\d+\.\d+\.\d+)/.exec(answer.stdout.trim())?.[1] ?? null
}

async function pulumiOnPath(): Promise<EngineRecord["pulumi"] | null> {
  const path = await which("pulumi")
  if (!path || path.startsWith(join(PROJECT_ROOT, "node_modules"))) return null
  const version = await pulumiVersion(path)
  // The engine stays compatible with older SDKs of its major version, not with newer ones.
  return version && atLeast(version, PULUMI_VERSION) && sameMajor(version, PULUMI_VERSION)
    ? { path, version, source: "PATH" }
    : null
}

async function downloadPulumi(progress: Progress): Promise<EngineRecord["pulumi"] | null> {
  return progress.step(`Pulumi CLI ${PULUMI_VERSION}: official download`, async () => {
    const paths = enginePaths()
    try {
      const [{ PulumiCommand }, { SemVer }] = await Promise.all([
        import("@pulumi/pulumi/automation/index.js"),
        import("semver"),
      ])
      await PulumiCommand.install({ root: paths.directory, version: new SemVer(PULUMI_VERSION) })
    } catch {
      progress.say("  not reachable")
      return null
    }
    return (await pulumiVersion(paths.pulumi)) === PULUMI_VERSION
      ? { path: paths.pulumi, version: PULUMI_VERSION, source: "download" as const }
      : null
  })
}

async function downloadPlugin(progress: Progress, pulumi: string): Promise<EngineRecord["hcloudPlugin"] | null> {
  const paths = enginePaths()
  return progress.step(`hcloud plugin ${HCLOUD_PLUGIN_VERSION}: official download`, async () => {
    const env = { ...process.env, PULUMI_HOME: paths.home, PULUMI_SKIP_UPDATE_CHECK: "true" }
    const done = await run(pulumi, ["plugin", "install", "resource", "hcloud", `v${HCLOUD_PLUGIN_VERSION}`], { env })
    if (done.code === 0 && (await pluginVersion(paths.hcloudPlugin)) === HCLOUD_PLUGIN_VERSION) {
      return { path: paths.hcloudPlugin, version: HCLOUD_PLUGIN_VERSION, source: "download" as const }
    }
    progress.say("  not reachable")
    rmSync(dirname(paths.hcloudPlugin), { recursive: true, force: true })
    rmSync(`${dirname(paths.hcloudPlugin)}.partial`, { force: true })
    rmSync(`${dirname(paths.hcloudPlugin)}.lock`, { force: true })
    return null
  })
}

/** The version a built or downloaded hcloud plugin reports, without the `v`; null when it does not run. */
export async function pluginVersion(path: string): Promise<string | null> {
  if (!existsSync(path)) return null
  const answer = await run(path, ["-version"])
  return /(\d+\.\d+\.\d+)/.exec(answer.stdout)?.[1] ?? null
}

async function buildPulumi(progress: Progress): Promise<EngineRecord["pulumi"]> {
  await requireGo(`the Pulumi CLI ${PULUMI_VERSION}`)
  const paths = enginePaths()
  await progress.step(`Pulumi CLI ${PULUMI_VERSION}: building from its Go module (3–6 minutes)`, async detail => {
    const variable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
    await goBuild(join(SOURCES, "pulumi"), paths.pulumi, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", detail, [
      `-X ${variable}=v${PULUMI_VERSION}`,
    ])
  })
  const version = await pulumiVersion(paths.pulumi)
  if (version !== PULUMI_VERSION)
    throw new SetupError(`The built Pulumi CLI reports version ${version}, not ${PULUMI_VERSION}.`)
  return { path: paths.pulumi, version, source: "Go build" }
}

async function buildPlugin(progress: Progress): Promise<EngineRecord["hcloudPlugin"]> {
  await requireGo(`the hcloud plugin ${HCLOUD_PLUGIN_VERSION}`)
  const paths = enginePaths()
  // The generated files belong beside the sources, so the build has a copy of its own.
  const work = join(paths.directory, "hcloud-sources")
  rmSync(work, { recursive: true, force: true })
  cpSync(join(SOURCES, "hcloud"), work, { recursive: true })
  await progress.step(
    `hcloud plugin ${HCLOUD_PLUGIN_VERSION}: building from its Go modules (2–4 minutes)`,
    async detail => {
      const version = [`-X foozol.cloud/tools/engine/hcloud/provider.Version=${HCLOUD_PLUGIN_VERSION}`]
      const generator = join(work, "schemagen.bin")
      for (const name of ["schema.json", "bridge-metadata.json"]) writeFileSync(join(work, name), "{}")
      await goBuild(work, generator, "./schemagen", detail, version)
      const out = join(work, "generated")
      const schema = await run(generator, ["schema", "--skip-docs", "--skip-examples", "--out", out], { cwd: work })
      if (schema.code !== 0)
        throw new SetupError(`The hcloud plugin's schema could not be made: ${schema.stderr.slice(-400)}`)
      for (const name of ["schema.json", "bridge-metadata.json"]) copyFileSync(join(out, name), join(work, name))
      await goBuild(work, paths.hcloudPlugin, ".", detail, version)
    },
  )
  rmSync(work, { recursive: true, force: true })
  const version = await pluginVersion(paths.hcloudPlugin)
  if (version !== HCLOUD_PLUGIN_VERSION) {
    throw new SetupError(`The built hcloud plugin reports version ${version}, not ${HCLOUD_PLUGIN_VERSION}.`)
  }
  return { path: paths.hcloudPlugin, version, source: "Go build" }
}

/** Builds a program of a Go module whose `go.mod` lies in `cwd`. @throws SetupError */
export async function goBuild(
  cwd: string,
  out: string,
  target: string,
  detail: (line: string) => void,
  link: string[],
) {
  mkdirSync(dirname(out), { recursive: true })
  const half = `${out}.half`
  // -v names each package as it is compiled: the only sign of progress the Go tool gives.
  const args = [
    "build",
    "-v",
    "-mod=readonly",
    "-trimpath",
    "-ldflags",
    ["-s -w", ...link].join(" "),
    "-o",
    half,
    target,
  ]
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" }
  const built = await run("go", args, { cwd, env, onLine: detail })
  if (built.code !== 0) {
    const why = built.stderr.trim().split("\n").slice(-3).join(" ")
    throw new SetupError(`${basename(out)} could not be built from its Go modules: ${why}`)
  }
  renameSync(half, out)
}

/** The version of Go here; null where there is none. */
export async function goVersion(): Promise<string | null> {
  return /go(\d+\.\d+(?:\.\d+)?)/.exec((await run("go", ["env", "GOVERSION"])).stdout)?.[1] ?? null
}

/** Is there a Go that builds what set-up builds? */
export async function hasGo(): Promise<boolean> {
  const found = await goVersion()
  return found !== null && atLeast(found, GO_MINIMUM)
}

async function requireGo(what: string): Promise<void> {
  const found = await goVersion()
  if (found && atLeast(found, GO_MINIMUM)) return
  throw new SetupError(
    `${what[0]?.toUpperCase()}${what.slice(1)} is missing: its official download is not reachable, and building it needs Go ${GO_MINIMUM} or newer ` +
      `(${found ? `here is ${found}` : "none is installed"}). Install Go, or install Pulumi ${PULUMI_VERSION} with that plugin yourself, and run this again.`,
  )
}

const parts = (version: string) => version.split(".").map(Number)
const sameMajor = (a: string, b: string) => parts(a)[0] === parts(b)[0]

function atLeast(version: string, minimum: string): boolean {
  const [a, b] = [parts(version), parts(minimum)]
  for (let i = 0; i < 3; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0)
  return true
}
