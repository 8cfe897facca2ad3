import type { State } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { type Html, html } from "./html.ts"

interface StateWords {
  label: string
  /** What that means for its owner. */
  text: string
  tone: "good" | "rest" | "busy" | "bad" | "off"
}

const STATE_WORDS: Record<State, StateWords> = {
  PROVISIONING: { label: "Creating", text: "Its machine is being made.", tone: "busy" },
  RUNNING: { label: "Running", text: "On, and ready for you.", tone: "good" },
  IDLE: { label: "Idle", text: "On, but nobody has used it for a while. Programs go on.", tone: "rest" },
  STOPPING: { label: "Stopping", text: "It is being shut down. Files are kept.", tone: "busy" },
  STOPPED: { label: "Stopped", text: "Off. Files are where you left them.", tone: "off" },
  STARTING: { label: "Starting", text: "It is being switched on.", tone: "busy" },
  FAILED: { label: "Failed", text: "Something went wrong.", tone: "bad" },
  TERMINATING: { label: "Deleting", text: "Its machine and disk are being deleted.", tone: "busy" },
  TERMINATED: { label: "Deleted", text: "Its machine and disk are gone.", tone: "off" },
}

const ASLEEP: StateWords = { label: "Asleep", text: "Put away. Files are where you left them.", tone: "off" }

/** The words for a workspace's state; one that is put away is asleep, which is not the same as off. */
export const stateWords = ({ state, snapshot }: Pick<Workspace, "state" | "snapshot">): StateWords =>
  state === "STOPPED" && snapshot !== null ? ASLEEP : STATE_WORDS[state]

/** A state as a small label; colour is never the only thing that tells it. */
export function stateBadge(workspace: Pick<Workspace, "state" | "snapshot">): Html {
  const { label, tone } = stateWords(workspace)
  return html`<span class="badge ${tone}">${label}</span>`
}
