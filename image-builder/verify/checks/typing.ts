import { randomBytes } from "node:crypto"
import { type Check, expect } from "../check.ts"
import { centre } from "../rfb/frame.ts"
import { KEYS } from "../rfb/keys.ts"
import type { Run } from "../run.ts"
import { clickUntilSeen } from "./focus.ts"
import { terminalOf, terminalShown, viewerOf } from "./screen.ts"

/**
 * Clicks into the terminal and types one line, as a person would. Everything that is asked of the machine from inside
 * comes by what this line starts. Returns what the line's program said about who runs it, and the file it has made.
 */
export async function typeInTerminal(run: Run): Promise<{ greeting: string; file: string }> {
  const terminal = await terminalOf(run)
  const viewer = await viewerOf(run)
  const file = `typed-${randomBytes(3).toString("hex")}`
  const session = run.inside.open()
  await clickUntilSeen(run, "the terminal's focus", centre(terminal), terminal, "x")
  // Clears the line, whatever got into it.
  await viewer.chord(KEYS.control, "u".charCodeAt(0))
  await viewer.type(`touch ~/${file};curl -s ${run.machine.hostFromInside}:${run.inside.port}/${session.path}|bash\n`)
  let greeting: string | null = null
  session.greeting.then(text => {
    greeting = text
  })
  return { file, greeting: await run.until("the effect of the line typed into the terminal", () => greeting) }
}

/** Whatever looks at the machine from inside needs this one. */
export const typed: Check = {
  name: "typing: a line typed into the terminal has its effect",
  level: "quick",
  needs: [terminalShown.name],
  async run(run) {
    const { file, greeting } = await typeInTerminal(run)
    const [name, id, tty = "", tmux = "", folder, root] = greeting.split("\n")
    expect(name === "user" && id === "1000", `The terminal is that of ${name} (${id})`)
    expect(tty.startsWith("pts/"), `The terminal's device is "${tty}"`)
    expect(tmux.length > "tmux=".length, "The terminal is not inside tmux")
    expect(folder === "/home/user", `The terminal begins in ${folder}`)
    expect(root === "0", `sudo -n said "${root}"`)
    const { output } = await run.inside.run(`stat -c %U /home/user/${file}`, { limit: run.patience })
    expect(output.trim() === "user", `The file that the line makes: ${output.trim()}`)
    return `${name} in tmux, sudo, ~/${file}`
  },
}
