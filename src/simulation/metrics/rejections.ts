import { metric, type RunFacts } from '../observation/types.ts'

type State = {
  readonly facts: RunFacts
  readonly attacked: boolean
  rejected: number
  graylisted: number
  readonly bySecond: Map<number, number>
}

export const rejections = metric({
  id: 'rejections',
  describe: 'Messages that nodes refuse because they are forged or malformed, and neighbours that they exclude for it.',
  match: ['rejected', 'graylisted'],
  start: (facts: RunFacts): State => ({
    facts,
    attacked: isAttacked(facts),
    rejected: 0,
    graylisted: 0,
    bySecond: new Map(),
  }),
  capture(state, event) {
    if (event.event === 'graylisted') {
      state.graylisted++
      return
    }
    state.rejected++
    const second = Math.floor(event.ms / 1000)
    state.bySecond.set(second, (state.bySecond.get(second) ?? 0) + 1)
  },
  dump({ facts, attacked, rejected, graylisted, bySecond }) {
    // without all events they are not counted
    const known = facts.allEvents && (attacked || rejected > 0)
    const last = Math.max(0, Math.floor(facts.seconds) - 1)
    return {
      values: {
        rejectedMessages: known ? rejected : null,
        rejectedMessagesInLastSecond: known ? (bySecond.get(last) ?? 0) : null,
        excludedNeighbours: known ? graylisted : null,
      },
      tables: {
        rejected: {
          columns: ['time_s', 'messages'],
          rows: known && rejected > 0 ? Array.from({ length: last + 1 }, (_, at) => [at, bySecond.get(at) ?? 0]) : [],
        },
      },
    }
  },
})

function isAttacked({ nodes, attackerOf }: RunFacts): boolean {
  for (let node = 0; node < nodes; node++) if (attackerOf(node) !== undefined) return true
  return false
}
