import { joinScope } from '../../light-peer/join-scope.ts'
import type { Answer } from './ask-all.ts'
import type { ServiceTarget } from './service-target.ts'

const PEER = /\/p2p\/([^/]+)$/

/**
 * Why a node that runs it may not have been found, or "": those that were joined by private addresses do not run it. Where
 * another than those has answered, they do pass on addresses.
 */
export function privateAddressesHint({ join }: Pick<ServiceTarget, 'join'>, answers: readonly Answer[]): string {
  const noneHasIt = answers.every(({ receipt }) => receipt.state === 'redirected' || receipt.state === 'unknown')
  if (joinScope(join).visibility === 'public' || answers.length === 0 || !noneHasIt) return ''
  const joined = join.map((address) => PEER.exec(address)?.[1])
  if (answers.some(({ receipt }) => !joined.includes(receipt.peerId))) return ''
  return '; in a public network, nodes do not pass on private addresses: join the node that runs it, or set VISIBILITY of all nodes to "private"'
}
