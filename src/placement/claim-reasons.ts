import { RUN_RULES } from '../../protocols/receipt.ts'
import type { Reason } from '../base/verdict.ts'
import type { OwnClaim } from './own-claims.ts'

/** Exits in a row without a healthy run between them, after which another node is to take over. */
const FAILURES = 2

/** Why a run is given up as soon as another node has it: its claim precedes no other. */
export type Leaving = 'failing' | 'drained'

export type RunFacts = {
  /** exits since it was healthy last */
  readonly failures: number
  /** The node is drained. Not of a task: it would run twice. */
  readonly drained: boolean
}

export function leavingFor({ failures, drained }: RunFacts): Leaving | undefined {
  if (failures >= FAILURES) return 'failing'
  return drained ? 'drained' : undefined
}

/** How this node's claim ranks, as a reason of its receipt; none where the state alone says it. */
export function claimReasons(claim: OwnClaim | undefined, run: RunFacts): Reason[] {
  switch (leavingFor(run)) {
    case 'failing': {
      const why = `its run ended ${run.failures} times and was not healthy since`
      return [reasonOf(`leaving: ${why}, so another node may take over`)]
    }
    case 'drained':
      return [reasonOf('leaving: its node is drained for maintenance, so another node may take over')]
    case undefined:
      if (claim === undefined || claim.stands) return []
      return [reasonOf('claiming: it asks the nodes that it reaches whether its run is wanted')]
  }
}

function reasonOf(message: string): Reason {
  return { rule: RUN_RULES.claim, outcome: 'defer', message }
}
