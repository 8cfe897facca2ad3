/**
 * Asks a certificate authority for this machine's certificate: the order comes as JSON on standard input, since there
 * may be a secret in it, and the answer goes to standard output. A program of its own, so that what it takes of memory
 * is given back.
 */
import { createInterface } from "node:readline"
import { type Answer, type Order, obtain } from "./obtain.ts"

/** So long it waits for an order; who wants a certificate later starts it anew. */
const WAIT_MS = 10 * 60_000

const idle = setTimeout(() => process.exit(0), WAIT_MS)
createInterface({ input: process.stdin }).once("line", line => {
  clearTimeout(idle)
  obtain(JSON.parse(line) as Order).then((answer: Answer) => {
    // Connections to the authority may still be open.
    process.stdout.write(JSON.stringify(answer), () => process.exit(0))
  })
})
