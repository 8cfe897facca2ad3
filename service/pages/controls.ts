import { attributes, type Html, html, type Value } from "./html.ts"
import { icon } from "./icons.ts"
import type { Notice } from "./models.ts"

interface PostForm {
  action: string
  csrf: string
  content: Value
  class?: string
  /** Further fields that nobody sees. */
  hidden?: Record<string, string>
}

/** A form that changes something, with its token against requests from other sites. */
export const postForm = ({ action, csrf, content, class: kind, hidden = {} }: PostForm): Html =>
  html`<form ${attributes({ method: "post", action, class: kind })}><input type="hidden" name="csrf" value="${csrf}">${Object.entries(
    hidden,
  ).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${content}</form>`

interface Field {
  id: string
  name: string
  label: string
  hint?: Value
  error?: string | undefined
  value?: string | undefined
  type?: "text" | "password" | "url" | "number"
  optional?: boolean
  /** Further attributes of the input. */
  more?: Record<string, string | number | boolean>
}

/** A labelled input; hint and error are tied to it, so that they are read out with it. */
export function field({ id, name, label, hint, error, value, type = "text", optional, more = {} }: Field): Html {
  return html`<div class="field">
<label for="${id}">${label}${optional && html` <span class="soft">optional</span>`}</label>
<input ${attributes({ id, name, type, value, ...describedBy(id, { hint: hint !== undefined, error }), ...more })}>
${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}${fieldError(id, error)}
</div>`
}

/** The attributes that tie a control to its hint and its error. */
export function describedBy(id: string, { hint, error }: { hint?: boolean; error?: string | undefined }) {
  const parts = [hint && `${id}-hint`, error !== undefined && `${id}-error`].filter(Boolean)
  return { "aria-describedby": parts.join(" ") || null, "aria-invalid": error === undefined ? null : "true" }
}

export const fieldError = (id: string, error: string | undefined) =>
  error !== undefined && html`<p class="field-error" id="${id}-error">${icon("alert")}${error}</p>`

/** What ties a group of choices to its error. */
export const groupError = (id: string, error: string | undefined) =>
  attributes({ id, tabindex: -1, "aria-describedby": error === undefined ? null : `${id}-error` })

/** A few words at the head of a page about what has just happened. */
export const notice = ({ tone, text }: Notice): Html =>
  html`<div ${attributes({ class: `notice ${tone}`, role: tone === "error" ? "alert" : "status" })}>${icon(
    tone === "error" ? "alert" : "check",
  )}<p>${text}</p></div>`
