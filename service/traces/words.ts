import { STEP_LABELS, type StepName } from "../operations/operation.ts"
import type { Kind } from "../workspaces/transitions.ts"
import type { Span, SpanName } from "./span.ts"

/** Names of resources as a person would call them. */
export const RESOURCE_WORDS: Record<string, string> = {
  firewall: "the firewall",
  ipv4: "the IPv4 address",
  ipv6: "the IPv6 address",
  machine: "the machine",
  "record-A": "its name (IPv4)",
  "record-AAAA": "its name (IPv6)",
  "record-CNAME": "the names of its ports",
}

/** What the machine checks of itself. */
const CHECK_WORDS: Record<string, string> = {
  certificate: "its certificate",
  display: "its display",
  https: "its door (HTTPS)",
  terminals: "its terminals",
  vnc: "the picture (VNC)",
  window: "the first window",
}

const WORDS: Record<Exclude<SpanName, "step" | "resource" | "check">, string> = {
  click: "The click on its way",
  queue: "Waiting for its turn",
  "engine-wait": "Waiting for the engine",
  "engine-look": "Looking at what is there, and what can be had",
  "engine-start": "Starting the engine",
  "engine-end": "Writing down what was done",
  "first-report": "First report of the machine",
  redirect: "On the way to the machine",
  "first-frame": "Until the first picture",
}

/** What time was spent on, in words. */
export function spanLabel(kind: Kind, { name, of = "" }: Pick<Span, "name" | "of">): string {
  switch (name) {
    case "step":
      return STEP_LABELS[kind][of as StepName] ?? of
    case "resource":
      return capital(RESOURCE_WORDS[of] ?? of)
    case "check":
      return `Waiting for ${CHECK_WORDS[of] ?? of}`
    default:
      return WORDS[name]
  }
}

const capital = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}`
