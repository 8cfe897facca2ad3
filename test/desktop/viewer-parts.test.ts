import assert from "node:assert/strict"
import { retryDelay } from "../../image-builder/viewer/backoff.ts"
import { createConnection, type State, type StreamEvents, type World } from "../../image-builder/viewer/connection.ts"
import { characterKey, parseCombination } from "../../image-builder/viewer/keys.ts"
import { readSettings } from "../../image-builder/viewer/settings.ts"
import { createResizer, desktopSize } from "../../image-builder/viewer/sizing.ts"
import { textChange } from "../../image-builder/viewer/typed.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("viewer parts", () => {
  it("backoff goes from half a second to fifteen, with up to a third off", () => {
    const longest = Array.from({ length: 8 }, (_, attempt) => retryDelay(attempt, () => 0))
    assert.deepEqual(longest, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
    assert.equal(
      retryDelay(1_000, () => 1),
      10_000,
    )
  })

  it("connection tries nothing while the tab is hidden, and at once when it is seen again", async () => {
    const { connection, states, opened, world } = trial()
    connection.start()
    opened[0]?.connected()
    world.awake = () => "hidden"
    opened[0]?.closed(1006)
    await waitUntil("the delay is over", () => states.at(-1)?.name === "waiting" && Date.now() > retryAt(states) + 200)
    assert.equal(opened.length, 1)
    world.awake = () => "yes"
    connection.changed()
    assert.equal(opened.length, 2)
    // Or its timers would keep trying after the test.
    connection.end("sleeping")
  })

  it("connection stays down after the machine said the end", async () => {
    const { connection, states, opened } = trial()
    connection.start()
    opened[0]?.connected()
    connection.end("signed-out")
    opened[0]?.closed(1006)
    connection.changed()
    connection.renew()
    assert.equal(states.at(-1)?.name, "signed-out")
    assert.equal(opened.length, 1)
  })

  it("sizing keeps the window's shape within what the machine accepts", () => {
    assert.deepEqual(desktopSize({ width: 1280, height: 801 }, 1, "match"), { width: 1280, height: 800 })
    assert.deepEqual(desktopSize({ width: 1440, height: 900 }, 2, "match"), { width: 2160, height: 1350 })
    assert.deepEqual(desktopSize({ width: 1440, height: 900 }, 2, "sharp"), { width: 2880, height: 1800 })
    assert.deepEqual(desktopSize({ width: 390, height: 844 }, 3, "sharp"), { width: 998, height: 2160 })
    assert.deepEqual(desktopSize({ width: 100, height: 50 }, 1, "match"), { width: 320, height: 240 })
    assert.equal(desktopSize({ width: 1280, height: 800 }, 1, "scale"), undefined)
  })

  it("a size that was not made is asked for again, unless another one is wanted meanwhile", async () => {
    const asked: string[] = []
    let [refusals, failures] = [2, 0]
    const post = async (size: { width: number; height: number }) => {
      asked.push(`${size.width}x${size.height}`)
      return refusals-- > 0 ? undefined : size
    }
    const resizer = createResizer(post, () => failures++, [20, 400])
    resizer.want({ width: 900, height: 700 }, 0)
    await waitUntil("it was asked for until it was made", () => asked.length === 3)
    resizer.want({ width: 900, height: 700 }, 0)
    refusals = 2
    resizer.want({ width: 390, height: 844 }, 0)
    await waitUntil("the next one was refused twice", () => asked.length === 5)
    resizer.want({ width: 800, height: 600 }, 0)
    await waitUntil("another one is asked for", () => asked.at(-1) === "800x600")
    assert.deepEqual(asked.slice(3), ["390x844", "390x844", "800x600"])
    assert.equal(failures, 0)
    refusals = 3
    resizer.want({ width: 640, height: 480 }, 0)
    await waitUntil("it is said that it cannot be made", () => failures === 1)
    resizer.want({ width: 640, height: 480 }, 0)
    await waitUntil("whoever wants it again is not turned away", () => asked.length === 10)
  })

  it("typed text is told from what a field held before and after", () => {
    assert.deepEqual(textChange("ab", "abc"), { removed: 0, added: "c" })
    assert.deepEqual(textChange("teh", "the "), { removed: 2, added: "he " })
    assert.deepEqual(textChange("a👍", "a"), { removed: 1, added: "" })
  })

  it("keys are named by combination or by character", () => {
    assert.deepEqual(
      parseCombination("ctrl+w").map(([keysym]) => keysym),
      [0xffe3, 0x77],
    )
    assert.deepEqual(characterKey("€"), [0x10020ac, ""])
    assert.throws(() => parseCombination("hyper+x"), /No key is called hyper/)
  })

  it("settings take known values only", () => {
    const read = (text: string | null) => readSettings({ getItem: () => text })
    const defaults = { sizing: "match", quality: "medium", shareClipboard: true }
    assert.deepEqual(read(null), defaults)
    assert.deepEqual(read("{"), defaults)
    assert.deepEqual(read('{"sizing":"huge","quality":"low","extra":1}'), { ...defaults, quality: "low" })
  })
})

function trial() {
  const states: State[] = []
  const opened: StreamEvents[] = []
  const world: World = {
    open: events => {
      opened.push(events)
      return { close: () => {} }
    },
    probe: async () => "lost",
    awake: () => "yes",
    now: () => Date.now(),
    random: () => 0,
    show: state => states.push(state),
  }
  return { connection: createConnection(world), states, opened, world }
}

function retryAt(states: State[]): number {
  const state = states.at(-1)
  return state?.name === "waiting" ? state.retryAt : Number.POSITIVE_INFINITY
}
