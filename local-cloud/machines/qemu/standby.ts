import { randomBytes } from "node:crypto"

/** Where a machine that stands by asks, beside its metadata. Hetzner has nothing there; machines that boot never ask. */
export const STANDBY_PATH = "/foozol/v1/standby"
/**
 * Where a machine asks (GET) whether its memory can be kept while it sleeps, and wishes (POST) to fall asleep. Hetzner has
 * nothing there. Then it asks at `STANDBY_PATH` until it is told who it is: on waking, or because it could not be.
 */
export const SLEEP_PATH = "/foozol/v1/sleep"
/** What a template is told to be: nobody's, waiting. */
export const STANDBY_USER_DATA = '{"foozol":{"standby":"1"}}'
/**
 * How long a machine that is told to go on waiting does so before it asks again, in milliseconds. A template is paused
 * halfway: so no question is under way in its memory, and a copy asks within the other half.
 */
export const STANDBY_PAUSE_MS = 300

/** What a copy that is made ahead is told to be while it practises: `boot` makes that of it in a room of its own. */
export const PRACTICE_USER_DATA = JSON.stringify({
  foozol: {
    ...{
      workspace: "practice",
      fqdn: "practice.invalid",
      hostname: "practice",
      profile: "browser",
      sessionId: "practice",
    },
    ...{ workspaceKey: "nobody-is-let-in-by-this-one-in-practice", service: "http://127.0.0.1:9" },
  },
})

/** Answers a machine that asks whether it is somebody's by now. */
export type Standby = () => { status: number; text: string }

/** The answer for a machine that is one: its id, the time (ms since 1970) and 64 bytes of this host's randomness. */
export function somebody(id: number): { status: 200; text: string } {
  return {
    status: 200,
    text: JSON.stringify({ machine: String(id), ...fromHere() }),
  }
}

const fromHere = () => ({ now: Date.now(), seed: randomBytes(64).toString("hex") })

/** The answer for a copy that is made ahead: become unlike all others, do once what will be done when it counts, ask again. */
export function practise(): { status: 202; text: string } {
  return { status: 202, text: JSON.stringify({ againInMs: 0, practise: fromHere() }) }
}

/** The answer for a template: not yet, ask again. */
export const nobody = { status: 202, text: JSON.stringify({ againInMs: STANDBY_PAUSE_MS }) }
