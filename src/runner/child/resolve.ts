import { registerHooks } from 'node:module'

/**
 * What a module in an operator's folder may import of this package, whatever lies around that folder. Andromeda leads
 * to the package that the node itself runs from. The kit is types here, and they are gone when the module runs: its
 * functions are for tests, and start processes. What else the package has needs native code, which no runner may load.
 */
const ENTRIES: ReadonlyMap<string, 'ours' | 'types'> = new Map([
  ['thundercloud/andromeda', 'ours'],
  ['thundercloud/runner-kit', 'types'],
])

export function resolveOwnPackage(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'thundercloud' && !specifier.startsWith('thundercloud/')) return next(specifier, context)
      const kind = ENTRIES.get(specifier)
      if (kind === 'types') return { url: 'data:text/javascript,', format: 'module', shortCircuit: true }
      if (kind === 'ours') return next(specifier, { ...context, parentURL: import.meta.url })
      throw new Error(`a runner can not import ${specifier}; it can import ${[...ENTRIES.keys()].join(' and ')}`)
    },
  })
}
