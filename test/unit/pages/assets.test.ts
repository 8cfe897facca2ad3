import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { assetUrl, importsOf } from "../../../service/pages/assets.ts"
import { assets } from "../../../service/pages/index.ts"
import { samplePages } from "../../support/page-samples.ts"

describe("assets of the pages", () => {
  it("an address names the content", () => {
    for (const [path, { body }] of assets()) {
      const hash = /^\/assets\/[a-z-]+\.([0-9a-f]{16})\.(js|css|svg)$/.exec(path)?.[1]
      assert.equal(hash, createHash("sha256").update(body).digest("hex").slice(0, 16), path)
    }
  })

  it("scripts are JavaScript and import one another by address", () => {
    for (const [path, { body, type }] of assets()) {
      if (!path.endsWith(".js")) continue
      assert.equal(type, "text/javascript; charset=utf-8")
      const code = String(body)
      for (const [, from] of code.matchAll(/from\s*"([^"]+)"/g)) assert.ok(assets().has(from ?? ""), `${path}: ${from}`)
      assert.doesNotMatch(code, /\.ts"/)
    }
    assert.ok(importsOf("live-operation.js").includes(assetUrl("words.js")))
    assert.throws(() => assetUrl("nothing.js"), /There is no asset nothing.js/)
  })

  it("every address in every page is there, and nothing is inline", () => {
    for (const [path, page] of Object.entries(samplePages())) {
      for (const [url] of page.matchAll(/\/assets\/[^"]+/g)) assert.ok(assets().has(url), `${path}: ${url}`)
      assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?! type="module" src="\/assets\/)/, path)
    }
  })
})
