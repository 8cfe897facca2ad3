/// <reference lib="dom" />
import { createConnection, type State, type Stream, type StreamEvents } from "./connection.ts"
import { probe } from "./machine.ts"

/** The connection of a page: nothing is tried while nobody sees it or the network is gone, and at once when that is over. */
export function createPageConnection(given: {
  /** Of the stream, on the page's own host. */
  path: string
  open(address: string, events: StreamEvents): Stream
  show(state: State): void
  /** The network is gone; told before anything is done about it. */
  offline?(): void
}) {
  const connection = createConnection({
    open: events => {
      const address = new URL(given.path, location.href)
      address.protocol = location.protocol === "https:" ? "wss:" : "ws:"
      return given.open(address.href, events)
    },
    probe,
    awake: () => (document.hidden ? "hidden" : navigator.onLine ? "yes" : "offline"),
    now: () => Date.now(),
    random: Math.random,
    show: given.show,
  })
  document.addEventListener("visibilitychange", () => connection.changed())
  window.addEventListener("offline", () => {
    given.offline?.()
    connection.changed()
  })
  window.addEventListener("online", () => {
    connection.renew()
    connection.changed()
  })
  return connection
}
