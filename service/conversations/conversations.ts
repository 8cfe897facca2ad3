import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import type { Keys } from "../keys.ts"
import { askMachine } from "../machines/ask.ts"
import type { MachineChannel } from "../machines/channel.ts"
import type { Notify } from "../notifications/outbox.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import { admits } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { asSeen, type Conversations, follow } from "./follow.ts"
import { type ConversationReport, type Prompt, Prompted, type Refusal, TOOL_NAMES, type Tool } from "./report.ts"

/** So long what a machine has told is kept: for a look at it while it sleeps, and no longer. */
const KEPT_MS = 24 * 3_600_000
/** A window is opened and typed in within this. */
const ANSWER_MS = 15_000

/**
 * The conversations with coding agents in workspaces, as their machines tell of them. They are their owner's alone: kept
 * sealed, for a day, in no log, and shown to nobody else.
 */
export interface AgentConversations {
  /** Keeps what a machine tells, and tells its owner of those that wait. */
  heard(workspace: string, report: ConversationReport, now: number): Promise<void>
  /** Null: its machine has told of none within a day. */
  of(workspace: Workspace): Promise<Conversations | null>
  /**
   * Has a prompt typed.
   * @throws ServiceError `asleep`, `machine-away`, `prompt-unanswered`, or why the machine could not
   */
  prompt(workspace: Workspace, prompt: Prompt): Promise<void>
  forget(workspace: string): Promise<void>
}

export function createConversations(options: {
  redis: Redis
  keys: Pick<Keys, "seal" | "open">
  store: Pick<WorkspaceStore, "get">
  channel: MachineChannel
  notify: Notify
  noticeMs: number
  answerMs?: number
}): AgentConversations {
  const { redis, keys, store, channel, notify, noticeMs, answerMs = ANSWER_MS } = options
  const context = (workspace: string) => `conversations ${workspace}`

  async function kept(workspace: string): Promise<Conversations | null> {
    const sealed = await redis.get(KEY.conversationsOf(workspace))
    if (sealed === null) return null
    try {
      return JSON.parse(keys.open(sealed, context(workspace))) as Conversations
    } catch {
      // Of a secret that has been changed since: the machine tells it anew within the minute.
      return null
    }
  }

  return {
    async heard(workspace, report, now) {
      const record = await store.get(workspace)
      // A workspace that is gone must not come to life again by what its machine says.
      if (record === null || record.state === "TERMINATING" || record.state === "TERMINATED") return
      const { after, tell } = follow(await kept(workspace), report, { now, noticeMs })
      const sealed = keys.seal(JSON.stringify(after), context(workspace))
      await redis.set(KEY.conversationsOf(workspace), sealed, "PX", KEPT_MS)
      for (const { tool, id, state, waitsSince } of tell) {
        const facts = { workspace, name: record.name, agent: TOOL_NAMES[tool], asks: state === "asks" }
        await notify(record.owner, "agent-waits", facts, { id: `${workspace}-${id}-waits-${waitsSince}` })
      }
    },
    async of(workspace) {
      const found = await kept(workspace.id)
      return found && asSeen(found, admits(workspace.state))
    },
    async prompt(workspace, { tool, conversation, text }) {
      const { refusal } = await askMachine(channel, workspace, {
        order: id => ({ type: "prompt", data: { id, tool, conversation, text } }),
        ...{ answer: "prompted", schema: Prompted, waitMs: answerMs },
        unanswered: unanswered(),
      })
      if (refusal !== null) throw refused(refusal, tool)
    },
    async forget(workspace) {
      await redis.del(KEY.conversationsOf(workspace))
    },
  }
}

const unanswered = () =>
  new ServiceError(
    "prompt-unanswered",
    409,
    "Its machine did not say whether the prompt arrived, or is of an image that takes none: look into its terminal, and upgrade it if the prompt is not there.",
    { next: "investigate" },
  )

function refused(refusal: Refusal, tool: Tool): ServiceError {
  const name = TOOL_NAMES[tool]
  const words: Record<Refusal, string> = {
    gone: "This conversation is not there any more: choose another one, or begin a new one.",
    working: `${name} is still at work in it: wait until it has answered, or stop it in its terminal.`,
    asks: `${name} asks something that a prompt does not answer: answer it in its terminal.`,
    "no-terminal": "It is in no terminal of this workspace that could be typed in: go on with it where it is open.",
    "no-tool": `${name} is not installed in this workspace: install it, or choose another agent.`,
    "no-folder": "The folder of this conversation is gone: begin a new one.",
  }
  return new ServiceError(`prompt-${refusal}`, 409, words[refusal])
}
