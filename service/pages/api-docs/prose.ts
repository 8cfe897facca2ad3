import { type Html, html } from "../html.ts"

/** A description as paragraphs; of Markdown it knows `code` only. */
export const prose = (text: string): Html =>
  html`${text
    .split(/\n{2,}/)
    .map(
      paragraph =>
        html`<p>${paragraph.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}</p>\n`,
    )}`
