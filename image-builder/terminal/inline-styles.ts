/// <reference lib="dom" />

/**
 * The emulator writes its styles into `<style>` elements and `style` attributes, which the page's policy rightly
 * forbids. The same text put in by way of the object model is allowed: nothing that comes from elsewhere could do that
 * without running as a script, which the policy admits by its hash only.
 */
export function allowOwnStyles(): void {
  const createElement = document.createElement.bind(document)
  // In the place of a `<style>`, which the policy would complain of even while it is empty.
  document.createElement = ((name: string, options?: ElementCreationOptions) =>
    name === "style" ? asSheet(createElement("template")) : createElement(name, options)) as typeof createElement

  const setAttribute = Element.prototype.setAttribute
  Element.prototype.setAttribute = function (name: string, value: string) {
    if (name === "style" && this instanceof HTMLElement) this.style.cssText = value
    else setAttribute.call(this, name, value)
  }
}

function asSheet(element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet()
  let text = ""
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  Object.defineProperty(element, "textContent", {
    get: () => text,
    set: (given: string) => {
      text = given
      sheet.replaceSync(given)
    },
  })
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(one => one !== sheet)
    Element.prototype.remove.call(element)
  }
  return element
}
