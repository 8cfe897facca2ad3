import type { Command } from "commander"
import { pluginVersion, pulumiVersion, readEngineRecord } from "../../tools/setup/engine.ts"
import { cacheDirectory, dataDirectory } from "../../tools/setup/paths.ts"
import { run } from "../../tools/setup/run.ts"
import { findSystemTools } from "../../tools/setup/system-packages.ts"
import { readLocalCloud } from "../local-cloud-process.ts"
import { printTable } from "../print-table.ts"
import { projectFindings } from "../project-findings.ts"
import { checkRedis } from "../service-check.ts"

interface Finding {
  part: string
  state: "ok" | "missing" | "optional" | "wrong"
  version: string
  from: string
}

/** `foozol-cloud doctor`: what is there, from where, in which version. Exits 1 when something needed is missing. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("show what this machine has of what the product needs, from where and in which version")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = [
        ...(await engineFindings()),
        ...(await toolFindings()),
        localCloudFinding(),
        ...(await redisFindings(process.env.FOOZOL_REDIS_URL)),
        ...(await projectFindings()),
      ]
      if (json) console.log(JSON.stringify(findings, null, 2))
      else {
        printTable(
          ["part", "state", "version", "from"],
          findings.map(one => [one.part, one.state, one.version, one.from]),
        )
        console.log(`\ncache  ${cacheDirectory()}\ndata   ${dataDirectory()}`)
      }
      if (findings.some(one => one.state === "missing")) {
        console.error("\nSomething is missing: `npm run setup` installs it.")
        process.exitCode = 1
      }
      if (findings.some(one => one.state === "wrong")) process.exitCode = 1
    })
}

async function engineFindings(): Promise<Finding[]> {
  const engine = readEngineRecord()
  const node: Finding = { part: "node", state: "ok", version: process.versions.node, from: process.execPath }
  const missing = (part: string): Finding => ({ part, state: "missing", version: "", from: "" })
  if (!engine) return [node, missing("pulumi"), missing("hcloud plugin")]
  const [cli, plugin] = await Promise.all([pulumiVersion(engine.pulumi.path), pluginVersion(engine.hcloudPlugin.path)])
  return [
    node,
    {
      part: "pulumi",
      state: cli ? "ok" : "missing",
      version: cli ?? "",
      from: `${engine.pulumi.source}: ${engine.pulumi.path}`,
    },
    {
      part: "hcloud plugin",
      state: plugin ? "ok" : "missing",
      version: plugin ?? "",
      from: `${engine.hcloudPlugin.source}: ${engine.hcloudPlugin.path}`,
    },
  ]
}

async function toolFindings(): Promise<Finding[]> {
  return Promise.all(
    (await findSystemTools()).map(async tool => {
      const part = tool.programs[0] ?? tool.package
      if (!tool.path)
        return {
          part,
          state: tool.testsOnly ? "optional" : "missing",
          version: "",
          from: `package ${tool.package} ${tool.purpose}`,
        } as const
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a format of dpkg-query
      const asked = await run("dpkg-query", ["-W", "-f=${Version}", tool.package])
      return { part, state: "ok", version: asked.code === 0 ? asked.stdout : "", from: tool.path } as const
    }),
  )
}

/** Of the service's Redis, where this shell names one. */
async function redisFindings(url: string | undefined): Promise<Finding[]> {
  if (!url) return []
  const found = await checkRedis(url).catch((error: Error) => [{ state: "wrong" as const, says: error.message }])
  return found.map(({ state, says }) => ({
    part: "redis",
    state: state === "unknown" ? "optional" : state,
    version: "",
    from: says,
  }))
}

function localCloudFinding(): Finding {
  const running = readLocalCloud()
  return {
    part: "local cloud",
    state: "optional",
    version: running ? "running" : "not running",
    from: running?.apiUrl ?? "npx foozol-cloud local up",
  }
}
