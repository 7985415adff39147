import { printable } from '../../../base/text.ts'
import type { Rule } from '../rule.ts'
import { fail, pass, some } from '../say.ts'

const name = 'keywords'

/** Interest: one keyword of the service must be among KEYWORDS, in any case. No KEYWORDS = interested in everything. */
export const keywords: Rule = {
  name,
  keys: ['KEYWORDS'],
  cost: 20,
  failing: 'redirect',
  decide(service, { config: { KEYWORDS } }) {
    if (KEYWORDS.length === 0) return [pass(name, 'KEYWORDS is empty: every service is of interest')]
    const wanted = new Set(KEYWORDS.map((word) => word.toLowerCase()))
    const match = service.keywords.find((word) => wanted.has(word.toLowerCase()))
    if (match !== undefined) return [pass(name, `the keyword "${printable(match, 64)}" is of interest`)]
    const has = service.keywords.length === 0 ? 'the service has no keywords' : `none of the keywords is of interest`
    const value = some(wanted)
    return [fail(name, `${has}; KEYWORDS are ${value}`, { field: 'keywords', must: 'one-of', value })]
  },
}
