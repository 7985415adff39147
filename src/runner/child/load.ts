import { messageOf } from '../../base/errors.ts'
import type { ProcessInit } from '../channel.ts'
import type { Runner } from '../contract.ts'

/** Imports the operator's module as the confined user. Throws an error whose message is one sentence. */
export async function loadRunner({ module, user }: ProcessInit): Promise<Runner> {
  const confine = new URL(`./confine${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
  if (user !== null) confine.search = `?uid=${user.uid}&gid=${user.gid}`
  const graph = `import ${JSON.stringify(confine.href)}; export * as runner from ${JSON.stringify(module)}`
  let loaded: { runner: { default?: unknown } }
  try {
    loaded = await import(`data:text/javascript,${encodeURIComponent(graph)}`)
  } catch (error) {
    throw new Error(`can not be imported: ${describe(error)}`, { cause: error })
  }
  const decide = loaded.runner.default
  if (typeof decide !== 'function') {
    const found = decide === undefined ? 'has no default export' : `exports ${typeof decide} as its default`
    throw new Error(
      `${found}; write "export default async (service, node) => ({ run: false, redirect: true, reasons: [] })"`,
    )
  }
  return decide as Runner
}

/** What was thrown, and where in the operator's files. */
export function describe(error: unknown): string {
  const words = messageOf(error)
    .replace(/ imported from data:\S*/, '')
    .replace(/\s+/g, ' ')
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const place = /file:\/\/\/\S*\/([^/\s:]+:\d+)/.exec(stack)?.[1]
  const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  return `${kind}${words}${place === undefined ? '' : ` (${place})`}`
}
