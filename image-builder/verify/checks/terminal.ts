import { HEADER, KIND, message, say, type Word } from "../../agent/terminals/protocol.ts"
import { type Check, expect } from "../check.ts"
import type { Run } from "../run.ts"
import { openStream } from "../stream.ts"
import { terminalShown } from "./screen.ts"

/** Opens the stream as the terminal page does, with what was said on it so far. */
async function openTerminals(run: Run) {
  const words: Word[] = []
  let output = ""
  let ending = false
  const { socket, failure } = await openStream(run, "/terminal/stream", data => {
    if (data[0] === KIND.json) words.push(JSON.parse(data.subarray(HEADER).toString()))
    else output += data.subarray(HEADER).toString()
  })
  const seen = <T>(what: string, question: () => T | undefined | false) =>
    run.until(what, () => {
      expect(failure() === null, `The stream of the terminals: ${failure()}`)
      const lost = words.find(word => word.is === "refused" || (word.is === "ended" && !ending))
      expect(lost === undefined, `instead of ${what} came: ${JSON.stringify(lost)}`)
      return question()
    })
  const end = (id: string) => {
    ending = true
    socket.send(say({ do: "end", id }))
  }
  return { socket, words, seen, end, output: () => output }
}

/** The page, and a terminal of its own from beginning to end: what is typed into it has its effect in tmux. */
export const webTerminal: Check = {
  name: "terminal: one is opened, typed into and closed in the browser's way",
  level: "quick",
  needs: [terminalShown.name],
  async run(run) {
    const page = await run.ask("/terminal", { token: run.token })
    expect(page.status === 200 && page.body.includes("xterm.js"), `/terminal was answered with ${page.status}`)
    const { socket, words, seen, end, output } = await openTerminals(run)
    try {
      await seen("the list of terminals", () => words.some(word => word.is === "terminals" && word.all.length > 0))
      socket.send(say({ do: "create", name: "Checked" }))
      const created = await seen("a new terminal", () => words.find(word => word.is === "created"))
      socket.send(say({ do: "watch", channel: 1, id: created.id }))
      socket.send(message(KIND.bytes, 1, Buffer.from("echo $USER-$((6*7))-${TMUX:+tmux}\r")))
      await seen("the answer to what was typed", () => output().includes("user-42-tmux"))
      end(created.id)
      await seen("the end of that terminal", () => words.some(word => word.is === "ended"))
      return `${created.id} in tmux`
    } finally {
      socket.terminate()
    }
  },
}
