/**
 * Asks a certificate authority for this machine's certificate: the order comes as JSON on standard input, since there
 * may be a secret in it, and the answer goes to standard output. A program of its own, so that what it takes of memory
 * is given back.
 */
import { text } from "node:stream/consumers"
import { type Answer, type Order, obtain } from "./obtain.ts"

main()

async function main(): Promise<void> {
  const order = JSON.parse(await text(process.stdin)) as Order
  const answer: Answer = await obtain(order)
  // Connections to the authority may still be open.
  process.stdout.write(JSON.stringify(answer), () => process.exit(0))
}
