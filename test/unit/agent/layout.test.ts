import assert from "node:assert/strict"
import {
  type Area,
  arrange as arrangeAll,
  homesIn,
  type WindowSeen,
} from "../../../image-builder/agent/windows/layout.ts"

const at = (x: number, y: number, width: number, height: number): Area => ({ x, y, width, height })
const large = at(0, 0, 1920, 1048)
const small = at(0, 0, 1280, 768)
const phone = at(0, 0, 390, 780)

function seen(kind: WindowSeen["kind"], frame: Area, change: Partial<WindowSeen> = {}): WindowSeen {
  const id = { terminal: 1, browser: 2, other: 3 }[kind]
  return { id, kind, frame, placed: frame, isDialog: false, isFilling: false, ...change }
}

describe("agent/windows/layout", () => {
  const inside = (inner: Area, outer: Area) =>
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  const arrange = (windows: WindowSeen[], area: Area, before: Area | null, hasApp = false) =>
    arrangeAll(windows, area, before, hasApp)
  const home = homesIn(large, "browser")
  const atHome = [seen("terminal", home.terminal), seen("browser", home.main)]

  describe("#homesIn()", () => {
    it("gives the terminal a third and the browser two", () => {
      assert.deepEqual(home, { terminal: at(0, 0, 640, 1048), main: at(640, 0, 1280, 1048) })
    })
    it("puts one above the other on a phone, and one over the other where even that is too small", () => {
      const { main, terminal } = homesIn(phone, "browser")
      assert.deepEqual([main.width, terminal.width], [390, 390])
      assert.equal(terminal.y, main.y + main.height)
      assert.equal(terminal.y + terminal.height, phone.height)
      const lying = at(0, 0, 844, 358)
      assert.deepEqual(homesIn(lying, "browser"), { main: lying, terminal: lying })
    })
    it("leaves everything to an app", () => {
      assert.deepEqual(homesIn(large, "other").main, large)
      assert.deepEqual(homesIn(phone, "other").main, phone)
    })
    it("never leaves the area", () => {
      for (const area of [large, small, phone, at(0, 0, 900, 300), at(0, 0, 320, 208), at(0, 24, 768, 1000)])
        for (const kind of ["browser", "other"] as const)
          for (const one of Object.values(homesIn(area, kind))) assert.ok(inside(one, area))
    })
  })

  describe("#arrange()", () => {
    it("puts windows that have just opened where they belong", () => {
      const fresh = atHome.map(one => ({ ...one, frame: at(5, 5, 300, 200), placed: null }))
      assert.deepEqual(arrange(fresh, large, large), [
        { id: 1, to: home.terminal, isHome: true },
        { id: 2, to: home.main, isHome: true },
      ])
    })
    it("leaves them alone once they are there", () => {
      assert.deepEqual(arrange(atHome, large, large), [])
      assert.deepEqual(arrange(atHome, large, null), [])
    })
    it("lays them out anew in another size, and back again", () => {
      for (const area of [small, phone]) {
        const { main, terminal } = homesIn(area, "browser")
        assert.deepEqual(arrange(atHome, area, large), [
          { id: 1, to: terminal, isHome: true },
          { id: 2, to: main, isHome: true },
        ])
        assert.equal(arrange([seen("terminal", terminal), seen("browser", main)], large, area).length, 2)
      }
    })
    it("takes a terminal rounded to its letters for one that was not moved", () => {
      const rounded = seen("terminal", at(0, 0, 632, 1031), { placed: home.terminal })
      assert.equal(arrange([rounded], small, large).length, 1)
    })
    it("lets what a person has arranged stay where it fits", () => {
      const moved = seen("terminal", at(300, 200, 500, 400), { placed: home.terminal })
      assert.deepEqual(arrange([moved], small, large), [])
      assert.deepEqual(arrange([moved], large, small), [])
    })
    it("brings in what would lie outside, no larger than the display", () => {
      const far = seen("terminal", at(1500, 800, 400, 300), { placed: home.terminal })
      assert.deepEqual(arrange([far], small, large), [{ id: 1, to: at(880, 468, 400, 300), isHome: false }])
      const editor = seen("other", at(700, 100, 1200, 900), { id: 9, placed: null, isDialog: true })
      assert.deepEqual(arrange([...atHome, editor], phone, large).at(-1), { id: 9, to: phone, isHome: false })
    })
    it("does so only when the display has changed: a window may hang over its edge", () => {
      const far = seen("terminal", at(1700, 800, 400, 300), { placed: home.terminal })
      assert.deepEqual(arrange([far], large, large), [])
      assert.deepEqual(arrange([far], large, null), [])
    })
    it("knows a window that the window manager has taken up from outside", () => {
      const { terminal } = homesIn(phone, "browser")
      const lying = at(0, 0, 844, 358)
      const taken = seen("terminal", { ...terminal, x: 390, y: 0 }, { placed: terminal })
      assert.deepEqual(arrange([taken], lying, phone), [{ id: 1, to: lying, isHome: true }])
    })
    it("leaves maximised windows to the window manager, and further windows to their user", () => {
      const full = seen("browser", large, { placed: home.main, isFilling: true })
      const second = seen("browser", at(100, 100, 600, 400), { id: 7, placed: null })
      assert.deepEqual(arrange([full, second], small, large), [])
    })
    it("takes the first window that is no dialog for the app's, and none where there is no app", () => {
      const splash = seen("other", at(50, 50, 200, 100), { id: 4, isDialog: true, placed: null })
      const app = seen("other", at(10, 10, 800, 600), { placed: null })
      assert.deepEqual(arrange([splash, app], large, large, true), [{ id: 3, to: large, isHome: true }])
      assert.deepEqual(arrange([splash, app], large, large), [])
    })
    it("keeps to the app's window when another one comes before it", () => {
      const app = seen("other", large)
      const early = seen("other", at(10, 10, 800, 600), { id: 4, placed: null })
      assert.deepEqual(arrange([early, app], small, large, true), [{ id: 3, to: small, isHome: true }])
    })
  })
})
