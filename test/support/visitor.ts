/** What a visit ended at, after all redirects. */
export interface Visit {
  url: string
  status: number
  headers: Headers
  text: string
  /** The addresses of the redirects on the way. */
  way: string[]
}

export interface Visitor {
  /** Goes to an address, with the cookies it has, and follows redirects. */
  get(url: string): Promise<Visit>
  /** Sends a form and follows redirects. @param headers of the first request, such as `origin` */
  post(url: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Visit>
  /** Cookies by host name: as in a browser, ports do not tell them apart. */
  cookies: Map<string, Map<string, string>>
}

/**
 * A browser without pages: cookies and redirects, nothing else.
 * @param more headers of every request, as a proxy in front may add them
 */
export function createVisitor(more: Record<string, string> = {}): Visitor {
  const cookies = new Map<string, Map<string, string>>()
  const jar = (url: string) => {
    const { hostname } = new URL(url)
    const found = cookies.get(hostname) ?? new Map<string, string>()
    cookies.set(hostname, found)
    return found
  }
  const keep = (url: string, headers: Headers) => {
    for (const line of headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === "" || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar(url).delete(name)
      else jar(url).set(name, value)
    }
  }
  const visit = async (start: string, init: RequestInit): Promise<Visit> => {
    const way: string[] = []
    for (let url = start, request = init; way.length < 20; ) {
      const cookie = [...jar(url)].map(([name, value]) => `${name}=${value}`).join("; ")
      const headers = { ...more, accept: "text/html", ...(cookie ? { cookie } : {}), ...(request.headers as object) }
      const response = await fetch(url, { ...request, redirect: "manual", headers })
      const text = await response.text()
      // A process that was held up in between takes a request for one that came too late: it may be asked again.
      if (response.status === 408) continue
      keep(url, response.headers)
      const location = response.headers.get("location")
      if (!location) return { url, status: response.status, headers: response.headers, text, way }
      url = new URL(location, url).href
      request = {}
      way.push(url)
    }
    throw new Error(`Redirects without end: ${way.join(" → ")}`)
  }
  return {
    get: url => visit(url, {}),
    post: (url, form, headers = {}) => visit(url, { method: "POST", body: new URLSearchParams(form), headers }),
    cookies,
  }
}

/** The token in the forms of a page. */
export function csrfOf(page: Visit): string {
  const [, token] = /name="csrf" value="([^"]+)"/.exec(page.text) ?? []
  if (!token) throw new Error(`There is no form on this page: ${page.status} ${page.url}`)
  return token
}
