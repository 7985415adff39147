import type { Stream } from '@libp2p/interface'
import { StreamBrokenError } from '../errors.ts'
import { MAX_HOP_REQUEST_BYTES } from './constants.ts'

/** What a stream of the library has and does not declare. */
export type RequestStream = Pick<Stream, 'send' | 'abort'> & { onData(data: { readonly byteLength: number }): void }

/** Until it is answered, a peer sends no more than a request: the library would take four mebibytes for one. */
export function boundRequest(stream: RequestStream): void {
  const { onData, send } = stream
  let left = MAX_HOP_REQUEST_BYTES
  stream.send = (data) => {
    left = Number.POSITIVE_INFINITY
    return send.call(stream, data)
  }
  stream.onData = (data) => {
    left -= data.byteLength
    if (left < 0) stream.abort(new StreamBrokenError('the request to the relay is too long'))
    else onData.call(stream, data)
  }
}
