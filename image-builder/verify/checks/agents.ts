import type { Word } from "../../agent/conversations/protocol.ts"
import { type Check, expect } from "../check.ts"
import { openStream } from "../stream.ts"
import { terminalShown } from "./screen.ts"

/** The page of agents: what is installed is offered there, and nobody comes to it without a token. */
export const webAgents: Check = {
  name: "agents: their page opens, knows the programs that are installed, and is closed to strangers",
  level: "quick",
  needs: [terminalShown.name],
  async run(run) {
    const page = await run.ask("/agents", { token: run.token })
    expect(page.status === 200 && page.body.includes('id="said"'), `/agents was answered with ${page.status}`)
    const stranger = await run.ask("/agents")
    expect(stranger.status === 401, `a stranger was answered with ${stranger.status}`)
    const words: Word[] = []
    const { socket, failure } = await openStream(run, "/agents/stream", data => words.push(JSON.parse(data.toString())))
    try {
      const { tools } = await run.until("the list of conversations", () => {
        expect(failure() === null, `The stream of the agents: ${failure()}`)
        return words.find(word => word.is === "list")
      })
      expect(tools.join() === "claude,codex,gemini", `the page offers ${tools.join() || "nothing"}`)
      return tools.join(", ")
    } finally {
      socket.terminate()
    }
  },
}
