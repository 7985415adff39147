import { fail, pass } from '../reasons.ts'
import type { Rule } from '../rule.ts'

const name = 'desc-length'

/** A description must be shorter than DESC_MAX_LEN. A service with a longer one is not redirected. */
export const descLength: Rule = {
  name,
  keys: ['DESC_MAX_LEN'],
  onFail: 'drop',
  doc: { asks: '`desc.length` is less than `DESC_MAX_LEN`.', otherwise: 'dropped: not run, not redirected' },
  decide({ desc }, { config: { DESC_MAX_LEN } }) {
    if (desc.length < DESC_MAX_LEN) return [pass(name, `desc has ${desc.length} characters`)]
    const message = `desc has ${desc.length} characters, DESC_MAX_LEN allows fewer than ${DESC_MAX_LEN}`
    if (DESC_MAX_LEN === 0) return [fail(name, `${message}: no description helps`)]
    return [fail(name, message, { field: 'desc.length', must: 'at-most', value: String(DESC_MAX_LEN - 1) })]
  },
}
