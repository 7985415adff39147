import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { builtFile, ROOT } from './build.ts'

/** For `node --import`: a program of a fixture runs on the built modules, and what these start is built too. */
const SOURCES = ['src', 'protocols'].map((folder) => pathToFileURL(`${ROOT}/${folder}/`).href)

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    if (!found.url.endsWith('.ts') || !SOURCES.some((folder) => found.url.startsWith(folder))) return found
    return { ...found, url: pathToFileURL(builtFile(fileURLToPath(found.url))).href, format: 'module' }
  },
})
