import { join } from 'node:path'
import type { ClientReader } from './types.ts'
import { elements } from './xml.ts'

/** Maven: the mirror of `central` in settings.xml. */
export const mavenMirror: ClientReader = async ({ home, text }) => {
  const document = await text(join(home, '.m2/settings.xml'))
  if (document === undefined) return undefined
  const mirrors = elements(document, 'mirrors', 'mirror').map((mirror) => {
    const [of, url] = ['mirrorOf', 'url'].map((name) => mirror.getElementsByTagName(name).item(0)?.textContent?.trim())
    return { of: (of ?? '').split(',').map((name) => name.trim()), url }
  })
  const isForCentral = (of: readonly string[]) =>
    !of.includes('!central') && of.some((name) => ['central', '*', 'external:*'].includes(name))
  return mirrors.find(({ of }) => isForCentral(of))?.url
}
