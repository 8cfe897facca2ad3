import type { Run } from "../run.ts"
import { asArguments, asLine, type Commands, listCommand } from "./commands.ts"
import type { ControlClient } from "./control-client.ts"
import { type Pane, parseList } from "./list.ts"

/** How tmux says that none runs. */
const NO_SERVER = /^(no server running on|error connecting to) /

export interface Tmux {
  /** Has commands carried out. @returns what they said; null unless all went well */
  ask(commands: Commands): Promise<string[] | null>
  /** All panes there are, none without a server; null when tmux has not said: it is too busy, or has just let go. */
  panes(): Promise<Pane[] | null>
}

/** What is asked of tmux goes by a client that is attached already, else by a process of its own. */
export function createTmux(options: { socket: string; run: Run; client(): ControlClient | undefined }): Tmux {
  const { socket, run } = options

  async function byClient(client: ControlClient, commands: Commands): Promise<string[] | null> {
    const answers = await new Promise<(string[] | null)[]>(done => client.ask(asLine(commands), commands.length, done))
    return answers.includes(null) ? null : answers.flatMap(lines => lines ?? [])
  }
  const byProcess = (commands: Commands) => run("tmux", ["-N", "-u", "-S", socket, ...asArguments(commands)])
  const linesOf = (stdout: string) => stdout.replace(/\n$/, "").split("\n")

  return {
    ask: async commands => {
      const client = options.client()
      if (client) return await byClient(client, commands)
      const { code, stdout } = await byProcess(commands)
      return code === 0 ? linesOf(stdout) : null
    },
    panes: async () => {
      const client = options.client()
      const told = client ? await byClient(client, listCommand) : null
      if (told) return parseList(told)
      const { code, stdout, stderr } = await byProcess(listCommand)
      if (code === 0) return parseList(linesOf(stdout))
      return NO_SERVER.test(stderr) ? [] : null
    },
  }
}
