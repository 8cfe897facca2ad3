import type { Workspace } from "../workspaces/workspace.ts"
import { postForm } from "./controls.ts"
import { document } from "./document.ts"
import { html } from "./html.ts"
import { mark } from "./icons.ts"
import type { SignedIn } from "./models.ts"

/** Where on a machine somebody may want to go, in words. */
export const GOALS = {
  desktop: { opens: "desktop opens", my: "desktop" },
  terminal: { opens: "terminals open", my: "terminals" },
  files: { opens: "files open", my: "files" },
  agents: { opens: "agents open", my: "agents" },
} as const
export type Goal = keyof typeof GOALS

export interface ConnectModel extends SignedIn {
  workspace: Workspace | null
  /** What the button does: wake the workspace, or create a first one. */
  action: "wake" | "create"
  /** What opens then. */
  goal: Goal
}

/** Where the bookmark leads when there is something to start first. */
export function connectPage({ user, csrf, workspace, action, goal }: ConnectModel): string {
  const wakes = action === "wake" && workspace !== null
  const { opens, my } = GOALS[goal]
  return document({
    title: wakes ? `Start ${workspace.name}` : "Start your desktop",
    signedIn: { user, csrf },
    layout: "center",
    body: html`<section class="card dialog">
${mark()}
${
  wakes
    ? html`<h1>${workspace.name} is ${workspace.snapshot === null ? "off" : "asleep"}</h1><p>Start it, and its ${opens} here as soon as it is up. Your files are where you left them.</p>`
    : html`<h1>You have no desktop yet</h1><p>One is created for you with the usual size and region, and opens here as soon as it is up.</p>`
}
${postForm({
  action: "/connect",
  csrf,
  hidden: { ...(wakes ? { workspace: workspace.id } : {}), ...(goal === "desktop" ? {} : { to: goal }) },
  content: html`<div class="actions"><button class="button primary large">Start and open my ${my}</button></div>`,
})}
<p class="small">${wakes ? html`<a href="/">Your workspaces</a>` : html`<a href="/workspaces/new">Choose size, region and price first</a>`}</p>
</section>`,
  })
}
