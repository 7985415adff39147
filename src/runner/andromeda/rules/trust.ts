import type { Rule } from '../rule.ts'
import { fail, pass, some } from '../say.ts'

const name = 'trust'

/**
 * A service may run when its author is in the trust tree: the node's own address, a root, or who a root vouches for.
 * Without the tree, the trusted hubs' quorum counts; of hubs nothing is known here, and what is not known does not count.
 */
export const trust: Rule = {
  name,
  keys: ['TRUST_TREE', 'TRUSTED_HUBS', 'QUORUM'],
  cost: 100,
  failing: 'redirect',
  decide({ author }, { own, inTree, config: { TRUST_TREE, TRUSTED_HUBS, QUORUM } }) {
    if (author === own) return [pass(name, "the author is this node's own address")]
    if (Object.hasOwn(TRUST_TREE.ROOTS, author)) return [pass(name, 'the author is a root of the trust tree')]
    if (inTree) return [pass(name, 'a root of the trust tree vouches for the author')]
    const hubs = Object.keys(TRUSTED_HUBS)
    if (hubs.length === 0) {
      const message = `the author ${author} is not in the trust tree, and no hubs are trusted`
      return [
        fail(name, message, {
          field: 'author',
          must: 'one-of',
          value: some([own, ...Object.keys(TRUST_TREE.ROOTS)], 3),
        }),
      ]
    }
    const wanted = Math.max(1, QUORUM.HUBS)
    const message = `the author ${author} is not in the trust tree, and nothing is known of ${wanted} trusted ${wanted === 1 ? 'hub' : 'hubs'} that call the code safe`
    return [fail(name, message, { field: 'quorum.hubs', must: 'at-least', value: String(wanted) })]
  },
}
