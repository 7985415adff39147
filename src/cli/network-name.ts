import { loadEndpoint } from '../config/index.ts'
import type { Cli } from './cli.ts'
import { operatorFolder } from './operator-folder.ts'

const DEFAULT_NETWORK = 'thundercloud'

/** The network to join without a node: as given, else the operator's folder's, else the public one. */
export async function networkNameOf(cli: Cli, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const dir = await operatorFolder(cli)
  const endpoint = await loadEndpoint(dir, { env: cli.env, signal: cli.signal }).catch((error: unknown) => {
    // a folder that was named must be one
    if (cli.globals.dir !== undefined) throw error
    return undefined
  })
  return endpoint?.network ?? DEFAULT_NETWORK
}
