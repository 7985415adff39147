import { join } from 'node:path'
import { isSameAddress } from './authorization.ts'
import type { ClientSettings, PackageClient } from './types.ts'
import { elements } from './xml.ts'

/** NuGet: the first source of the user's NuGet.Config that is an address and not disabled, with its clear-text password. */
export const nuget: PackageClient = {
  async address(settings) {
    for (const document of await documents(settings)) {
      const first = sources(document).find(({ url }) => /^https?:/.test(url))
      if (first !== undefined) return first.url
    }
    return undefined
  },
  async credentials(settings, address) {
    for (const document of await documents(settings)) {
      const source = sources(document).find(({ url }) => isSameAddress(url, address.href))
      if (source === undefined) continue
      const entries = elements(document, 'packageSourceCredentials', elementName(source.key), 'add')
      const [username, password] = ['username', 'cleartextpassword'].map((key) =>
        entries
          .find((entry) => entry.getAttribute('key')?.toLowerCase() === key)
          ?.getAttribute('value')
          ?.replace(/%(\w+)%/g, (written, name: string) => settings.env[name] ?? written),
      )
      return username === undefined || password === undefined ? undefined : { username, password }
    }
    return undefined
  },
}

function sources(document: string): { key: string; url: string }[] {
  const disabled = elements(document, 'disabledPackageSources', 'add')
    .filter((entry) => entry.getAttribute('value') === 'true')
    .map((entry) => entry.getAttribute('key'))
  return elements(document, 'packageSources', 'add')
    .filter((entry) => !disabled.includes(entry.getAttribute('key')))
    .map((entry) => ({ key: entry.getAttribute('key') ?? '', url: entry.getAttribute('value') ?? '' }))
}

/** The name of a source as the name of an element: a space is `_x0020_`. */
function elementName(key: string): string {
  return key.replace(/[^\w.-]/g, (character) => `_x${character.charCodeAt(0).toString(16).padStart(4, '0')}_`)
}

async function documents({ home, text }: ClientSettings): Promise<string[]> {
  const files = ['.nuget/NuGet/NuGet.Config', '.config/NuGet/NuGet.Config']
  const found = await Promise.all(files.map(async (file) => await text(join(home, file))))
  return found.filter((document) => document !== undefined)
}
