import { DECIDING_RULES, DISPOSITIONS } from '../events.ts'
import { metric } from '../observation/types.ts'
import { NONE } from '../tables.ts'

export const verdicts = metric({
  id: 'verdicts',
  describe: 'What the nodes made of the services, and the rule that decided.',
  match: ['spread'],
  start: (): Uint32Array => new Uint32Array(DISPOSITIONS.length * DECIDING_RULES.length),
  capture(counts, { table: { disposition, rule } }) {
    for (let node = 0; node < disposition.length; node++) {
      const became = disposition[node] ?? NONE
      if (became === NONE) continue
      const index = became * DECIDING_RULES.length + (rule[node] ?? 0)
      counts[index] = (counts[index] ?? 0) + 1
    }
  },
  dump(counts) {
    const all = DISPOSITIONS.flatMap((name, became) =>
      DECIDING_RULES.map((rule, index) => [name, rule, counts[became * DECIDING_RULES.length + index] ?? 0] as const),
    )
    const of = (name: string) => all.reduce((sum, [became, , count]) => sum + (became === name ? count : 0), 0)
    return {
      values: {
        verdictsRun: of('run'),
        verdictsParked: of('parked'),
        verdictsRedirected: of('redirected'),
        verdictsRefused: of('refused'),
      },
      tables: { verdicts: { columns: ['verdict', 'rule', 'count'], rows: all.filter(([, , count]) => count > 0) } },
    }
  },
})
