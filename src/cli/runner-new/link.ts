import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { json } from './template.ts'

const ENTRIES = ['andromeda', 'client', 'protocols', 'runner-kit'] as const
/** Entries that are modules with a default export, too. */
const WITH_DEFAULT: ReadonlySet<string> = new Set(['andromeda'])

/**
 * Makes `import 'thundercloud/...'` work for tests and editors in an operator's folder: a package in its node_modules
 * whose files point to this installation. Where the name leads somewhere already, nothing is written. A node itself does
 * not need it. True when it was written.
 */
export async function linkPackage(folder: string, version: string): Promise<boolean> {
  const target = join(folder, 'node_modules', 'thundercloud')
  if (isThere(folder)) return false
  await mkdir(target, { recursive: true })
  const exports = Object.fromEntries(
    ENTRIES.map((name) => [`./${name}`, { types: `./${name}.d.ts`, default: `./${name}.js` }]),
  )
  const about = 'Points to the installation that wrote it; `thundercloud runner new` writes it again'
  await writeFile(
    join(target, 'package.json'),
    json({ name: 'thundercloud', version, description: about, type: 'module', exports }),
  )
  for (const name of ENTRIES) {
    const url = new URL(
      `../../exports/${name}${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
      import.meta.url,
    )
    await writeFile(join(target, `${name}.js`), linesFor(name, url.href))
    await writeFile(join(target, `${name}.d.ts`), linesFor(name, fileURLToPath(url)))
  }
  return true
}

/** Does the name lead to files that are there, and is it not an older link to another place? */
function isThere(folder: string): boolean {
  try {
    const path = createRequire(join(folder, 'package.json')).resolve('thundercloud/runner-kit')
    return !path.startsWith(join(folder, 'node_modules', 'thundercloud'))
  } catch {
    return false
  }
}

function linesFor(name: string, from: string): string {
  const source = JSON.stringify(from)
  const all = `export * from ${source}\n`
  return WITH_DEFAULT.has(name) ? `${all}export { default } from ${source}\n` : all
}
