import { invariant, type Violations } from '../observation/types.ts'
import { createViolations } from '../observation/violations.ts'

type State = { readonly violations: Violations }

export const noUnhandledError = invariant({
  id: 'no-unhandled-error',
  describe: 'No promise of a node is rejected, and nothing is thrown, where nobody handles it: its process would end.',
  match: ['unhandled'],
  start: (): State => ({ violations: createViolations() }),
  capture: ({ violations }, { error, ms }) => violations.add(`after ${ms} ms, nobody handled: ${error}`),
})
