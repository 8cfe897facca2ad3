import assert from "node:assert/strict"
import { deflateRawSync, inflateRawSync } from "node:zlib"
import fc from "fast-check"
import { readHandshake } from "../../../image-builder/agent/relay/handshake.ts"
import {
  asArguments,
  asLine,
  keyCommands,
  pasteCommands,
  sizeCommand,
} from "../../../image-builder/agent/terminals/commands.ts"
import { createControlReader, decodeOutput } from "../../../image-builder/agent/terminals/control-lines.ts"
import { fromLike, likeLast } from "../../../image-builder/agent/terminals/like.ts"
import { cleanName, freeName, LIST_FORMAT, parseList } from "../../../image-builder/agent/terminals/list.ts"
import { createOutbox } from "../../../image-builder/agent/terminals/outbox.ts"
import { createPace } from "../../../image-builder/agent/terminals/pace.ts"
import { readWish, say } from "../../../image-builder/agent/terminals/protocol.ts"
import { createAttributes } from "../../../image-builder/agent/terminals/sgr.ts"
import { composeSnapshot } from "../../../image-builder/agent/terminals/snapshot.ts"
import { createTitleFilter } from "../../../image-builder/agent/terminals/titles.ts"
import { waitUntil } from "../../support/wait-until.ts"

const bytes = (text: string) => Buffer.from(text)

/** Cuts a text into pieces at these places. */
const cut = (whole: Buffer, places: number[]) => {
  const at = [0, ...places.map(place => place % (whole.length + 1)).sort((a, b) => a - b), whole.length]
  return at.slice(1).map((end, index) => whole.subarray(at[index], end))
}

describe("agent/terminals: what tmux says", () => {
  const text = [
    "%begin 1 5 0",
    "%end 1 5 0",
    "%session-changed $0 main",
    "%extended-output %3 12 : a\\033[1m\\134b ö : c\\015\\012",
    "%begin 1 6 1",
    "%end 1 7 1",
    "%output %9 no",
    "%end 1 6 1",
    "%output %4 x\\000y",
    "%begin 1 8 1",
    "it went wrong",
    "%error 1 8 1",
    "",
  ].join("\n")
  const seen = [
    ["notice", "session-changed", "$0 main"],
    ["output", "%3", "a\x1b[1m\\b ö : c\r\n"],
    // What stands in an answer may look like anything.
    ["reply", ["%end 1 7 1", "%output %9 no"], true],
    ["output", "%4", "x\0y"],
    ["reply", ["it went wrong"], false],
  ]

  it("is read the same however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), places => {
        const found: unknown[] = []
        const read = createControlReader({
          wants: pane => pane !== "%8",
          output: (pane, data) => found.push(["output", pane, data.toString()]),
          reply: (lines, isGood) => found.push(["reply", lines, isGood]),
          notice: (name, rest) => found.push(["notice", name, rest]),
        })
        for (const piece of cut(bytes(text), places)) read(piece)
        assert.deepEqual(found, seen)
      }),
    )
  })

  it("has any byte in its output", () => {
    fc.assert(
      fc.property(fc.uint8Array(), data => {
        const escaped = Buffer.concat(
          [...data].map(one =>
            one < 0x20 || one === 0x5c ? bytes(`\\${one.toString(8).padStart(3, "0")}`) : Buffer.of(one),
          ),
        )
        assert.deepEqual(decodeOutput(escaped), Buffer.from(data))
      }),
    )
  })

  it("is a list of panes, named as people would", () => {
    const row = (...fields: (string | number)[]) => fields.join("\t")
    const all = parseList([
      row("$1", "t1", "@4", 0, "Build", 0, 1, "%4", 0, "node", 80, 24, 1, 1),
      row("$0", "main", "@0", 0, "bash", 1, 2, "%0", 0, "bash", 60, 40, 1, 0),
      row("$0", "main", "@0", 0, "bash", 1, 2, "%1", 1, "vi", 60, 40, 1, 1),
      row("$0", "main", "@2", 3, "Logs", 0, 1, "%2", 0, "tail", 120, 40, 0, 1),
      row("$5", "grouped", "@4", 0, "Build", 0, 1, "%4", 0, "node", 80, 24, 1, 1),
      "no server running",
    ])
    assert.deepEqual(
      all.map(({ id, name, panes, front }) => [id, name, panes, front]),
      [
        ["%0", "main:0.0", 2, false],
        ["%1", "main:0.1", 2, true],
        ["%2", "Logs", 1, false],
        ["%4", "Build", 1, false],
      ],
    )
    assert.equal(LIST_FORMAT.split("\t").length, 14)
  })
})

