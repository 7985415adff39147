import { fail, joinSorted, joinWhole, pass, safeText } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'keywords'

/** Interest: one keyword of the service must be among KEYWORDS, in any case. No KEYWORDS = interested in everything. */
export const keywords: Rule = {
  name,
  keys: ['KEYWORDS'],
  onFail: 'redirect',
  doc: {
    asks: 'One keyword of the service is among `KEYWORDS`, in any case. An empty list = interested in everything.',
    otherwise: 'not run; redirected',
  },
  decide(service, { config: { KEYWORDS } }) {
    if (KEYWORDS.length === 0) return [pass(name, 'KEYWORDS is empty: every service is of interest')]
    const wanted = new Set(KEYWORDS.map((word) => word.toLowerCase()))
    const matches = service.keywords.filter((word) => wanted.has(word.toLowerCase())).sort()
    if (matches[0] !== undefined) return [pass(name, `the keyword "${safeText(matches[0])}" is of interest`)]
    const has = service.keywords.length === 0 ? 'the service has no keywords' : `none of the keywords is of interest`
    return [
      fail(name, `${has}; KEYWORDS are ${joinSorted(wanted)}`, {
        field: 'keywords',
        must: 'one-of',
        value: joinWhole(wanted),
      }),
    ]
  },
}
