import type { z } from 'zod'
import { type Address, parseAddress } from '../../../protocols/address.ts'
import { messageOf } from '../../base/errors.ts'
import { sentence } from '../zod-fields.ts'
import { splitContainer } from './container-name.ts'

/** A shared container: its name, whose services may run in it, and what is installed there. */
export type Container = {
  readonly name: string
  readonly group: string
  readonly owner: Address
  readonly toolchains: readonly string[]
}

/** Reads `<group>-<owner address>-<toolchains joined by dots>`; "node.js" among them counts as one. */
export function parseContainer(
  name: string,
  context?: z.RefinementCtx,
  path: PropertyKey[] = [],
): Container | undefined {
  const parts = splitContainer(name)
  if (parts === undefined) {
    if (context)
      sentence(
        context,
        path,
        'must be <group>-<owner address>-<toolchains joined by dots>, like "web-7LK...-node.python"',
      )
    return undefined
  }
  try {
    const { group, owner, toolchains } = parts
    return { name, group, owner: parseAddress(owner, ''), toolchains }
  } catch (error) {
    if (context) sentence(context, path, `names no usable owner: ${messageOf(error)}`)
    return undefined
  }
}
