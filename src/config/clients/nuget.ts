import { join } from 'node:path'
import type { ClientReader } from './types.ts'
import { elements } from './xml.ts'

/** NuGet: the first source of the user's NuGet.Config that is an address and not disabled. */
export const nugetSource: ClientReader = async ({ home, text }) => {
  for (const file of ['.nuget/NuGet/NuGet.Config', '.config/NuGet/NuGet.Config']) {
    const document = await text(join(home, file))
    if (document === undefined) continue
    const disabled = elements(document, 'disabledPackageSources', 'add')
      .filter((entry) => entry.getAttribute('value') === 'true')
      .map((entry) => entry.getAttribute('key'))
    const sources = elements(document, 'packageSources', 'add').filter(
      (entry) => !disabled.includes(entry.getAttribute('key')),
    )
    const first = sources.map((entry) => entry.getAttribute('value') ?? '').find((value) => /^https?:/.test(value))
    if (first !== undefined) return first
  }
  return undefined
}
