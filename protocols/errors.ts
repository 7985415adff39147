/** A value that breaks the wire's rules. `field` is a dotted path inside the message, or '' for the whole of it. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
  readonly field: string

  constructor(field: string, problem: string, options?: ErrorOptions) {
    super(field === '' ? problem : `${field}: ${problem}`, options)
    this.field = field
  }

  shouldRetry(): boolean {
    return false
  }
}

/** The bytes are well-formed, but the signature does not belong to them. */
export class SignatureError extends ProtocolError {
  override readonly name = 'SignatureError'
}

/** An address text that is no key, or that is two keys at once. */
export class AddressError extends ProtocolError {
  override readonly name = 'AddressError'
}
