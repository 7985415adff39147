import { existsSync, readFileSync } from 'node:fs'
import { type ResolveFnOutput, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * What a module in an operator's folder may import of this package, whatever lies around that folder. Andromeda leads
 * to the package that the node itself runs from. The kit is types here, and they are gone when the module runs: its
 * functions are for tests, and start processes. What else the package has needs native code, which no runner may load.
 */
const ENTRIES: ReadonlyMap<string, 'ours' | 'types'> = new Map([
  ['thundercloud/andromeda', 'ours'],
  ['thundercloud/runner-kit', 'types'],
])

/** `module`: the URL of the runner's file. */
export function resolveOwnPackage(module: string): void {
  const folder = new URL('.', module)
  const ownSettings = existsSync(new URL('package.json', folder))
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'thundercloud' && !specifier.startsWith('thundercloud/')) {
        const found = next(specifier, context)
        return ownSettings ? found : asModule(found, folder)
      }
      const kind = ENTRIES.get(specifier)
      if (kind === 'types') return { url: 'data:text/javascript,', format: 'module', shortCircuit: true }
      if (kind === 'ours') return next(specifier, { ...context, parentURL: import.meta.url })
      throw new Error(`a runner cannot import ${specifier}; it can import ${[...ENTRIES.keys()].join(' and ')}`)
    },
  })
}

/**
 * The operator's folder may lie in a project of npm's, whose package.json says that all below is CommonJS. It does not mean the
 * runner: a file of its folder that imports or exports is a module.
 */
function asModule(found: ResolveFnOutput, folder: URL): ResolveFnOutput {
  const { url, format } = found
  if (format !== 'commonjs' && format !== 'commonjs-typescript') return found
  if (!url.startsWith(folder.href) || url.includes('/node_modules/') || !/\.[jt]s$/.test(url)) return found
  if (!/^\s*(import|export)\b/m.test(readFileSync(fileURLToPath(url), 'utf8'))) return found
  return { ...found, format: format === 'commonjs' ? 'module' : 'module-typescript' }
}
