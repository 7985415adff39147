import { InputError } from '../base/errors.ts'

/** The policy does not let this host or address be reached. */
export class EgressRefusedError extends InputError {
  override readonly name = 'EgressRefusedError'
}
