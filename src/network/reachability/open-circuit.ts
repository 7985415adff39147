import type { Connection } from '@libp2p/interface'

/** The youngest circuit to a peer, where there is no better connection: it has most of its bytes and its time left. */
export function openCircuit(connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  if (open.some(({ limits }) => limits === undefined)) return undefined
  return open.toSorted((a, b) => b.timeline.open - a.timeline.open)[0]
}
