/** When each step of an operation was done, ms since 1970, out of its stream of events. Pure. */
export function stepEndsIn(stream: string): Record<string, number> {
  const events = [...stream.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json as string))
  const done = events.filter(event => event.type === "step" && event.state === "done")
  return Object.fromEntries(done.map(event => [event.step, event.at]))
}
