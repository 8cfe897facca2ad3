import type { Workspace } from "../workspaces/workspace.ts"
import { field, postForm } from "./controls.ts"
import { document } from "./document.ts"
import { html } from "./html.ts"
import { icon } from "./icons.ts"
import type { SignedIn } from "./models.ts"

export interface DeleteModel extends SignedIn {
  workspace: Workspace
  /** Days for which its last snapshot is kept; 0: none is. */
  keptDays?: number
  /** What was wrong with the confirmation. */
  error?: string
}

/** Asks for the workspace's name before its machine and disk go for good. */
export function deletePage({ user, csrf, workspace, keptDays = 0, error }: DeleteModel): string {
  const { id, name } = workspace
  return document({
    title: `Delete ${name}`,
    signedIn: { user, csrf },
    scripts: ["confirm"],
    layout: "center",
    body: html`<section class="card dialog">
<span class="round bad">${icon("trash")}</span>
<h1>Delete ${name}?</h1>
${
  keptDays === 0
    ? html`<p>Its machine is ended and its disk deleted: all files and programs on it are gone. This cannot be undone.</p>`
    : html`<p>Its machine is ended, and its disk and address are given back. A last snapshot of the disk is kept for ${keptDays} days under <a href="/backups">Backups</a>: a new workspace can be made from it until then.</p>`
}
${postForm({
  action: `/workspaces/${encodeURIComponent(id)}/delete`,
  csrf,
  class: "stack",
  content: html`${field({
    id: "confirm",
    name: "confirm",
    label: `Type the workspace's name to confirm`,
    hint: html`Its name is <strong class="name" id="expected">${name}</strong>`,
    error,
    more: { required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
  })}
<div class="actions"><button class="button danger-fill" id="delete" data-confirmed>${icon("trash")}Delete it</button><a class="button quiet" href="/">Keep it</a></div>`,
})}
</section>`,
  })
}
