import { fileURLToPath } from 'node:url'

/**
 * The entry file of a child process or worker: `path` (without extension) beside the asking module, with that module's
 * own extension. The repository runs from `.ts` sources, the package from `.js`, and the compiler does not rewrite URLs.
 */
export function entryFile(importMetaUrl: string, path: string): string {
  return fileURLToPath(new URL(`${path}${extensionOf(importMetaUrl)}`, importMetaUrl))
}

/** A file of the package, by its path from the package's own folder: sources and what is built lie at different depths. */
export function packageFile(path: string): string {
  return fileURLToPath(
    new URL(`${extensionOf(import.meta.url) === '.ts' ? '../..' : '../../..'}/${path}`, import.meta.url),
  )
}

/** Flags that a child of this module needs so that the package's own name leads to the same files. */
export function entryFlags(importMetaUrl: string): string[] {
  return extensionOf(importMetaUrl) === '.ts' ? ['--conditions=thundercloud-source'] : []
}

function extensionOf(url: string): '.ts' | '.js' {
  return new URL(url).pathname.endsWith('.ts') ? '.ts' : '.js'
}
