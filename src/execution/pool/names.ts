import { createHash } from 'node:crypto'
import { type Address, parseAddress, sameAddress } from '../../../protocols/address.ts'
import { InputError } from '../../base/errors.ts'
import { type Container, readContainer } from '../../config/files/containers.ts'

/** Labels of a pool's container. Not those of runs: what looks for runs must not take a pool for one. */
export const POOL_LABEL = {
  node: 'thundercloud.pool.node',
  name: 'thundercloud.pool',
  image: 'thundercloud.pool.image',
  tools: 'thundercloud.pool.tools',
  env: 'thundercloud.pool.env',
  data: 'thundercloud.pool.data',
}

/** Throws an InputError for a name that CONTAINERS could not have. */
export function readPoolName(name: string): Container {
  const found = readContainer(name)
  if (!('problem' in found)) return found
  throw new InputError(`the pool's name ${JSON.stringify(name.slice(0, 200))} ${found.problem}`)
}

export function isOwner(owner: Address, author: string): boolean {
  try {
    return sameAddress(owner, parseAddress(author, ''))
  } catch {
    return false
  }
}

/** A name has characters that a container's or a folder's cannot have. */
export function poolKey(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}

export function containerName(nodeId: string, name: string): string {
  const readable = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80)
  return `thundercloud-pool-${nodeId.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}-${poolKey(name)}-${readable}`
}
