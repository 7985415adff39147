import { trustedWords } from '../hubs.ts'
import type { Rule } from '../rule.ts'
import { fail, MAX_EACH, pass, shown } from '../say.ts'

const name = 'veto'

/** No trusted hub may call the code unsafe, whoever wrote it. What one does is not even passed on. */
export const veto: Rule = {
  name,
  keys: ['TRUSTED_HUBS'],
  failing: 'drop',
  doc: {
    asks: 'No hub of `TRUSTED_HUBS` says, in its last valid statement, that the code is unsafe. This holds for every author, the own address included.',
    otherwise: 'dropped: not run, not redirected',
  },
  decide(_service, node) {
    const unsafe = trustedWords(node).filter(({ verdict }) => verdict === 'unsafe')
    if (unsafe.length === 0) return [pass(name, 'no trusted hub calls the code unsafe')]
    return unsafe.slice(0, MAX_EACH).map(({ hub }) =>
      fail(name, `the trusted hub ${shown(hub)} calls the code unsafe`, {
        field: 'attestations',
        must: 'be',
        value: `safe by ${shown(hub)}`,
      }),
    )
  },
}
