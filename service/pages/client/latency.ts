/// <reference lib="dom" />

/**
 * How far each region is from this browser, beside its name, and which is the nearest. Whatever does not answer is left
 * out without a word: it says nothing about the region.
 */

/** Requests whose shortest counts, after a first one that opens the connection. */
const TRIES = 3
const PATIENCE_MS = 3_000

/** How long an answer takes, milliseconds. What it says cannot be read and does not matter. */
async function once(url: string): Promise<number> {
  const begun = performance.now()
  await fetch(url, {
    ...({ method: "HEAD", mode: "no-cors", cache: "no-store", credentials: "omit" } as const),
    ...{ referrerPolicy: "no-referrer", signal: AbortSignal.timeout(PATIENCE_MS) },
  })
  return performance.now() - begun
}

async function measure(url: string): Promise<number | null> {
  try {
    await once(url)
    const took: number[] = []
    while (took.length < TRIES) took.push(await once(url))
    return Math.max(1, Math.round(Math.min(...took)))
  } catch {
    return null
  }
}

async function show(): Promise<void> {
  const places = [...document.querySelectorAll<HTMLElement>("[data-probe]")]
  let nearest: { name: string; ms: number } | null = null
  // One after the other: they would be in each other's way.
  for (const url of new Set(places.map(place => place.dataset.probe ?? ""))) {
    const ms = await measure(url)
    if (ms === null) continue
    const its = places.filter(place => place.dataset.probe === url)
    for (const place of its) {
      const told = place.querySelector<HTMLElement>("[data-latency]")
      if (told !== null) told.textContent = ` ${ms} ms`
    }
    const name = its[0]?.querySelector("[data-label]")?.textContent ?? ""
    if (nearest === null || ms < nearest.ms) nearest = { name, ms }
  }
  const told = document.getElementById("nearest")
  if (told === null || nearest === null) return
  told.textContent = `Nearest to you: ${nearest.name} (${nearest.ms} ms). What you type and see there comes soonest.`
  told.hidden = false
}

void show()
