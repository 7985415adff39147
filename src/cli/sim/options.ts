import { InputError } from '../../base/errors.ts'
import { joinWords } from '../../base/format.ts'
import { ENGINE_NAMES, EVENT_MODES } from '../../simulation/index.ts'
import type { Option } from '../command.ts'

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
export const eventsOption = oneOf('WHICH', EVENT_MODES, 'sampled', 'the events that --out keeps')
