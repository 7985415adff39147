import { messageOf } from '../../base/errors.ts'

/** What was thrown, and where in the operator's files. One sentence, without the paths of ours. */
export function describe(error: unknown): string {
  const text = deniedMessage(error) ?? errorText(error)
  const place = placeOf(error)
  return place === undefined ? text : `${text} (${place})`
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `a value that is not an Error: ${text(error)}`
  const message = messageOf(error)
    .replace(/ imported from (data:\S*|\S*\/runner\/child\/\S*)/, '')
    .replace(/\s+/g, ' ')
    .replace(/^(.*'thundercloud\/runner-kit' does not provide an export.*)$/, '$1; import its types with "import type"')
  return error.name === 'Error' ? message : `${error.name}: ${message}`
}

/** Node's own message names a flag of its command line, which no author of a runner can set. */
function deniedMessage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_ACCESS_DENIED') return undefined
  const { permission, resource } = error as { permission?: unknown; resource?: unknown }
  const what = typeof resource === 'string' && resource !== '' ? ` (${resource})` : ''
  if (permission === 'FileSystemRead') return `it may not read files outside of its own folder${what}`
  if (permission === 'FileSystemWrite') return `it may not write files${what}`
  if (permission === 'ChildProcess') return 'it may not start programs'
  if (permission === 'WorkerThreads') return 'it may not start threads'
  if (permission === 'Net') return 'it may not use the network; "RUNNER_NETWORK": true in services.json allows it'
  return `it may not use this (${text(permission)})`
}

/** The first line of the stack in a file that is not ours. */
function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? String(error.stack ?? '') : ''
  for (const [, path, line] of stack.matchAll(/file:\/\/(\/[^\s:()]*):(\d+)/g)) {
    if (path !== undefined && !path.includes('/runner/child/'))
      return `${path.slice(path.lastIndexOf('/') + 1)}:${line}`
  }
  return undefined
}

function text(value: unknown): string {
  try {
    return String(value).slice(0, 200)
  } catch {
    return typeof value
  }
}
