#!/usr/bin/env node
// A stand-in of Claude Code where files and terminal are concerned: `sessions/PID.json`, `projects/FOLDER/ID.jsonl`,
// prompts that are pasted in brackets and sent off by Enter. "think …" is worked on until the file `go-on` is there,
// "ask …" asks for permission until a 1 is typed; ASKS_FIRST has it ask whether to trust the folder until a y is.
import { randomUUID } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const home = process.env.CLAUDE_CONFIG_DIR ?? join(process.env.HOME, ".claude")
const at = process.argv.indexOf("--resume")
const sessionId = at < 0 ? randomUUID() : process.argv[at + 1]
const cwd = process.cwd()
const transcript = join(home, "projects", cwd.replace(/[^A-Za-z0-9]/g, "-"), `${sessionId}.jsonl`)
const session = join(home, "sessions", `${process.pid}.json`)
const stat = readFileSync("/proc/self/stat", "utf8")
const procStart = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]

function status(now) {
  mkdirSync(join(home, "sessions"), { recursive: true })
  const kind = { kind: "interactive", entrypoint: "cli", version: "2.1.330" }
  writeFileSync(session, JSON.stringify({ pid: process.pid, procStart, sessionId, cwd, ...kind, status: now }))
}
function say(type, content, stop_reason) {
  mkdirSync(join(transcript, ".."), { recursive: true })
  const message = { role: type, content, ...(stop_reason ? { stop_reason } : {}) }
  const entry = { type, message, isSidechain: false, sessionId, cwd, timestamp: new Date().toISOString() }
  appendFileSync(transcript, `${JSON.stringify(entry)}\n`)
}
function answer(text) {
  say("assistant", [{ type: "text", text }], "end_turn")
  process.stdout.write(`\r\n${text}\r\n> `)
  status("idle")
}

let asks = process.env.ASKS_FIRST ? "trust" : null
let [typed, paste, draft] = ["", null, ""]
function take(prompt) {
  say("user", prompt)
  if (prompt.startsWith("ask")) {
    say("assistant", [{ type: "tool_use", id: "t1", name: "Bash", input: { command: "true" } }], "tool_use")
    asks = "permission"
    return status("waiting")
  }
  status("busy")
  if (!prompt.startsWith("think")) return answer(`I have read: ${prompt}`)
  const timer = setInterval(() => {
    if (!existsSync(join(home, "go-on"))) return
    clearInterval(timer)
    answer(`I have thought about: ${prompt}`)
  }, 50)
}
function key(sign) {
  if (sign === "\x03") return end()
  if (asks !== null) {
    // Enter takes what is marked, and that is no.
    if (sign === "\r") return end()
    if (sign !== (asks === "trust" ? "y" : "1")) return
    const was = asks
    asks = null
    return was === "trust" ? status("idle") : answer("It has run.")
  }
  if (sign !== "\r") draft += sign
  else if (draft !== "") {
    const prompt = draft
    draft = ""
    take(prompt)
  }
}
function end() {
  rmSync(session, { force: true })
  process.stdout.write("\x1b[?2004l\r\n")
  process.exit(0)
}
process.stdin.setRawMode(true)
process.stdin.setEncoding("utf8").on("data", text => {
  typed += text
  for (;;) {
    if (paste !== null) {
      const close = typed.indexOf("\x1b[201~")
      if (close < 0) return
      draft += (paste + typed.slice(0, close)).replaceAll("\r", "\n")
      typed = typed.slice(close + 6)
      paste = null
    }
    const open = typed.indexOf("\x1b[200~")
    for (const sign of open < 0 ? typed : typed.slice(0, open)) key(sign)
    typed = open < 0 ? "" : typed.slice(open + 6)
    if (open < 0) return
    paste = ""
  }
})
process.stdout.write("\x1b[?2004h")
process.stdout.write(asks ? "Do you trust this folder?\r\n" : "> ")
if (asks === null) status("idle")
