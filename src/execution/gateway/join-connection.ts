import { constants, type Http2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** Bytes both ways, each to its own end. Whoever does not read stops the other: neither side keeps more than a window. */
export function joinConnection(socket: Socket, stream: Http2Stream): void {
  if (stream.destroyed) return void socket.resetAndDestroy()
  socket.pipe(stream)
  stream.pipe(socket)
  socket.once('close', () => stream.close(socket.readableEnded ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL))
  stream.once('close', () => {
    if (isCut(stream)) socket.resetAndDestroy()
  })
  if (socket.destroyed) stream.close(constants.NGHTTP2_CANCEL)
}

/** What was cut is not what has ended. */
export function isCut(stream: Http2Stream): boolean {
  return !stream.readableEnded || stream.rstCode !== constants.NGHTTP2_NO_ERROR
}
