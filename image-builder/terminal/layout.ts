import type { Terminal } from "../agent/terminals/list.ts"

/** Which terminals are shown side by side, and which of them is typed into. */
export interface Layout {
  readonly shown: readonly string[]
  readonly active: number
}

/** Panes side by side. */
export const MOST_PANES = 4
export const NOTHING: Layout = { shown: [], active: 0 }

/** Puts a terminal into the active pane; one that is shown already becomes the active one. */
export function choose(layout: Layout, id: string): Layout {
  const at = layout.shown.indexOf(id)
  if (at >= 0) return { ...layout, active: at }
  if (layout.shown.length === 0) return { shown: [id], active: 0 }
  return { ...layout, shown: layout.shown.map((one, pane) => (pane === layout.active ? id : one)) }
}

/** Shows a terminal beside the others. */
export function addPane({ shown, active }: Layout, id: string): Layout {
  if (shown.includes(id) || shown.length >= MOST_PANES) return choose({ shown, active }, id)
  return { shown: shown.toSpliced(active + 1, 0, id), active: active + 1 }
}

/** Takes a pane away; its terminal goes on. The last one stays. */
export function removePane({ shown, active }: Layout, at: number): Layout {
  if (shown.length < 2) return { shown, active }
  const left = shown.toSpliced(at, 1)
  return { shown: left, active: Math.min(active > at ? active - 1 : active, left.length - 1) }
}

/** What is left of a layout when these are the terminals there are: never nothing while there is one. */
export function keepExisting(layout: Layout, all: readonly Pick<Terminal, "id">[]): Layout {
  const ids = all.map(one => one.id)
  const shown = layout.shown.filter(id => ids.includes(id))
  const active = layout.shown.slice(0, layout.active).filter(id => ids.includes(id)).length
  if (shown.length === 0) return ids[0] === undefined ? NOTHING : { shown: [ids[0]], active: 0 }
  return { shown, active: Math.min(active, shown.length - 1) }
}

/** A layout of names as one of terminals: ids change when tmux starts anew, names do not. Nothing where none is left. */
export function fromNames(names: readonly unknown[], all: readonly Pick<Terminal, "id" | "name">[]): Layout {
  const ids = names.flatMap(name => all.find(one => one.name === name)?.id ?? [])
  return { shown: [...new Set(ids)].slice(0, MOST_PANES), active: 0 }
}

/** What the desktop shows, for whoever has not chosen yet: where work begins, as in the folder of a repository. */
export function asDesktop(all: readonly Pick<Terminal, "id" | "front">[]): Layout {
  const front = all.find(one => one.front)
  return keepExisting(front ? { shown: [front.id], active: 0 } : NOTHING, all)
}
