import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface ModelApis {
  url: string
  /** Bodies of what was asked, the newest last: by which API, and the newest text of a person in it. */
  asked: { api: "anthropic" | "openai" | "gemini"; text: string }[]
  /** While true, answers to what begins with "think" are held back. */
  hold(yes: boolean): void
  close(): Promise<void>
}

/**
 * The three model APIs that coding agents call, as far as their programs ask: streamed answers and one tool call. What
 * a person wrote decides: "run COMMAND" is answered by a call of the shell, anything else by "I have read: TEXT".
 */
export async function startModelApis(port = 0): Promise<ModelApis> {
  let held: (() => void)[] = []
  let holding = false
  const asked: ModelApis["asked"] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://model").pathname
    let body = ""
    for await (const part of request.setEncoding("utf8")) body += part
    if (request.method !== "POST") return json(response, { data: [], models: [] })
    const given = JSON.parse(body || "{}") as Record<string, unknown>
    const api = path.endsWith("/messages") ? "anthropic" : path.endsWith("/responses") ? "openai" : "gemini"
    if (api === "gemini" && !/:(streamGenerateContent|generateContent)$/.test(path)) return json(response, {})
    const { text, isResult } = newest[api](given)
    if (process.env.VERBOSE) console.log(api, path, JSON.stringify(text).slice(0, 300), isResult)
    asked.push({ api, text })
    if (holding && text.startsWith("think")) await new Promise<void>(resolve => held.push(resolve))
    const command = isResult ? undefined : /^run (.+)$/m.exec(text)?.[1]
    const words = isResult ? "The command has run." : `I have read: ${text.trim().slice(0, 200)}`
    const streams = given.stream === true || path.endsWith(":streamGenerateContent")
    // Which model shall answer is such a question too.
    if (!streams)
      return json(response, whole[api](/"responseMimeType":"application\/json"/.test(body) ? CHOICE : words))
    response.writeHead(200, { "content-type": "text/event-stream" })
    for (const event of streamed[api](words, command, given)) {
      response.write(`${event.type ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`)
    }
    response.end()
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.destroy(error as Error))
  })
  await new Promise<void>(resolve => server.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    hold: yes => {
      holding = yes
      if (yes) return
      for (const go of held) go()
      held = []
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const CHOICE = JSON.stringify({ reasoning: "It is simple.", model_choice: "flash", complexity_score: 1 })

interface Said {
  text: string
  /** Is it what a tool has answered? */
  isResult: boolean
}
type Part = Record<string, unknown>
const parts = (given: unknown): Part[] => (Array.isArray(given) ? (given as Part[]) : [])
const textOf = (found: Part | undefined) => (typeof found?.text === "string" ? found.text : "")
/** Programs put reminders of their own beside what a person wrote. */
const isTheirs = (text: string) => /^\s*<[a-z_-]+>/i.test(text) || /^# AGENTS|^This is the Gemini CLI/.test(text)
const written = (all: Part[]) => textOf(all.findLast(one => textOf(one) !== "" && !isTheirs(textOf(one))))

const newest: Record<"anthropic" | "openai" | "gemini", (given: Part) => Said> = {
  anthropic: given => {
    const last = parts(given.messages).findLast(one => one.role === "user")
    if (typeof last?.content === "string") return { text: last.content, isResult: false }
    const all = parts(last?.content)
    // A person's next words may stand beside what a tool has answered before.
    const text = written(all)
    return { text, isResult: text === "" && all.some(one => one.type === "tool_result") }
  },
  openai: given => {
    const input = parts(given.input)
    const isResult = /_output$/.test(String(input.at(-1)?.type))
    const people = input.filter(one => one.role === "user").flatMap(one => parts(one.content))
    return { text: written(people), isResult }
  },
  gemini: given => {
    const last = parts(given.contents).findLast(one => one.role === "user")
    const all = parts(last?.parts)
    return { text: written(all), isResult: all.some(one => "functionResponse" in one) }
  },
}

const usage = { input_tokens: 1, output_tokens: 1 }
const message = (words: string) => ({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-stand-in", stop_reason: "end_turn" },
  ...{ content: [{ type: "text", text: words }], stop_sequence: null, usage },
})

const whole = {
  anthropic: message,
  openai: (words: string) => ({ id: "resp_1", output: [outputText(words)] }),
  gemini: (words: string) => geminiAnswer([{ text: words }]),
}

const outputText = (text: string) => ({
  ...{ type: "message", role: "assistant", id: "item_1", status: "completed" },
  content: [{ type: "output_text", text, annotations: [] }],
})
const geminiAnswer = (found: object[]) => ({
  candidates: [{ content: { role: "model", parts: found }, finishReason: "STOP", index: 0 }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  modelVersion: "gemini-stand-in",
})

/** The tool by which a program has its shell run something, out of those it offers. */
function shellOf(given: Part): { name: string; properties: Part } {
  const offered = parts(given.tools).find(one => /shell|exec_command|bash/i.test(String(one.name)))
  const schema = (offered?.parameters ?? offered?.input_schema ?? {}) as Part
  return { name: String(offered?.name ?? "shell"), properties: (schema.properties ?? {}) as Part }
}

type Event = Record<string, unknown> & { type?: string }
const streamed: Record<
  "anthropic" | "openai" | "gemini",
  (words: string, command: string | undefined, given: Part) => Event[]
> = {
  anthropic: (words, command) => {
    const block = command
      ? { type: "tool_use", id: `toolu_${Date.now()}`, name: "Bash", input: {} }
      : { type: "text", text: "" }
    const delta = command
      ? { type: "input_json_delta", partial_json: JSON.stringify({ command, description: "Runs it" }) }
      : { type: "text_delta", text: words }
    return [
      { type: "message_start", message: { ...message(""), content: [], stop_reason: null } },
      { type: "content_block_start", index: 0, content_block: block },
      { type: "content_block_delta", index: 0, delta },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: command ? "tool_use" : "end_turn", stop_sequence: null }, usage },
      { type: "message_stop" },
    ]
  },
  openai: (words, command, given) => {
    const { name, properties } = shellOf(given)
    const input = {
      ...("cmd" in properties ? { cmd: command } : { command: ["bash", "-c", command] }),
      // This program asks its person where the model says that it must.
      ...{ sandbox_permissions: "require_escalated", justification: "May it run?" },
    }
    const call = { type: "function_call", call_id: `call_${Date.now()}`, name, arguments: JSON.stringify(input) }
    const item = command ? call : outputText(words)
    return [
      { type: "response.created", response: { id: "resp_1" } },
      { type: "response.output_item.done", output_index: 0, item },
      {
        type: "response.completed",
        response: { id: "resp_1", output: [item], usage: { ...usage, total_tokens: 2 } },
      },
    ]
  },
  gemini: (words, command) => [
    geminiAnswer([
      command
        ? { functionCall: { name: "run_shell_command", args: { command, description: "Runs it" } } }
        : { text: words },
    ]),
  ],
}
