import { type ConversationReport, type ConversationState, isWaiting, type Tool } from "./report.ts"

/** A conversation as it is kept; times are ms of the service's clock. */
export interface Conversation {
  tool: Tool
  id: string | null
  folder: string
  title: string
  last: string
  at: number
  state: ConversationState
  isInTerminal: boolean
  hasPrompt: boolean
  /** Since when it waits; null: it does not. */
  waitsSince: number | null
  /** It has worked before it waited, and its owner has not been told yet. */
  isOwed: boolean
}

export interface Conversations {
  reportedAt: number
  tools: Tool[]
  conversations: Conversation[]
}

/**
 * What is kept after a report, and of which conversations their owner is to be told: those that have worked, and have
 * waited for so long since. Pure.
 * @param now when the report came, by the service's clock: the machine's own may be wrong
 */
export function follow(
  before: Conversations | null,
  report: ConversationReport,
  { now, noticeMs }: { now: number; noticeMs: number },
): { after: Conversations; tell: Conversation[] } {
  const known = new Map(before?.conversations.flatMap(one => (one.id === null ? [] : [[keyOf(one), one] as const])))
  const tell: Conversation[] = []
  const conversations = report.conversations.map((one): Conversation => {
    const earlier = known.get(keyOf(one))
    const at = now - Math.max(0, report.at - one.at)
    if (!isWaiting(one.state)) return { ...one, at, waitsSince: null, isOwed: false }
    const waited = earlier && isWaiting(earlier.state) ? earlier : null
    const waitsSince = waited?.waitsSince ?? now
    const isOwed = waited ? waited.isOwed : earlier?.state === "working"
    const isDue = isOwed && now - waitsSince >= noticeMs
    const kept = { ...one, at, waitsSince, isOwed: isOwed && !isDue }
    if (isDue) tell.push(kept)
    return kept
  })
  return { after: { reportedAt: now, tools: report.tools, conversations }, tell }
}

const keyOf = ({ tool, id }: { tool: Tool; id: string | null }) => `${tool} ${id}`

/** As they are for somebody who looks now: a machine that is off runs no programs. Pure. */
export const asSeen = (kept: Conversations, isOn: boolean): Conversations =>
  isOn
    ? kept
    : {
        ...kept,
        conversations: kept.conversations
          .filter(({ id }) => id !== null)
          .map(one => ({ ...one, state: "done", isInTerminal: false, hasPrompt: false, waitsSince: null })),
      }