describe("agent/terminals: what tmux is told", () => {
  it("has names that cannot be more than names", () => {
    for (const good of ["Build", " two  words ", "Wörk (2)", "日本", "a/b.c_d+e@f"]) assert.ok(cleanName(good), good)
    for (const bad of [
      "",
      "  ",
      "#{x}",
      "#(x)",
      "a;b",
      "a'b",
      'a"b',
      "a\\b",
      "$x",
      "`x`",
      "a:b",
      "-x",
      "a\0b",
      "x".repeat(41),
      7,
      null,
    ])
      assert.equal(cleanName(bad), null, String(bad))
    assert.equal(freeName(["Terminal 1", "main", "Terminal 3"]), "Terminal 2")
  })

  it("is one line and the same arguments", () => {
    const commands = sizeCommand("@3", 100, 30)
    const [first, second] = ["resize-window -t '@3' -x 100 -y 30", "set-option -w -t '@3' '@foozol-sized' 1"]
    assert.equal(asLine(commands), `${first} ; ${second}`)
    assert.deepEqual(asArguments(commands).join(" "), `${first} ; ${second}`.replaceAll("'", ""))
    assert.equal(asLine([["x", "it's\na"]]), "x 'itsa'")
  })

  it("has keys as bytes, and pastes that stay one string", () => {
    assert.deepEqual(keyCommands("%1", bytes("a\x03ö")), ["send-keys -t %1 -H 61 03 c3 b6"])
    assert.equal(keyCommands("%1", Buffer.alloc(1_500)).length, 3)
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), text => {
        for (const line of pasteCommands("%1", text).slice(1, -1)) {
          assert.match(line, /^set-buffer -a -b foozol-paste "([0-9a-z ]|\\[0-7]{3})+"$/)
        }
      }),
    )
    const said = pasteCommands("%1", "a\r\nb\x1b[201~").join("\n")
    assert.ok(said.includes("\\012") && !said.includes("\\033") && !said.includes("\\015"))
  })
})

