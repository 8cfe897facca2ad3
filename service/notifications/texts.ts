import type { Notification } from "./kinds.ts"

/** A notification in words: what stands in the subject of a mail, and one sentence or two. Pure. */
export function textOf(told: Notification): { subject: string; text: string } {
  switch (told.kind) {
    case "about-to-stop": {
      const { name, stopsAt, reason } = told.facts
      const text = `${name} will stop at ${utc(stopsAt)}: ${reason} Open it or set "keep on" to prevent that.`
      return { subject: `${name} will stop soon`, text }
    }
    case "stopped": {
      const { name, by } = told.facts
      return { subject: `${name} has stopped`, text: `${name} has stopped${STOPPED_BY[by]}. Its files are kept.` }
    }
    case "woke":
      return { subject: `${told.facts.name} is awake`, text: `${told.facts.name} has started and is ready.` }
    case "backup-failed": {
      const { name, message } = told.facts
      return { subject: `A backup of ${name} failed`, text: `A backup of ${name} failed: ${message}` }
    }
    case "restore-unproven": {
      const { name, backup, message } = told.facts
      const text = `The backup "${backup}" of ${name} could not be proven to restore: ${message} The one before it is kept.`
      return { subject: `A backup of ${name} is not proven`, text }
    }
    case "provisioning-failed": {
      const { name, message } = told.facts
      return { subject: `${name} could not be created`, text: `${name} could not be created: ${message}` }
    }
    case "agent-waits": {
      const { name, agent, asks } = told.facts
      const text = asks
        ? `${agent} in ${name} asks something: answer it in its terminal.`
        : `${agent} in ${name} has answered and waits for what comes next.`
      return { subject: `${agent} in ${name} waits for you`, text }
    }
    case "budget-near": {
      const { month, percent, amount, currency, spent, stops } = told.facts
      const used = `${round(spent)} of ${round(amount)} ${currency} before tax are used in ${month}.`
      if (percent < 100) return { subject: `${percent} % of your budget is used`, text: used }
      const end = stops
        ? "Running workspaces are being stopped, and none can be started or created until you raise the budget or the month ends. A machine that is switched off may go on costing money: deleting it ends that."
        : "You chose to be told only: everything goes on."
      return { subject: "Your budget is used up", text: `${used} ${end}` }
    }
    case "test":
      return { subject: "A message to try things out", text: "Messages of foozol Cloud arrive here." }
    case "confirm-address": {
      const { login, link } = told.facts
      const text = `@${login} of GitHub wants messages of foozol Cloud sent to this address. If that is you, sign in and open this link: ${link}\nIf not, do nothing: no more mail will come.`
      return { subject: "Confirm your address", text }
    }
  }
}

const STOPPED_BY = {
  owner: "",
  idleness: ", because nothing went on in it",
  budget: ", because your budget is used up",
  service: "",
}

const utc = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`
const round = (amount: number) => amount.toFixed(2)
