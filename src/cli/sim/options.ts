import { InputError } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { ENGINE_NAMES, EVENT_MODES, REPEATABLE_ENGINES } from '../../simulation/index.ts'
import { type Option, whole } from '../command.ts'

function oneOf<const T extends string>(takes: string, names: readonly T[], fallback: T, describe: string): Option<T> {
  return {
    takes,
    describe: `${describe}: ${joinWords(names, 'or')} (default: ${fallback})`,
    read(given, flag) {
      const name = given ?? fallback
      if (names.includes(name as T)) return name as T
      throw new InputError(`${flag} is ${JSON.stringify(name)}; allowed is ${joinWords(names, 'or')}`)
    },
  }
}

export const engineOption = oneOf('ENGINE', ENGINE_NAMES, 'virtual', 'what runs the scenario')
export const repeatableEngineOption = oneOf('ENGINE', REPEATABLE_ENGINES, 'virtual', 'what runs the scenario')
export const processesOption = whole('COUNT', 'processes that the nodes of the live engine are dealt out to', {
  ...{ min: 1, max: 1000, fallback: 4 },
})
export const eventsOption = oneOf('WHICH', EVENT_MODES, 'sampled', 'the events that --out keeps')