describe("agent/terminals: what a page gets and asks", () => {
  it("carries attributes over the ends of lines", () => {
    const attributes = createAttributes()
    const lines = [
      "\x1b[1;31mred",
      "\x1b[48;2;1;2;3m \x1b[38;5;9mx",
      "\x1b[39m",
      "\x1b[0m plain",
      "\x1b[4:3;58:2::9:9:9m~",
    ]
    assert.deepEqual(
      lines.map(line => attributes.after(line)),
      ["\x1b[1;31m", "\x1b[1;38;5;9;48;2;1;2;3m", "\x1b[1;48;2;1;2;3m", "", "\x1b[4:3;58:2::9:9:9m"],
    )
  })

  it("is shown the moment of a snapshot", () => {
    const state = (alternate: number, history: number) => [`${alternate} ${history} 2 1 0 2 80 3 0 0 1 0 0 1 0 0 0 0 1`]
    const plain = composeSnapshot([state(0, 1), ["old"], ["a", "b", ""], []])?.bytes.toString() ?? ""
    assert.ok(plain.startsWith("\x1bcold\x1b[m\r\na\x1b[m\r\nb\x1b[m\r\n"), JSON.stringify(plain))
    assert.ok(plain.endsWith("\x1b[?1h\x1b[?25l\x1b[?1006h\x1b[2;3H"), JSON.stringify(plain))
    // Without a history, tmux gives the screen's first line in its place.
    assert.ok(
      !composeSnapshot([state(0, 0), ["a"], ["a"], []])
        ?.bytes.toString()
        .includes("a\x1b[m\r\na"),
    )
    const alternate = composeSnapshot([state(1, 1), ["old"], ["full"], ["under", ""]])?.bytes.toString() ?? ""
    assert.ok(alternate.includes("old\x1b[m\r\nunder\x1b[m\x1b[?1049h\x1b[Hfull"), JSON.stringify(alternate))
    assert.equal(composeSnapshot([null, null, null, null]), null)
  })

  it("leaves titles out, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), places => {
        const filter = createTitleFilter()
        const whole = bytes("a\x1b[1mb\x1bktitle \x1b[ of it\x1b\\c\x1bk\x1b\\\x1b]0;other\x07d")
        const kept = Buffer.concat(cut(whole, places).map(piece => filter(Buffer.from(piece))))
        assert.equal(kept.toString(), "a\x1b[1mbc\x1b]0;other\x07d")
      }),
    )
  })

  it("tells output by the output before it, and only where that is shorter", () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 90 }),
        fc.uint8Array({ maxLength: 90 }),
        (common, a, b) => {
          const [last, next] = [Buffer.concat([common, a, common]), Buffer.concat([common, b, common])]
          const told = likeLast(last, next)
          if (told === null) return
          assert.deepEqual(Buffer.from(fromLike(last, told)), next)
          assert.ok(told.length < next.length)
        },
      ),
    )
    assert.equal(likeLast(Buffer.alloc(10), Buffer.alloc(10)), null)
    assert.equal(likeLast(Buffer.alloc(70_000), Buffer.alloc(70_000)), null)
    assert.equal(likeLast(Buffer.alloc(1_000), Buffer.alloc(1_000))?.length, 4)
  })

  it("gets no more than it takes, and less where the way is slow", () => {
    const pace = createPace()
    pace.sent(128 * 1024, 0)
    assert.equal(pace.isBehind(), false)
    pace.sent(1, 0)
    assert.deepEqual([pace.isBehind(), pace.isClear()], [true, false])
    pace.taken(128 * 1024 + 1, 1_000)
    assert.deepEqual([pace.isBehind(), pace.isClear()], [false, true])
    pace.sent(65 * 1024, 1_000)
    assert.equal(pace.isBehind(), true, "a page that was late gets half as much")
    pace.sentAnew(1024 * 1024, 1_100)
    assert.deepEqual([pace.isBehind(), pace.isClear()], [false, false], "a snapshot counts for nothing")
    for (const nonsense of [Number.NaN, -1, 1e18]) pace.taken(nonsense, 1_200)
    assert.equal(pace.isClear(), false)
  })

  it("may ask for what there is, and nothing else", () => {
    const read = (value: unknown) => readWish(say(value as never).subarray(2))
    const good = { do: "size", channel: 1, cols: 80, rows: 24 } as const
    assert.deepEqual(read(good), good)
    assert.deepEqual(read({ do: "create" }), { do: "create", name: null })
    const bad = [
      { ...good, cols: 1e9 },
      { ...good, rows: 2.5 },
      { ...good, channel: 0 },
      { ...good, channel: 17 },
    ]
    const worse = [
      null,
      [],
      7,
      "x",
      { do: "end", id: "%1;x" },
      { do: "end", id: "main" },
      { do: "rename", id: "%1", name: "#(x)" },
    ]
    for (const one of [...bad, ...worse]) assert.equal(read(one), null, JSON.stringify(one))
    assert.equal(readWish(bytes("{")), null)
    assert.equal(readWish(bytes(`{"do":"create","name":"${" ".repeat(5_000)}"}`)), null)
  })

  it("gets messages in order, compressed with one dictionary", async () => {
    const frames: Buffer[] = []
    const outbox = createOutbox(frame => frames.push(Buffer.from(frame)), true)
    const texts = [
      "x",
      "a long line that comes again and again".repeat(3),
      "y",
      "a long line that comes again and again".repeat(3),
    ]
    for (const text of texts) outbox.send(bytes(text))
    await waitUntil("all are written", () => frames.length === 4)
    assert.deepEqual(
      frames.map(frame => frame[0]),
      [0x82, 0xc2, 0x82, 0xc2],
    )
    const parts = [frames[1], frames[3]].map(frame =>
      Buffer.concat([(frame as Buffer).subarray(2), Buffer.of(0, 0, 0xff, 0xff)]),
    )
    assert.equal(inflateRawSync(Buffer.concat([...parts, deflateRawSync("")])).toString(), `${texts[1]}${texts[3]}`)
    assert.ok((frames[3]?.length ?? 99) < 16, "the second costs next to nothing")
    outbox.close()
  })

  it("agrees on compression only as it is done here", () => {
    const headers = {
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    const deflates = (offer: string) =>
      readHandshake({ method: "GET", headers: { ...headers, "sec-websocket-extensions": offer } } as never)
    const cases: [string, boolean][] = [
      ["permessage-deflate; client_max_window_bits", true],
      ["x-other, permessage-deflate", true],
      ["permessage-deflate; server_max_window_bits=9", false],
      ["permessage-deflate; server_no_context_takeover", false],
      ["", false],
    ]
    for (const [offer, expected] of cases)
      assert.equal((deflates(offer) as { deflates: boolean }).deflates, expected, offer)
  })
})
