import { registerHooks } from 'node:module'

/**
 * Lets a module in an operator's folder import `thundercloud/...`: the name leads to the package that the node itself
 * runs from, whatever lies around that folder.
 */
export function resolveOwnPackage(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith('thundercloud/')) return next(specifier, context)
      return next(specifier, { ...context, parentURL: import.meta.url })
    },
  })
}
