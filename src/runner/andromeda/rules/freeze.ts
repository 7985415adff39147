import type { Reason, WakeCondition } from '../../../base/verdict.ts'
import type { ReceivedService } from '../../contract.ts'
import { formatAmount, parseAmount } from '../decimal.ts'
import { defer, fail, MAX_EACH, pass, safeText } from '../reasons.ts'
import type { Rule, RuleContext } from '../rule.ts'

const name = 'freeze'

/** On a chain with MIN_FREEZE that the service names, a trusted hub must show that the author has so much frozen. */
export const freeze: Rule = {
  name,
  keys: ['PREFER_SYMBIOTES', 'PREFER_HOSTCHAINS', 'TRUSTED_HUBS'],
  onFail: 'redirect',
  doc: {
    asks: 'For each chain that the service names and that has a `MIN_FREEZE` above 0 in `PREFER_SYMBIOTES` or `PREFER_HOSTCHAINS`: one trusted hub states that the author has at least so much frozen there. An amount without a statement counts as nothing.',
    otherwise: 'waits for a freeze statement; redirected. Without trusted hubs: not run; redirected',
  },
  decide(service, node) {
    const missing = missingFor(service, node)
    if (missing.length === 0) return [pass(name, 'all that has to be frozen is frozen')]
    return missing.slice(0, MAX_EACH).map((each) => reasonFor(each, Object.keys(node.config.TRUSTED_HUBS).length > 0))
  },
  wakeConditions: (service, node): WakeCondition[] =>
    missingFor(service, node)
      .slice(0, MAX_EACH)
      .map(({ chain }) => ({ on: 'freeze', chain })),
}

type Missing = {
  readonly chain: string
  readonly kind: string
  readonly least: bigint
  readonly known: bigint | undefined
}

function missingFor(service: ReceivedService, { config, frozen }: RuleContext): Missing[] {
  const { PREFER_SYMBIOTES, PREFER_HOSTCHAINS, TRUSTED_HUBS } = config
  const named = [
    { kind: 'symbiotes', map: PREFER_SYMBIOTES, chains: service.symbiotes },
    { kind: 'hostchains', map: PREFER_HOSTCHAINS, chains: service.hostchains.map((chain) => chain.toLowerCase()) },
  ]
  const missing: Missing[] = []
  for (const { kind, map, chains } of named) {
    for (const chain of new Set(chains)) {
      const least = Object.hasOwn(map, chain) ? parseAmount(map[chain]?.MIN_FREEZE ?? '0') : undefined
      if (least === undefined || least === 0n) continue
      let known: bigint | undefined
      for (const statement of frozen) {
        const same = statement.chain === chain || (kind === 'hostchains' && statement.chain.toLowerCase() === chain)
        const amount = same && Object.hasOwn(TRUSTED_HUBS, statement.hub) ? parseAmount(statement.amount) : undefined
        if (amount !== undefined && (known === undefined || amount > known)) known = amount
      }
      if ((known ?? 0n) < least) missing.push({ chain, kind, least, known })
    }
  }
  return missing.sort((a, b) => (a.chain < b.chain ? -1 : 1))
}

function reasonFor({ chain, kind, least, known }: Missing, hubs: boolean): Reason {
  const wanted = formatAmount(least)
  const begin = `MIN_FREEZE on ${safeText(chain)} is ${wanted}, and`
  if (!hubs) {
    const message = `${begin} no hubs are trusted that could state what the author has frozen there`
    return fail(name, message, { field: kind, must: 'be', value: `without ${safeText(chain)}` })
  }
  const state =
    known === undefined
      ? 'nothing is known of what the author has frozen'
      : `${formatAmount(known)} is known to be frozen`
  return defer(name, `${begin} ${state} there`, {
    field: 'frozen',
    must: 'at-least',
    value: `${wanted} on ${safeText(chain)}`,
  })
}
