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

/** The bytes are not canonical dag-cbor, or the value has no form in it. */
export class EncodingError extends ProtocolError {
  override readonly name = 'EncodingError'
}

/** The redirection ticket does not lead to the author's anchor. */
export class TicketError extends ProtocolError {
  override readonly name = 'TicketError'
}

/** The bytes are well-formed, but the signature does not belong to them. */
export class SignatureError extends ProtocolError {
  override readonly name = 'SignatureError'
}

/** The signers do not suffice for this hub here: members that are not pinned, or fewer than required. Other nodes may accept it. */
export class MembersError extends ProtocolError {
  override readonly name = 'MembersError'
}

/** An address text that is not a key, or that can be read as two keys. */
export class AddressError extends ProtocolError {
  override readonly name = 'AddressError'
}

/** There is no access token, or it does not grant the request. */
export class TokenError extends ProtocolError {
  override readonly name = 'TokenError'
}

/** Someone else's text inside an error: in quotes, shortened, plain ASCII, so that it is safe in a terminal and a log. */
export function quoted(text: string, max = 80): string {
  const short = text.length > max ? `${text.slice(0, max - 3)}...` : text
  return JSON.stringify(short).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `run.ports[2].name`; a key that is not a plain word is quoted and shortened. */
export function fieldPath(path: readonly PropertyKey[], inside = ''): string {
  return path.reduce<string>((all, key) => {
    if (typeof key === 'number') return `${all}[${key}]`
    const word = String(key)
    const shown = /^[A-Za-z0-9_-]{1,64}$/.test(word) ? word : quoted(word, 64)
    return all === '' ? shown : `${all}.${shown}`
  }, inside)
}
