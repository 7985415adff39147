import type { z } from 'zod'
import { type Address, parseAddress } from '../../protocols/address.ts'
import { messageOf } from '../base/errors.ts'
import { sentence } from './fields.ts'
import { canonicalToolchain } from './toolchains.ts'

/** A shared container: its name, whose services may run in it, and what is installed there. */
export type Container = {
  readonly name: string
  readonly group: string
  readonly owner: Address
  readonly toolchains: readonly string[]
}

const SHAPE =
  /^(?<group>[A-Za-z0-9][A-Za-z0-9_]*)-(?<owner>(?:ed25519:|legacy:|bls12-381:)?[0-9A-Za-z]+)-(?<toolchains>.+)$/

/** Reads `<group>-<owner address>-<toolchains joined by dots>`; "node.js" among them counts as one. */
export function parseContainer(
  name: string,
  context?: z.RefinementCtx,
  path: PropertyKey[] = [],
): Container | undefined {
  const { group, owner, toolchains } = SHAPE.exec(name)?.groups ?? {}
  if (group === undefined || owner === undefined || toolchains === undefined) {
    if (context)
      sentence(
        context,
        path,
        'must be <group>-<owner address>-<toolchains joined by dots>, like "web-7LK...-node.python"',
      )
    return undefined
  }
  try {
    const parts = toolchains.replace(/\bnode\.js\b/gi, 'node').split('.')
    return { name, group, owner: parseAddress(owner, ''), toolchains: [...new Set(parts.map(canonicalToolchain))] }
  } catch (error) {
    if (context) sentence(context, path, `names no usable owner: ${messageOf(error)}`)
    return undefined
  }
}
