import type { Judgement, Reason } from "./judge.ts"

/** Who has asked for a stop that nobody asked for. */
export const IDLENESS = "idleness"

/** Each signal as a heading, and as what somebody or something did. */
export const SIGNAL_WORDS: Record<Reason, { label: string; did: string }> = {
  input: { label: "Keys and mouse on the desktop", did: "somebody worked on the desktop" },
  viewer: { label: "Desktop open in a tab", did: "a tab with the desktop was open" },
  visit: { label: "Visit", did: "somebody came to it" },
  output: { label: "Output in terminals", did: "a terminal showed something new" },
  agent: { label: "Coding agents at work", did: "a coding agent was at work" },
  work: { label: "Programs of terminals at work", did: "a program in a terminal was at work" },
  files: { label: "Changed files", did: "a file was changed" },
  ssh: { label: "SSH", did: "somebody was on it over SSH" },
  webUi: { label: "Web pages of its own servers", did: "a page of one of its servers was open" },
  start: { label: "Start", did: "its machine was started" },
  contact: { label: "Sign of life after silence", did: "its machine was heard of again" },
  keepOn: { label: "Kept on", did: "you wanted it kept on" },
}

/** A moment of the day for a text without formatting, in UTC. */
export const clock = (at: number, now: number): string => {
  const iso = new Date(at).toISOString()
  const sameDay = iso.slice(0, 10) === new Date(now).toISOString().slice(0, 10)
  return `${sameDay ? "" : `${iso.slice(0, 10)} `}${iso.slice(11, 16)} UTC`
}

/** "nobody has used it since 14:05 UTC": why a workspace that is idle is stopped. Pure. */
export function unusedSince({ signals }: Judgement, now: number): string {
  const used = signals.flatMap(({ lastAt, until }) => (lastAt === null || until === null ? [] : [lastAt]))
  return used.length === 0 ? "nobody has used it" : `nobody has used it since ${clock(Math.max(...used), now)}`
}

/**
 * Why a workspace is on and when it will stop, in words.
 * @param keepOnUntil and `plannedStop`: ms, as they stand in its record
 */
export function explain(
  judgement: Judgement,
  { keepOnUntil, plannedStop }: { keepOnUntil: number | null; plannedStop: number | null },
  now: number,
): string {
  if (judgement.verdict === "unknown") {
    const since = judgement.since === null ? "yet" : `since ${clock(judgement.since, now)}`
    return `Its machine has said nothing ${since}, so nobody knows whether it is in use: it is not stopped meanwhile.`
  }
  if (judgement.verdict === "idle") {
    const at = Math.max(plannedStop ?? 0, judgement.stopsAt ?? 0)
    const then = judgement.stopsAt === null ? "It is not stopped by itself." : `It is stopped at ${clock(at, now)}.`
    return `Nothing has been seen of its use that counts since ${clock(judgement.since, now)}. ${then}`
  }
  const { because, signals, idleAt, stopsAt } = judgement
  const [first] = because
  const last = signals.find(({ signal }) => signal === first)?.lastAt
  const why =
    first === "keepOn" && keepOnUntil !== null
      ? `It is kept on until ${clock(keepOnUntil, now)}, as you wanted`
      : `It is on because ${SIGNAL_WORDS[first as Reason].did} (last at ${clock(last ?? now, now)})`
  const then = stopsAt === null ? "it is not stopped by itself" : `it is stopped at ${clock(stopsAt, now)}`
  return `${why}. If nothing more happens it is idle from ${clock(idleAt, now)}, and ${then}.`
}
