import type { z } from 'zod'
import { type Address, parseAddress } from '../../../protocols/address.ts'
import { messageOf } from '../../base/errors.ts'
import { sentence } from '../zod-fields.ts'
import { splitContainer } from './container-name.ts'

/** A pool: its name, whose services may run in it, and what is installed there. */
export type Container = {
  readonly name: string
  readonly group: string
  readonly owner: Address
  readonly toolchains: readonly string[]
}

/** Reads `<group>-<owner address>-<toolchains joined by dots>`; "node.js" among them counts as one. Or says what is wrong. */
export function readContainer(name: string): Container | { readonly problem: string } {
  const parts = splitContainer(name)
  if (parts === undefined) {
    return {
      problem: 'must be <group>-<owner address>-<toolchains joined by dots>, like "web-7LK...-node.python"',
    }
  }
  try {
    const { group, owner, toolchains } = parts
    return { name, group, owner: parseAddress(owner, ''), toolchains }
  } catch (error) {
    return { problem: `names no usable owner: ${messageOf(error)}` }
  }
}

/** The name of a pool as a setting. */
export function checkContainer(name: string, context: z.RefinementCtx, path: PropertyKey[]): void {
  const found = readContainer(name)
  if ('problem' in found) sentence(context, path, found.problem)
}
