import { join, resolve } from 'node:path'
import type { Signer } from '../../../protocols/signature.ts'
import { HUB_FILE } from '../files/hub-load.ts'
import { hubSchema } from '../files/hub-schema.ts'
import { loadIdentity } from '../files/secrets.ts'
import { exists, type ReadOptions, readJson } from '../read.ts'
import { check } from '../settings-error.ts'
import { loadHubKey } from './hub-key.ts'

/** The signer of a folder's hub: the KEY of hub.json, if set, else the node itself. */
export async function loadHubSigner(dir: string, options: ReadOptions = {}): Promise<Signer> {
  const path = join(dir, HUB_FILE)
  if (await exists(path)) {
    const { KEY } = check(hubSchema, await readJson(path, HUB_FILE, '', options), HUB_FILE)
    if (KEY !== undefined) return loadHubKey(resolve(dir, KEY), options)
  }
  return (await loadIdentity(dir, options)).signer
}
