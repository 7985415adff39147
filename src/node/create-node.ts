import { InputError, isDiskFull, messageOf, originalError } from '../base/errors.ts'
import { start } from './node.ts'
import type { NodeComponents, NodeInit, ThundercloudNode } from './types.ts'

/**
 * Starts a whole node: locks its data folder, opens the journal, adopts its runs, joins the mesh. When a part cannot
 * start, those that have started are stopped, newest first, and the error says what was wrong.
 */
export async function createNode(components: NodeComponents, init: NodeInit): Promise<ThundercloudNode> {
  try {
    return await start(components, init)
  } catch (error) {
    if (!isDiskFull(error)) throw error
    const { dataDir } = init.configuration
    const message = `the disk with ${dataDir} is full, and the node cannot write there: free some space, or name a folder on another disk as DATA in node.json`
    throw new InputError(`${message}; ${messageOf(originalError(error))}`, { cause: error })
  }
}
