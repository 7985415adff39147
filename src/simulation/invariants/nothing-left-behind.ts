import { invariant, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly violations: Violations }

export const nothingLeftBehind = invariant({
  id: 'nothing-left-behind',
  describe:
    'When all nodes are closed, no timer of theirs is left, whatever they did and wherever they crashed before.',
  match: ['leftover'],
  start: (): State => ({ violations: createViolations() }),
  capture: ({ violations }, { timers }) => violations.add(`${timers} timers are left when all nodes are closed`),
})
