import { ImageError } from "./errors.ts"
import { run } from "./run.ts"

/** Where a distribution's packages come from: what this computer itself uses. */
export interface Archive {
  distribution: "debian" | "ubuntu"
  suite: string
  /** Lines for sources.list. */
  sources: string[]
  /** apt's own settings for reaching it: proxies, and how strictly dates are taken. */
  options: string[]
}

const wanted = [
  { distribution: "ubuntu", origin: "Ubuntu", suite: "noble" },
  { distribution: "debian", origin: "Debian", suite: "bookworm" },
] as const

/** Finds the archive of Ubuntu 24.04, or else of Debian 12, in the apt configuration of this computer. */
export async function findArchive(): Promise<Archive> {
  const format = "$(ORIGIN) $(CODENAME) $(REPO_URI) $(RELEASE) $(COMPONENT)"
  const targets = await run(["apt-get", "indextargets", "--format", format, "Created-By: Packages"])
  const archive = archiveOf(targets, await run(["apt-config", "dump"]))
  if (archive !== null) return archive
  throw new ImageError(
    "no-archive",
    'apt knows no archive of Ubuntu 24.04 or Debian 12 here; run "apt-get update", or build on one of the two.',
  )
}

/** The archive that a list of apt's index targets and a dump of its configuration tell of; null for none. Pure. */
export function archiveOf(targets: string, configuration: string): Archive | null {
  const rows = targets.split("\n").map(line => line.split(" "))
  for (const { distribution, origin, suite } of wanted) {
    const lines = new Map<string, string[]>()
    for (const [from, codename = "", uri = "", release = "", component = ""] of rows) {
      if (from !== origin || !(codename === suite || codename.startsWith(`${suite}-`))) continue
      const key = `deb ${uri} ${release}`
      lines.set(key, [...new Set([...(lines.get(key) ?? []), component])])
    }
    if (lines.size === 0) continue
    const sources = [...lines].map(([line, components]) => `${line} ${components.join(" ")}`)
    const options = configuration.split("\n").filter(line => /^Acquire::(https?::Proxy|Check-)/i.test(line))
    return { distribution, suite, sources, options }
  }
  return null
}
