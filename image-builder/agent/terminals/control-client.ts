import { spawn } from "node:child_process"
import { type ControlSink, createControlReader } from "./control-lines.ts"

export interface ControlClient {
  /**
   * Gives commands, in one line.
   * @param done gets the lines of each of their `count` answers, null for one that failed. Called before anything that
   *   tmux wrote after the last answer is looked at, or when tmux has let go
   */
  ask(line: string, count: number, done: (answers: (string[] | null)[]) => void): void
  /** Gives a command whose answer nobody needs. */
  tell(line: string): void
  close(): void
}

/** Seconds tmux may be behind with a pane before it leaves out its output and says `pause`: it would keep all of it. */
const PAUSE_AFTER = 2

/**
 * Attaches to a session in tmux's control mode, which needs no terminal: output of panes, answers and news come as
 * lines through a pipe. `-N`: without a server there is nothing to attach to; one of ours would be another user's.
 * @param events.ended once, when tmux has let go or could not be started
 */
export function attachControl(
  target: { socket: string; session: string },
  events: Omit<ControlSink, "reply"> & { ended(): void },
): ControlClient {
  const waiting: ((lines: string[] | null) => void)[] = []
  let over = false
  const args = ["-N", "-u", "-S", target.socket, "-C", "attach-session", "-t", target.session]
  const child = spawn("tmux", [...args, "-f", `pause-after=${PAUSE_AFTER}`], { stdio: ["pipe", "pipe", "ignore"] })

  function end(): void {
    if (over) return
    over = true
    for (const answer of waiting.splice(0)) answer(null)
    child.stdout.removeAllListeners("data")
    child.stdout.resume()
    child.kill("SIGKILL")
    events.ended()
  }

  const read = createControlReader({
    ...events,
    reply: (lines, isGood) => waiting.shift()?.(isGood ? lines : null),
    notice: (name, rest) => (name === "exit" ? end() : events.notice(name, rest)),
  })
  child.stdout.on("data", chunk => {
    try {
      read(chunk)
    } catch {
      end()
    }
  })
  // Whoever writes to one that has just ended hears of it by `exit`.
  for (const stream of [child.stdin, child.stdout]) stream.on("error", () => {})
  child.on("error", end)
  child.on("exit", end)

  return {
    ask: (line, count, done) => {
      if (over) return done(Array.from({ length: count }, () => null))
      const answers: (string[] | null)[] = []
      for (let at = 0; at < count; at++) {
        waiting.push(lines => {
          answers.push(lines)
          if (answers.length === count) done(answers)
        })
      }
      child.stdin.write(`${line}\n`)
    },
    tell: line => {
      if (over) return
      waiting.push(() => {})
      child.stdin.write(`${line}\n`)
    },
    close: end,
  }
}
