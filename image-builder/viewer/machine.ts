/// <reference lib="dom" />
import type { Verdict } from "./connection.ts"

export type Size = { width: number; height: number }
export type Status = { service?: string | null; workspace?: string; display?: Size }
export type MachineEvent = {
  type: "sleeping" | "signed-out" | "warning" | "stay" | "copied"
  message?: string
  reason?: string
  at?: string
  /** Milliseconds from now to that time; right where the machine's clock is wrong. */
  inMs?: number
}

/** Tells the machine that a person wants it on. @returns whether that was heard */
export async function stayOn(): Promise<boolean> {
  try {
    return (await ask("/agent/stay", { method: "POST" })).ok
  } catch {
    return false
  }
}

/** Tells the machine that the first picture is there, by which its service knows how long that took. */
export async function tellFirstFrame(): Promise<void> {
  // Whether that was heard changes nothing here.
  await ask("/agent/first-frame", { method: "POST" }).catch(() => {})
}

/** What was copied on the desktop; null where that is no text or cannot be had. */
export async function readClipboard(): Promise<string | null> {
  try {
    const answer = await ask("/agent/clipboard")
    return answer.ok ? ((await answer.json()) as { text: string | null }).text : null
  } catch {
    return null
  }
}

/** Puts a text onto the desktop's clipboard. @returns whether it is there */
export async function writeClipboard(text: string): Promise<boolean> {
  const headers = { "content-type": "application/json" }
  try {
    return (await ask("/agent/clipboard", { method: "POST", headers, body: JSON.stringify({ text }) })).ok
  } catch {
    return false
  }
}

/** A warning in words: its own, or that the workspace stops, with the reason and the person's own time of day. */
export function warningText({ message, reason, at, inMs }: MachineEvent): string {
  if (message !== undefined) return message
  const time = inMs !== undefined ? Date.now() + inMs : at === undefined ? Number.NaN : Date.parse(at)
  const when = Number.isNaN(time) ? "soon" : `at ${new Date(time).toLocaleTimeString([], { timeStyle: "short" })}`
  return `Your workspace stops ${when}${reason ? ` (${reason})` : ""}.`
}

/** A close code is not seen when the upgrade itself was refused; the same question over HTTP has a status. */
export async function probe(): Promise<Verdict> {
  try {
    const answer = await ask("/agent/status")
    if (answer.status === 401 || answer.status === 403) return "signed-out"
    if (answer.status === 503) return "away"
    if (answer.status === 502 || answer.status === 504) return "starting"
    return "lost"
  } catch {
    return "lost"
  }
}

export async function readStatus(): Promise<Status | undefined> {
  try {
    const answer = await ask("/agent/status")
    return answer.ok ? ((await answer.json()) as Status) : undefined
  } catch {
    return undefined
  }
}

/** Asks for another desktop size; the answer is the size it has now, or undefined if it cannot be changed. */
export async function resize(size: Size): Promise<Size | undefined> {
  try {
    const answer = await ask("/agent/resize", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(size),
    })
    return answer.ok ? ((await answer.json()) as Size) : undefined
  } catch {
    return undefined
  }
}

const ask = (path: string, init: RequestInit = {}) =>
  fetch(path, { ...init, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(8_000) })

const KINDS = ["sleeping", "signed-out", "warning", "stay", "copied"] as const

/** Listens to the machine until closed. The browser reconnects by itself, except after an HTTP error. */
export function listen(hear: (event: MachineEvent) => void): { close: () => void } {
  let source: EventSource
  let timer: ReturnType<typeof setTimeout> | undefined
  const receive = (name: string) => (event: MessageEvent<string>) => {
    try {
      const given = JSON.parse(event.data || "{}")
      const type = KINDS.find(kind => kind === (given.type ?? name))
      if (type !== undefined) hear({ ...given, type })
    } catch {
      // A line nobody understands is not worth a person's attention.
    }
  }
  const open = () => {
    source = new EventSource("/agent/events")
    for (const name of ["message", ...KINDS]) source.addEventListener(name, receive(name) as EventListener)
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 15_000)
    })
  }
  open()
  return {
    close: () => {
      clearTimeout(timer)
      source.close()
    },
  }
}
