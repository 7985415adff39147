import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InputError, systemMessageOf } from '../../base/errors.ts'
import type { Env } from '../env.ts'
import { authorizationOf, type Credentials, credentialsIn, isSameAddress } from './authorization.ts'
import { goChecksumDatabase } from './go.ts'
import { npmAccess } from './npm.ts'
import { PACKAGE_CLIENTS } from './package-clients.ts'
import { clientSettings } from './settings.ts'
import type { ClientAccessReader, ClientKind, ClientSettings } from './types.ts'

/** What a file of authorities may hold: those of a whole system are a quarter of it. */
const MAX_AUTHORITY_BYTES = 1024 * 1024

export function clientAccessReader(env: Env): ClientAccessReader {
  return {
    async read(kind, name, url) {
      const settings = clientSettings(env)
      if (settings === undefined) return {}
      if (kind === 'npm') return await npmAccess(settings, url)
      return {
        authorities: await authoritiesOf(kind, settings),
        authorization: authorizationOf(await credentialsAt(kind, settings, url)),
        ...(kind === 'go' && { checksumDatabase: await goChecksumDatabase(settings, name) }),
      }
    },
  }
}

/** In the client's own address, where this is it, else in its files. Settings that are broken have none. */
async function credentialsAt(
  kind: ClientKind,
  settings: ClientSettings,
  url: string,
): Promise<Credentials | undefined> {
  const { address, credentials } = PACKAGE_CLIENTS[kind]
  const own = await address(settings).catch(() => undefined)
  const inAddress = own !== undefined && isSameAddress(own, url) ? credentialsIn(new URL(own)) : undefined
  return inAddress ?? (await credentials?.(settings, new URL(url)).catch(() => undefined))
}

async function authoritiesOf(kind: ClientKind, settings: ClientSettings): Promise<string[] | undefined> {
  const file = await PACKAGE_CLIENTS[kind].authorityFile?.(settings).catch(() => undefined)
  if (file === undefined || file === '') return undefined
  const path = resolve(settings.home, file.replace(/^~(?=\/)/, settings.home))
  const pem = await readFile(path, 'utf8').catch((cause) => {
    throw new InputError(
      `the file of authorities ${path}, which the settings of ${kind} name, cannot be read (${systemMessageOf(cause)})`,
      { cause },
    )
  })
  if (pem.length <= MAX_AUTHORITY_BYTES) return [pem]
  throw new InputError(`the file of authorities ${path} is larger than ${MAX_AUTHORITY_BYTES} bytes; name another one`)
}
