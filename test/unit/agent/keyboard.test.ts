import assert from "node:assert/strict"
import { keepKeyboard } from "../../../image-builder/agent/windows/keyboard.ts"
import type { WindowSeen } from "../../../image-builder/agent/windows/layout.ts"

const [TERMINAL, BROWSER, SECOND] = [4, 14, 15]
const AT_REST = { x: 960, y: 540 }

describe("the keyboard while the machine's browser comes", () => {
  const seen = (id: number, kind: WindowSeen["kind"], x: number, placed = false): WindowSeen => {
    const frame = { x, y: 0, width: 640, height: 1046 }
    return { id, kind, isDialog: false, isFilling: false, frame, placed: placed ? frame : null }
  }
  const terminal = seen(TERMINAL, "terminal", 0, true)
  const browser = seen(BROWSER, "browser", 640)
  const placed = seen(BROWSER, "browser", 640, true)
  const look = (windows: WindowSeen[], active: number, now: number, pointer = AT_REST) => ({
    ...{ windows, active, now, pointer },
  })
  let keyboard: ReturnType<typeof keepKeyboard>
  beforeEach(() => {
    keyboard = keepKeyboard()
    assert.equal(keyboard(look([terminal], TERMINAL, 0)), null)
  })

  it("goes back to the terminal when the browser takes it by itself, which it does more than once", () => {
    assert.equal(keyboard(look([terminal, browser], TERMINAL, 1_000)), null)
    for (const at of [2_000, 3_000, 4_000]) {
      assert.equal(keyboard(look([terminal, placed], BROWSER, at)), TERMINAL)
      assert.equal(keyboard(look([terminal, placed], BROWSER, at + 50)), TERMINAL, "not yet done")
      assert.equal(keyboard(look([terminal, placed], TERMINAL, at + 100)), null)
    }
    assert.equal(keyboard(look([terminal, placed], BROWSER, 5_000)), null, "but not for ever")
    assert.equal(keyboard(look([terminal, placed], BROWSER, 50_000)), null)
  })

  it("goes back where the browser has it at the first look already", () => {
    assert.equal(keyboard(look([terminal, browser], BROWSER, 1_000)), TERMINAL)
  })

  it("goes back although the pointer moves in the window that had it", () => {
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 2_500, { x: 20, y: 30 })), TERMINAL)
  })

  it("stays with the browser when a person has gone there", () => {
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 2_500, { x: 1_000, y: 30 })), null)
    assert.equal(keyboard(look([terminal, placed], BROWSER, 3_500)), null)
    assert.equal(keyboard(look([terminal, placed], BROWSER, 60_000)), null)
    keyboard(look([terminal, placed], TERMINAL, 3_600))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 3_700)), null)
  })

  it("stays with the browser long after it has come", () => {
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 60_000)), null)
  })

  it("stays where it is when nothing had it before, or what had it is gone", () => {
    keyboard = keepKeyboard()
    assert.equal(keyboard(look([browser], BROWSER, 0)), null)
    keyboard = keepKeyboard()
    keyboard(look([terminal], TERMINAL, 0))
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    assert.equal(keyboard(look([placed], BROWSER, 2_000)), null)
  })

  it("leaves further windows of the browser alone, and guards the next one that the machine opens", () => {
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 2_000)), TERMINAL)
    keyboard(look([terminal, placed], TERMINAL, 2_100))
    assert.equal(keyboard(look([terminal, placed, seen(SECOND, "browser", 700)], SECOND, 3_000)), null)
    keyboard(look([terminal], TERMINAL, 9_000))
    // The display gives the same numbers again.
    keyboard(look([terminal, browser], TERMINAL, 10_000))
    assert.equal(keyboard(look([terminal, placed], BROWSER, 11_000)), TERMINAL)
  })

  it("counts a dialog of the browser as no window of its own", () => {
    keyboard(look([terminal, browser], TERMINAL, 1_000))
    const dialog = { ...seen(SECOND, "browser", 700), isDialog: true }
    assert.equal(keyboard(look([terminal, placed, dialog], BROWSER, 2_000)), TERMINAL)
  })
})
