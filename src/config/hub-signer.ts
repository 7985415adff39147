import { join, resolve } from 'node:path'
import type { Signer } from '../../protocols/signature.ts'
import { loadHubKey } from './hub-key.ts'
import { HUB_FILE } from './hub-load.ts'
import { hubSchema } from './hub-schema.ts'
import { check } from './problem.ts'
import { isThere, type ReadOptions, readJson } from './read.ts'
import { loadIdentity } from './secrets.ts'

/** Whom a folder's hub signs as: the KEY of hub.json, which need not be there, else the node itself. */
export async function loadHubSigner(dir: string, options: ReadOptions = {}): Promise<Signer> {
  const path = join(dir, HUB_FILE)
  if (await isThere(path)) {
    const { KEY } = check(hubSchema, await readJson(path, HUB_FILE, '', options), HUB_FILE)
    if (KEY !== undefined) return loadHubKey(resolve(dir, KEY), options)
  }
  return (await loadIdentity(dir, options)).signer
}
