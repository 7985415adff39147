/** What a node may do with a service, in the terms of a receipt. */
type Disposition = 'accepted' | 'running' | 'done' | 'refused' | 'redirected' | 'parked' | 'failed' | 'stopped'

/** One wording for one truth: `here` is what a node says of itself, `there` what its publisher reads of it. */
export const DISPOSITIONS: Readonly<Record<Disposition, { readonly here: string; readonly there: string }>> = {
  accepted: { here: 'accepted', there: 'will run it' },
  running: { here: 'running', there: 'runs it, healthy' },
  done: { here: 'done', there: 'has done it' },
  refused: { here: 'refused', there: 'refused' },
  redirected: { here: 'redirected', there: 'does not run it, passed it on' },
  parked: { here: 'parked', there: 'parked it' },
  failed: { here: 'failed', there: 'failed' },
  stopped: { here: 'stopped', there: 'stopped it' },
}

/** Whether the service travels further from here, which is independent of what else the node does with it. */
export const REDIRECTED = { yes: 'redirected', no: 'not redirected', there: 'passed it on' } as const
