import { ProtocolError } from '../../protocols/errors.ts'
import { InputError } from './errors.ts'

/** Reads what a person gave. A value that breaks the wire's rules is that person's mistake: an InputError, in `sentence`. */
export function decodeInput<T>(decode: () => T, sentence: (error: ProtocolError) => string = messageOf): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof ProtocolError) throw new InputError(sentence(error), { cause: error })
    throw error
  }
}

function messageOf({ message }: ProtocolError): string {
  return message
}
