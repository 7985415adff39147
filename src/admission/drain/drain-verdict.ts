import type { Reason, Verdict } from '../../base/verdict.ts'
import { parkedVerdict } from '../disposition.ts'
import type { DrainState } from './drain-state.ts'

const DRAINED: Reason = {
  rule: 'drain',
  outcome: 'defer',
  message: 'this node is drained for maintenance and takes no new service; it is decided again when the drain is over',
}

type DrainSubject = { readonly id: string; readonly predecessor: string | undefined }

export interface DrainVerdictComponents {
  readonly drain: Pick<DrainState, 'active'>
  runsHere(id: string): boolean
  /** Versions before it, the latest first. */
  olderOf(service: DrainSubject): readonly string[]
  /** May a service that does not run here be redirected? */
  mayRedirect(): boolean
}

/** What a verdict comes to while the node is drained: what would begin waits. What runs is not concerned. */
export type DrainVerdict = (service: DrainSubject, asked: Verdict) => Verdict

export function createDrainVerdict(components: DrainVerdictComponents): DrainVerdict {
  const { drain, runsHere, olderOf, mayRedirect } = components
  return (service, asked) => {
    if (!drain.active || asked.run === false || runsHere(service.id)) return asked
    const verdict = { ...asked, redirect: asked.redirect || mayRedirect() }
    // the version before ends when others run this one, so it stands by for a replica
    const updates = olderOf(service).some(runsHere)
    return parkedVerdict(verdict, [{ on: updates ? 'replica' : 'capacity' }], DRAINED)
  }
}
