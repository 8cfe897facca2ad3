import { COMMAND_LINES } from "../../definition.ts"
import { type Check, expect } from "../check.ts"
import { typed } from "./typing.ts"

/** What packages call their programs, where it is not the package's name. */
const PROGRAM_OF: Record<string, string> = {
  "@openai/codex": "codex",
  "@anthropic-ai/claude-code": "claude",
  "@google/gemini-cli": "gemini",
  "@devcontainers/cli": "devcontainer",
}

const PROGRAMS = [
  "node",
  "npm",
  "pnpm",
  "git",
  "gh",
  "tmux",
  "curl",
  "codex",
  "claude",
  "gemini",
  "devcontainer",
  "podman",
  "podman-compose",
  "pip3",
]
const needs = [typed.name]
const AGENT_MB = 80
const JOURNAL_MB = 256

/**
 * Every program's answer as `name code first line`, as the user who has just logged in gets it. They start side by
 * side: each waits long for its own files.
 */
const askVersions = (seconds: number) => `
ask() { said=$(timeout ${seconds} "$@" 2>&1 < /dev/null); echo "$1 $? $(printf '%s' "$said" | head -n 1)"; }
${PROGRAMS.map(name => `ask ${name} ${name === "tmux" ? "-V" : "--version"} &`).join("\n")}
wait`

export const commandLines: Check = {
  name: "contents: every command line answers",
  level: "quick",
  needs,
  async run(run) {
    const { output } = await run.inside.run(askVersions(2 * Math.round(run.patience / 1000)), {
      as: "user",
      limit: 3 * run.patience,
    })
    const versions = new Map(
      output
        .trim()
        .split("\n")
        .map(line => {
          const [name = "", code = "", ...words] = line.split(" ")
          return [name, { code, words: words.join(" ") }]
        }),
    )
    for (const name of PROGRAMS) {
      const said = versions.get(name)
      expect(
        said?.code === "0" && /\d+\.\d+/.test(said.words),
        `${name} ended with ${said?.code ?? "nothing"}: ${said?.words || "no words"}`,
      )
    }
    for (const pinned of COMMAND_LINES) {
      const [, scope = "", version = ""] = /^(.+)@([^@]+)$/.exec(pinned) ?? []
      const name = PROGRAM_OF[scope] ?? scope
      const words = versions.get(name)?.words ?? ""
      expect(words.includes(version), `${name} says "${words}", and ${version} is what the image is made with`)
    }
    const node = versions.get("node")?.words ?? ""
    expect(Number(/v(\d+)/.exec(node)?.[1]) >= 20, `Node is ${node}`)
    return PROGRAMS.map(name => `${name} ${/\d+\.\d[\w.-]*/.exec(versions.get(name)?.words ?? "")?.[0]}`).join(", ")
  },
}

/** Listening TCP sockets that another computer could reach, out of what `ss -Hltn` prints. Pure. */
export function exposedSockets(listing: string): string[] {
  const local = listing.split("\n").map(line => line.trim().split(/\s+/)[3] ?? "")
  return [...new Set(local)].filter(address => address !== "" && !/^(127\.|\[::1\]|\[::ffff:127\.)/.test(address))
}

export const contents: Check[] = [
  commandLines,
  {
    name: "contents: nothing but port 443 listens beyond the machine itself",
    level: "quick",
    needs,
    async run(run) {
      const { output, code } = await run.inside.run("ss -Hltn; ss -Hlun >&2", { limit: run.patience })
      expect(code === 0, `ss ended with ${code}: ${output}`)
      const exposed = exposedSockets(output)
      const others = exposed.filter(address => !address.endsWith(":443"))
      expect(others.length === 0, `These listen too: ${others.join(", ")}`)
      expect(exposed.length > 0, "Nothing listens at port 443")
      return exposed.join(", ")
    },
  },
  {
    name: "contents: no unit has failed or was started again",
    level: "full",
    needs,
    async run(run) {
      const script = `systemctl --failed --plain --no-legend | cut -d' ' -f1
for unit in $(systemctl list-units --plain --no-legend --type=service --all 'foozol-*' nginx.service | cut -d' ' -f1); do
  times=$(systemctl show -P NRestarts $unit); [ "$times" = 0 ] || echo "$unit was started $times times again"
done`
      const { output } = await run.inside.run(script, { limit: run.patience })
      expect(output.trim() === "", output.trim().split("\n").join(", "))
      return "none"
    },
  },
  {
    name: "contents: the disk has grown to the machine's",
    level: "full",
    needs,
    async run(run) {
      const grown = await run.until("the grown disk", async () => {
        const { output } = await run.inside.run("df --block-size=1 --output=size / | tail -n 1", {
          limit: run.patience,
        })
        return Number(output) > 0.9 * run.machine.diskBytes && Number(output)
      })
      return `${(grown / 1e9).toFixed(1)} GB`
    },
  },
  {
    name: `contents: the agent takes less than ${AGENT_MB} MB`,
    level: "full",
    needs,
    async run(run) {
      const script = "grep VmRSS: /proc/$(systemctl show -P MainPID foozol-agent)/status"
      const { output } = await run.inside.run(script, { limit: run.patience })
      const megabytes = Number(/VmRSS:\s+(\d+) kB/.exec(output)?.[1] ?? Number.NaN) / 1024
      expect(megabytes < AGENT_MB, `The agent takes ${megabytes.toFixed(0)} MB (${output.trim()})`)
      return `${megabytes.toFixed(0)} MB`
    },
  },
  {
    name: "contents: the journal has a limit",
    level: "full",
    needs,
    async run(run) {
      const script = "journalctl --no-pager -o cat -t systemd-journald | grep -o 'max [0-9.]*[MG]'"
      const { output } = await run.inside.run(script, { limit: run.patience })
      const limits = [...output.matchAll(/max ([\d.]+)([MG])/g)].map(
        ([, size, unit]) => Number(size) * (unit === "G" ? 1024 : 1),
      )
      expect(limits.length > 0, "The journal tells of no limit")
      expect(Math.max(...limits) <= JOURNAL_MB, `The journal may take ${Math.max(...limits)} MB`)
      return `${Math.max(...limits)} MB`
    },
  },
  {
    name: "contents: keys are readable by those alone who need them",
    level: "full",
    needs,
    async run(run) {
      const expected = {
        "/etc/foozol/tls/key.pem": "600 root root",
        "/etc/foozol/secrets/workspace-key": "640 root foozol",
        "/etc/nginx/foozol-key.conf": "600 root root",
      }
      const script = `stat -c '%a %U %G %W %n' ${Object.keys(expected).join(" ")}`
      const { output } = await run.inside.run(script, { limit: run.patience })
      for (const [path, rights] of Object.entries(expected)) {
        const line = output.split("\n").find(one => one.endsWith(` ${path}`)) ?? "not there"
        expect(line.startsWith(`${rights} `), `${path}: ${line}, not ${rights}`)
        const bornAt = Number(line.split(" ")[3]) * 1000
        // The machine's clock may differ a little from this computer's.
        expect(bornAt > run.startedAt - 120_000, `${path} is older than the machine: it came with the image`)
      }
      return "all born on this machine"
    },
  },
]
