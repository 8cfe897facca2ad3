/** What of a conversation tells that a page is out of date. */
interface Marked {
  id: string | null
  tool: string
  title: string
  last: string
  state: string
  prompted: boolean
}

/** The same for the same conversations: the page notes it, and its script compares it with what the API tells. Pure. */
export const agentsMark = (all: readonly Marked[]): string => {
  const text = all
    .map(({ id, tool, title, last, state, prompted }) => JSON.stringify([id, tool, title, last, state, prompted]))
    .sort()
    .join("\n")
  // Short, and of no use for reading it back; two that are alike cost one look too few.
  let [a, b] = [0xdeadbeef, 0x41c6ce57]
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 2654435761)
    b = Math.imul(b ^ text.charCodeAt(at), 1597334677)
  }
  return `${all.length}-${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`
}

/** Does it wait for its person? */
export const waits = ({ state }: { state: string }): boolean => state === "waiting" || state === "asks"
