import { InputError } from '../../base/errors.ts'
import { engineOf, REPEATABLE_ENGINES, type Results } from '../../simulation/index.ts'
import type { Cli } from '../cli.ts'

/** The engine that made these results, where it can make them again. */
export function engineFor(folder: string, { engine }: Results, cli: Cli): ReturnType<typeof engineOf> {
  const known = REPEATABLE_ENGINES.find((name) => name === engine)
  if (known !== undefined) return engineOf(known, cli)
  throw new InputError(`${folder} holds a run of the engine ${JSON.stringify(engine)}, which no seed repeats`)
}
