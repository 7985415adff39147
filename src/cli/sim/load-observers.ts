import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError, messageOf } from '../../base/errors.ts'
import { checkObserver, type Observer } from '../../simulation/index.ts'

/** Metrics and invariants of a person's own: the default export of each file, one or a list. The code runs as this program. */
export async function loadObservers(cwd: string, files: readonly string[]): Promise<Observer[]> {
  const lists = await Promise.all(files.map((file) => load(resolve(cwd, file), file)))
  return lists.flat()
}

async function load(path: string, file: string): Promise<Observer[]> {
  const module = (await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new InputError(`${file} cannot be loaded: ${messageOf(cause)}`, { cause })
  })) as { default?: unknown }
  const list = Array.isArray(module.default) ? module.default : [module.default]
  for (const each of list) {
    const [problem] = checkObserver(each)
    if (problem !== undefined) throw new InputError(`${file}: ${problem}`)
  }
  return list as Observer[]
}
