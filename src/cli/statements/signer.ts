import { resolve } from 'node:path'
import type { Signer } from '../../../protocols/signature.ts'
import { loadHubKey, loadHubSigner, loadIdentity } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { operatorFolder } from '../operator-folder.ts'

/** The signer of a statement: the key that was named, else the folder's: of its hub, or of the node itself. */
export async function loadSigner(cli: Cli, key: string | undefined, as: 'hub' | 'node'): Promise<Signer> {
  const { cwd, signal } = cli
  if (key !== undefined) return loadHubKey(resolve(cwd, key), { file: `--key ${key}`, signal })
  const dir = await operatorFolder(cli)
  return as === 'hub' ? loadHubSigner(dir, { signal }) : (await loadIdentity(dir, { signal })).signer
}
