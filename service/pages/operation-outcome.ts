import type { NextAction } from "../../infra/errors.ts"
import { isOver } from "../operations/operation.ts"
import { leadsToDesktop } from "../workspaces/transitions.ts"
import type { Failure } from "../workspaces/workspace.ts"
import { postForm } from "./controls.ts"
import { type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { OperationModel } from "./operation.ts"
import { duration, roughly } from "./words.ts"
import { placeButtons } from "./workspace/places.ts"

/** How an operation ended, and what can be done now. */
export function outcome(model: OperationModel): Html | false {
  const { operation } = model
  if (!isOver(operation)) return false
  if (operation.state === "succeeded") return success(model)
  return operation.state === "failed" ? failed(model) : cancelled(model)
}

function success({ operation, workspace, address }: OperationModel): Html {
  const { kind, startedAt, createdAt, finishedAt, estimate } = operation
  const took = finishedAt === null ? null : finishedAt - (startedAt ?? createdAt)
  const usual = estimate.seconds === null ? "" : ` Usually it takes about ${roughly(estimate.seconds)}.`
  return html`<p class="result good">${icon("check")}<span>${took !== null && `Done in ${duration(took)}.${usual}`}</span></p>
${
  leadsToDesktop(kind)
    ? html`<div class="actions"><a class="button primary large" id="open" href="/connect?workspace=${workspace.id}">Open desktop${icon("arrow")}</a></div>
<p class="small soft">Its address is ${address.replace(/^https:\/\//, "")}. Bookmark <a href="/connect?workspace=${workspace.id}">this link</a> to come back: it also starts the workspace when it is off.</p>`
    : html`<div class="actions">${kind !== "destroy" && html`<a class="button primary" href="/workspaces/${workspace.id}">Back to ${workspace.name}</a>`}<a class="button ${kind === "destroy" ? "primary" : "quiet"}" href="/">Your workspaces</a></div>
${kind === "destroy" && html`<p class="small soft">If its disk was kept, it is under <a href="/backups">Backups</a> for a while.</p>`}`
}`
}

const WHAT_TO_DO: Record<NextAction, string> = {
  retry: "Try again: what was already made is found and used, nothing is made twice.",
  fail: "Trying again unchanged is likely to end the same way. Change what the message names, or delete the workspace and create another.",
  investigate: "Somebody who runs this service should look at it first. Give them the ids below.",
}

function failed(model: OperationModel): Html {
  const { operation, workspace, csrf } = model
  const failure: Failure = operation.failure ??
    workspace.failure ?? { id: "unknown", message: "What went wrong was not recorded.", next: "investigate" }
  if (workspace.state !== "FAILED") return returned(model, failure)
  return html`<div class="result bad" role="alert">${icon("alert")}<div><p><strong>${failure.message}</strong></p><p>${WHAT_TO_DO[failure.next]}</p></div></div>
<div class="actions">${retry(operation.id, csrf, failure.next === "retry")}${remove(operation.kind, workspace.id)}</div>
${ids(failure, operation)}`
}

/** It did not succeed, and the workspace is at rest all the same: there is nothing to be repaired. */
function returned({ operation, workspace, csrf, places = [] }: OperationModel, failure: Failure): Html {
  const isSoldOut = failure.id === "sold-out" && workspace.state === "STOPPED"
  return html`<div class="result bad" role="alert">${icon("alert")}<div><p><strong>${failure.message}</strong></p></div></div>
${isSoldOut && html`<h2>Where it can be had now</h2>${placeButtons(places, { workspace, csrf })}`}
<div class="actions"><a class="button ${isSoldOut ? "" : "primary"}" href="/workspaces/${workspace.id}">Back to ${workspace.name}</a></div>
${ids(failure, operation)}`
}

const ids = (failure: Failure, operation: OperationModel["operation"]) =>
  html`<dl class="ids"><div><dt>Error</dt><dd><code>${failure.id}</code></dd></div><div><dt>Operation</dt><dd><code>${operation.id}</code></dd></div></dl>`

function cancelled({ operation, workspace, csrf }: OperationModel): Html {
  if (workspace.state !== "FAILED") {
    return html`<p class="result off">${icon("dash")}<span>It was cancelled before it was done.</span></p>
<div class="actions"><a class="button primary" href="/workspaces/${workspace.id}">Back to ${workspace.name}</a></div>`
  }
  return html`<p class="result off">${icon("dash")}<span>It was cancelled before it was done. Trying again goes on where it was left.</span></p>
<div class="actions">${retry(operation.id, csrf, true)}${remove(operation.kind, workspace.id)}</div>`
}

const retry = (id: string, csrf: string, first: boolean) =>
  postForm({
    action: `/operations/${encodeURIComponent(id)}/retry`,
    csrf,
    content: html`<button class="button ${first ? "primary" : ""}">${icon("retry")}Try again</button>`,
  })

const remove = (kind: OperationModel["operation"]["kind"], workspace: string) =>
  kind !== "destroy" &&
  html`<a class="button quiet danger" href="/workspaces/${workspace}/delete">${icon("trash")}Delete the workspace</a>`
