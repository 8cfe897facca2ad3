import { type Check, expect } from "../check.ts"
import type { Run } from "../run.ts"
import { typed } from "./typing.ts"

/** Everything that must never be written down; how often each place tells of one. */
const search = (run: Run) => `cat > patterns <<'END-OF-WORDS'
${[...run.service.secrets(), run.proxy.password].join("\n")}
END-OF-WORDS
sync
journalctl --sync
echo "$(journalctl --no-pager -o cat | wc -l) lines"
journalctl --no-pager -o verbose | grep -Ff patterns | sed 's/=.*/ of the journal/' | sort -u
grep -rlaFf patterns /var/log --exclude-dir=journal
rm patterns
true`

export const logs: Check[] = [
  {
    name: "logs: no token, ticket, key or secret in any of them",
    level: "full",
    needs: [typed.name],
    async run(run) {
      const { output } = await run.inside.run(search(run), { limit: 2 * run.patience })
      const [lines = "", ...places] = output.trim().split("\n")
      expect(Number.parseInt(lines, 10) > 0, "The journal is empty")
      expect(places.length === 0, `They are in ${places.map(place => place.trim()).join(", ")}`)
      return `${lines} searched for ${run.service.secrets().length + 1} words`
    },
  },
]
