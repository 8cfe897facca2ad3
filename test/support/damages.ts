import assert from "node:assert/strict"
import { CHECKLIST } from "../../image-builder/verify/checklist.ts"
import type { Run } from "../../image-builder/verify/run.ts"
import { runChecks } from "../../image-builder/verify/run-checks.ts"

/** Something broken on purpose, and the check that must notice it. */
export interface Damage {
  what: string
  /** Run on the machine as root; `@` stands for a token that is good. */
  breaks: string
  mends: string
  /** The stream that is open ends by it. */
  cuts?: boolean
  /** The check's name, or its beginning. */
  check: string
  says: RegExp
}

const nginx = (edit: string) =>
  `cp -n /etc/nginx/nginx.conf /root/; sed -i '${edit}' /etc/nginx/nginx.conf; systemctl reload nginx; sleep 2`
const nginxAsBefore = "cp /root/nginx.conf /etc/nginx/; systemctl reload nginx; sleep 2"

/** Those that the checklist notices within seconds. */
export const QUICK_DAMAGES: Damage[] = [
  {
    what: "a server at port 6080 that others reach",
    breaks:
      "systemd-run --collect --unit=extra python3 -m http.server 6080; until ss -ltn | grep -q :6080; do sleep 0.2; done",
    mends: "systemctl stop extra",
    check: "door: port 443 is reachable",
    says: /Besides 443 these ports take connections: 6080/,
  },
  {
    what: "a server at a port that nothing lets through",
    breaks:
      "systemd-run --collect --unit=extra python3 -m http.server 9000; until ss -ltn | grep -q :9000; do sleep 0.2; done",
    mends: "systemctl stop extra",
    check: "contents: nothing but port 443 listens",
    says: /These listen too: 0\.0\.0\.0:9000/,
  },
  {
    what: "an NGINX that asks nobody",
    breaks: nginx("s/auth_request [/]_authorize/auth_request off/"),
    mends: nginxAsBefore,
    check: "admission: nobody without a token",
    says: /\/ answered 200 instead of 401 to a visitor without a token/,
  },
  {
    what: "an NGINX that takes every origin",
    breaks: nginx("s/has_own_origin = 0/has_own_origin = 2/"),
    mends: nginxAsBefore,
    check: "admission: no stream for a page of another site",
    says: /A stream was opened for the origin/,
  },
  {
    what: "a token in the journal",
    breaks: "logger 'seen: @'",
    mends: "journalctl --rotate; journalctl --vacuum-time=1s",
    check: "logs: no token",
    says: /MESSAGE of the journal/,
  },
  {
    what: "a key that everybody may read",
    breaks: "chmod 644 /etc/foozol/tls/key.pem",
    mends: "chmod 600 /etc/foozol/tls/key.pem",
    check: "contents: keys are readable",
    says: /key\.pem: 644 root root/,
  },
]

/** Those that it notices by waiting in vain. */
export const SLOW_DAMAGES: Damage[] = [
  {
    what: "a command line that is not there",
    breaks: "mv /usr/bin/gh /root/",
    mends: "mv /root/gh /usr/bin/",
    check: "contents: every command line answers",
    says: /gh ended with 127/,
  },
  {
    what: "a unit that systemd does not start again",
    breaks:
      "mkdir -p /run/systemd/system/foozol-wm.service.d; printf '[Service]\\nRestart=no\\n' > /run/systemd/system/foozol-wm.service.d/no.conf; systemctl daemon-reload",
    mends:
      "rm /run/systemd/system/foozol-wm.service.d/no.conf; systemctl daemon-reload; systemctl restart foozol-wm; sleep 3",
    check: "restart: window manager",
    says: /After foozol-wm was killed: foozol-wm is (failed|inactive)/,
  },
  {
    what: "no terminal on the screen",
    // x11vnc looks at the display from time to time.
    breaks: "systemctl mask --runtime --now foozol-terminal; sleep 3",
    mends: "systemctl unmask --runtime foozol-terminal; systemctl start foozol-terminal",
    check: "screen: a terminal",
    says: /The terminal covers \d+ % of the screen/,
  },
  {
    what: "no x11vnc",
    breaks: "systemctl mask --runtime --now foozol-x11vnc",
    mends: "systemctl unmask --runtime foozol-x11vnc; systemctl start foozol-x11vnc",
    cuts: true,
    check: "screen: a stream opens",
    says: /The upgrade of \/vnc was answered with 502/,
  },
  {
    what: "no NGINX",
    breaks: "systemctl mask --runtime --now nginx",
    mends: "systemctl unmask --runtime nginx; systemctl start nginx",
    check: "boot: HTTPS answers",
    says: /an answer at port 443 was waited for in vain/,
  },
]

/** A machine is damaged, and the checklist must notice. @param running the machine, known when the tests begin */
export function noticesDamages(damages: Damage[], running: () => Run): void {
  describe("damaged on purpose", () => {
    let run: Run
    let patience: number
    before(() => {
      run = running()
      patience = run.patience
    })

    for (const { what, breaks, mends, cuts, check, says } of damages) {
      it(`notices ${what}`, async () => {
        const found = CHECKLIST.find(({ name }) => name.startsWith(check))
        assert.ok(found, check)
        const done = await run.inside.run(breaks.replaceAll("@", run.service.token()))
        assert.equal(done.code, 0, done.output)
        // The checks would take the open one for a sign of life.
        if (cuts) await run.viewer?.closed
        try {
          // What is broken does not come back: nobody needs to wait for it.
          run.patience = 60_000
          const [result] = await runChecks([found], run)
          assert.equal(result?.state, "failed", result?.detail)
          assert.match(result?.detail ?? "", says)
        } finally {
          run.patience = patience
          await run.inside.run(mends)
        }
      })
    }
  })
}
