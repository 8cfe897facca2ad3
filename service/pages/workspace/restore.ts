import type { Workspace } from "../../workspaces/workspace.ts"
import { field, postForm } from "../controls.ts"
import { document } from "../document.ts"
import { html } from "../html.ts"
import { icon } from "../icons.ts"
import type { SignedIn } from "../models.ts"
import { timeAgo } from "../time.ts"
import type { BackupView } from "./model.ts"

export interface RestoreModel extends SignedIn {
  workspace: Workspace
  backup: BackupView
  /** What was wrong with the confirmation. */
  error?: string
}

/** Asks for the workspace's name before a backup takes its machine's place. */
export function restorePage({ user, csrf, workspace, backup, error, now = Date.now() }: RestoreModel): string {
  const { id, name } = workspace
  return document({
    title: `Restore ${name}`,
    signedIn: { user, csrf },
    scripts: ["confirm"],
    layout: "center",
    body: html`<section class="card dialog">
<span class="round warm">${icon("retry")}</span>
<h1>Restore ${name}?</h1>
<p>Its disk becomes what it was in <strong class="name">${backup.name}</strong>, made ${timeAgo(backup.createdAt, now)}. What was changed since then is no longer on it.</p>
<p>How it is now is kept first, as a snapshot you can restore for 7 days. Should the restored machine not come up, the one of now is put back by itself. Programs end; it is away for some minutes.</p>
${backup.proof === "failed" && html`<p class="reason">A machine made of this backup did not pass its checks ${timeAgo(backup.provenAt ?? now, now)}: take an older one if you can.</p>`}
${postForm({
  action: `/workspaces/${encodeURIComponent(id)}/restore`,
  csrf,
  class: "stack",
  hidden: { backup: backup.id },
  content: html`${field({
    id: "confirm",
    name: "confirm",
    label: "Type the workspace's name to confirm",
    hint: html`Its name is <strong class="name" id="expected">${name}</strong>`,
    error,
    more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
  })}
<div class="actions"><button class="button primary" data-confirmed>${icon("retry")}Restore it</button><a class="button quiet" href="/workspaces/${id}">Leave it as it is</a></div>`,
})}
</section>`,
  })
}
