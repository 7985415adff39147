import type { Runner } from '../contract.ts'
import type { ProcessInit } from '../ipc-messages.ts'
import { describe } from './describe.ts'

/** Imports the operator's module as the confined user. Throws an error whose message is one sentence. */
export async function loadRunner({ module, user }: ProcessInit): Promise<Runner> {
  const confine = new URL(`./confine${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
  if (user !== null) confine.search = `?uid=${user.uid}&gid=${user.gid}`
  const graph = `import ${JSON.stringify(confine.href)}; export * as runner from ${JSON.stringify(module)}`
  let loaded: { runner: { default?: unknown } }
  try {
    loaded = await import(`data:text/javascript,${encodeURIComponent(graph)}`)
  } catch (error) {
    throw new Error(`cannot be imported: ${describe(error)}`, { cause: error })
  }
  const decide = loaded.runner.default
  const found = problemOf(decide)
  if (found === undefined) return decide as Runner
  throw new Error(
    `${found}; write "export default async (service, node) => ({ run: false, redirect: true, reasons: [] })"`,
  )
}

function problemOf(decide: unknown): string | undefined {
  if (decide === undefined) return 'has no default export'
  if (typeof decide !== 'function') return `exports ${decide === null ? 'null' : typeof decide} as its default`
  // A class is a function that cannot be called.
  return /^class\b/.test(Function.prototype.toString.call(decide)) ? 'exports a class as its default' : undefined
}
