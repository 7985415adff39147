import { join } from 'node:path'
import type { Element } from '@xmldom/xmldom'
import { isSameAddress } from './authorization.ts'
import type { ClientSettings, PackageClient } from './types.ts'
import { elements } from './xml.ts'

/** Maven: the mirror of `central` in settings.xml, and the login of the server that has the mirror's id. */
export const maven: PackageClient = {
  async address(settings) {
    return (await mirrors(settings)).find(({ of }) => isForCentral(of))?.url
  },
  async credentials(settings, address) {
    const id = (await mirrors(settings)).find(({ url }) => url !== undefined && isSameAddress(url, address.href))?.id
    const server = elements(await mavenSettings(settings), 'servers', 'server').find(
      (one) => id !== undefined && child(one, 'id') === id,
    )
    const [username, password] = ['username', 'password'].map(
      (name) =>
        server && child(server, name)?.replace(/\$\{env\.(\w+)\}/g, (_, key: string) => settings.env[key] ?? ''),
    )
    // Maven encrypts with a key of its own
    const isEncrypted = password !== undefined && /^\{.*\}$/.test(password)
    return username === undefined || password === undefined || isEncrypted ? undefined : { username, password }
  },
}

async function mirrors(settings: ClientSettings) {
  return elements(await mavenSettings(settings), 'mirrors', 'mirror').map((mirror) => ({
    id: child(mirror, 'id'),
    url: child(mirror, 'url'),
    of: (child(mirror, 'mirrorOf') ?? '').split(',').map((name) => name.trim()),
  }))
}

function isForCentral(of: readonly string[]): boolean {
  return !of.includes('!central') && of.some((name) => ['central', '*', 'external:*'].includes(name))
}

async function mavenSettings({ home, text }: ClientSettings): Promise<string> {
  return (await text(join(home, '.m2/settings.xml'))) ?? '<settings/>'
}

function child(of: Element, name: string): string | undefined {
  return of.getElementsByTagName(name).item(0)?.textContent?.trim()
}
