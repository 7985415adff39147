import { formatAddress } from '../../../protocols/address.ts'
import { hexText, type PublicHub } from '../../config/index.ts'

/** What an operator who trusts the hub writes into a runner's config.json. */
export function trustSnippet({ hub, threshold, proofs }: PublicHub): string[] {
  const MEMBERS = Object.fromEntries(proofs.map(({ address, proof }) => [formatAddress(address), hexText(proof)]))
  return snippet(formatAddress(hub), { WEIGHT: 1, THRESHOLD: threshold, MEMBERS })
}

export function oneKeySnippet(address: string): string[] {
  return snippet(address, { WEIGHT: 1 })
}

function snippet(address: string, settings: object): string[] {
  const [, ...lines] = JSON.stringify({ TRUSTED_HUBS: { [address]: settings } }, null, 2).split('\n')
  return lines.slice(0, -1)
}
