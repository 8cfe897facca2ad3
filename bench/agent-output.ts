/**
 * Writes to its terminal what a coding agent at work writes: a region at the bottom (what it does, a line to type in)
 * that is erased and drawn anew ten times a second, words that stream in, listings and coloured differences that come
 * at once, pauses. Always the same for the same seed, at the pace of the clock: `agent-output.ts SECONDS [SEED]`.
 */
const [seconds = "60", seed = "1"] = process.argv.slice(2)

/** Mulberry32: small, and the same everywhere. */
function generator(state: number): () => number {
  let at = state
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = generator(Number(seed))
const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
const between = (least: number, most: number) => Math.round(least + random() * (most - least))
const WIDTH = 118
const WORDS =
  "the a this function returns value when request is read from file and then written to store so that test passes because import was missing in module which handles errors of client before server answers with status code let me check how config gets loaded now I will update type add case run suite again look at line where cache is made".split(
    " ",
  )
const FILES = ["src/server.ts", "src/store/records.ts", "test/unit/store.test.ts", "lib/parse.ts", "README.md"]
const VERBS = ["Thinking", "Pondering", "Working", "Reading", "Considering"]
const SPINNER = ["·", "✢", "✳", "✶", "✻", "✽", "✻", "✶", "✳", "✢"]
const dim = (text: string) => `\x1b[2m${text}\x1b[22m`
const colour = (code: string, text: string) => `\x1b[38;5;${code}m${text}\x1b[39m`
const words = (count: number) => Array.from({ length: count }, () => pick(WORDS)).join(" ")

const began = performance.now()
let [drawn, frame, tokens, verb] = [0, 0, 0, pick(VERBS)]
const elapsed = () => Math.floor((performance.now() - began) / 1_000)

/** Lines above the region stay; the region is erased line by line, as such programs do. */
function render(above: string[], region: string[]): void {
  const erase = `${"\x1b[2K\x1b[1A".repeat(Math.max(0, drawn - 1))}\x1b[2K\x1b[G`
  const text = [...above, ...region].join("\n")
  drawn = region.length
  process.stdout.write(`\x1b[?25l${erase}${text}\x1b[?25h`)
}

function region(): string[] {
  frame++
  tokens += between(0, 40)
  const box = "─".repeat(WIDTH - 2)
  const what = `${verb}… (${elapsed()}s · ↓ ${(tokens / 1000).toFixed(1)}k tokens · esc to interrupt)`
  return [
    "",
    `${colour("174", SPINNER[frame % SPINNER.length] ?? "")} ${colour("174", what)}`,
    "",
    dim(`╭${box}╮`),
    dim("│") + " > ".padEnd(WIDTH - 2) + dim("│"),
    dim(`╰${box}╯`),
    dim("  ? for shortcuts".padEnd(WIDTH - 30) + "Context left until compact: 41%"),
  ]
}

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const isOver = () => performance.now() - began > Number(seconds) * 1_000

/** Nothing new but the region, ten times a second. */
async function think(ms: number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until && !isOver(); await wait(100))
    render([], region())
}

/** A paragraph that grows word by word in the region, and stays above it when it is whole. */
async function speak(): Promise<void> {
  let line = "● "
  const count = between(20, 90)
  for (let at = 0; at < count && !isOver(); at++) {
    const word = `${pick(WORDS)} `
    if (line.length + word.length > WIDTH) {
      render([line], region())
      line = "  "
    }
    line += word
    const [first = "", ...more] = region()
    render([], [line, first, ...more])
    await wait(between(25, 80))
  }
  render([line, ""], region())
}

async function useTool(): Promise<void> {
  const file = pick(FILES)
  render([`● \x1b[1mRead\x1b[22m(${file})`, dim(`  ⎿  Read ${between(20, 400)} lines`), ""], region())
  await think(between(500, 4_000))
  const first = between(10, 400)
  const change = Array.from({ length: between(4, 24) }, (_, at) => {
    const number = String(first + at).padStart(5)
    const text = `    ${words(between(3, 11))}`.slice(0, 90)
    const kind = random()
    if (kind < 0.25) return `\x1b[48;5;22m${number} +${text.padEnd(100)}\x1b[49m`
    return kind < 0.45 ? `\x1b[48;5;52m${number} -${text.padEnd(100)}\x1b[49m` : `${dim(number)}  ${text}`
  })
  render([`● \x1b[1mUpdate\x1b[22m(${file})`, ...change, ""], region())
  await think(between(800, 6_000))
}

async function runTests(): Promise<void> {
  render([`● \x1b[1mBash\x1b[22m(npm test)`], region())
  await think(between(3_000, 12_000))
  const lines = Array.from(
    { length: between(5, 40) },
    () => `     ${colour("2", "✔")} ${words(between(3, 9))} ${dim(`(${between(1, 400)}ms)`)}`,
  )
  render([...lines, ""], region())
}

while (!isOver()) {
  verb = pick(VERBS)
  await think(between(1_000, 8_000))
  await speak()
  if (random() < 0.75) await useTool()
  if (random() < 0.35) await runTests()
  // A person reads, and says something.
  if (random() < 0.2 && !isOver()) await wait(between(2_000, 15_000))
}
