import { resolve } from 'node:path'
import type { Signer } from '../../../protocols/signature.ts'
import { loadHubKey, loadIdentity } from '../../config/index.ts'
import type { Cli } from '../cli.ts'
import { operatorFolder } from '../folder.ts'

/** Who signs a statement: the key that was named, else the node's own of the operator's folder. */
export async function loadSigner(cli: Cli, key: string | undefined): Promise<Signer> {
  const { cwd, signal } = cli
  if (key !== undefined) return loadHubKey(resolve(cwd, key), { file: `--key ${key}`, signal })
  return (await loadIdentity(await operatorFolder(cli), { signal })).signer
}
