import { InputError, ThundercloudError, UnavailableError } from '../base/errors.ts'

/** An address of LISTEN cannot be used: the port is taken, or the address is not this machine's. */
export class ListenError extends InputError {
  override readonly name = 'ListenError'
}

/** The peer could not be reached, or went away. */
export class PeerUnavailableError extends UnavailableError {
  override readonly name = 'PeerUnavailableError'
}

/** The peer is there, and does not speak this protocol (or not with us). */
export class ProtocolUnsupportedError extends ThundercloudError {
  override readonly name = 'ProtocolUnsupportedError'
}

/** The other side, or the connection below, ended the stream before its time. */
export class StreamBrokenError extends UnavailableError {
  override readonly name = 'StreamBrokenError'
}

/** A message is longer than the reader takes, empty, or its length has more bytes than it needs. */
export class MessageTooLongError extends ThundercloudError {
  override readonly name = 'MessageTooLongError'
}

/** No peer holds the record yet; it is offered again until it is cancelled. */
export class NotProvidedError extends UnavailableError {
  override readonly name = 'NotProvidedError'
}

/** A value record was refused: a newer one is stored, or its sender or signer has used up its share. */
export class RecordRefusedError extends ThundercloudError {
  override readonly name = 'RecordRefusedError'
}

/** The other side of a tunnel ended it, and said why. */
export class TunnelResetError extends ThundercloudError {
  override readonly name = 'TunnelResetError'
}
