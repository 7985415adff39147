import { cidOfStructure, parseCid } from '../../../protocols/encoding.ts'
import { decodeService, encodeService } from '../../../protocols/service.ts'
import { decodeStop, encodeStop } from '../../../protocols/stop.ts'
import {
  chunkLength,
  codeId,
  decodeArchiveAnswer,
  decodeArchiveRequest,
  decodeManifest,
  encodeArchiveAnswer,
  encodeArchiveRequest,
  encodeManifest,
} from '../../../protocols/streams/archive.ts'
import { decodeResultsRequest, encodeResultsRequest } from '../../../protocols/streams/results.ts'
import {
  decodeStatusAnswer,
  decodeStatusRequest,
  encodeStatusAnswer,
  encodeStatusRequest,
} from '../../../protocols/streams/status.ts'
import {
  checkPage,
  decodeSyncAnswer,
  decodeSyncRequest,
  encodeSyncAnswer,
  encodeSyncRequest,
} from '../../../protocols/streams/sync.ts'
import {
  decodeFrame,
  decodeHello,
  decodeWelcome,
  encodeFrame,
  encodeHello,
  encodeWelcome,
} from '../../../protocols/streams/tunnel.ts'
import type { Op } from '../kit/kit.ts'
import { dagJson, hex, unhex } from '../kit/kit.ts'

export const messageOps: Record<string, Op> = {
  'service.decode': named(decodeService, encodeService),
  'stop.decode': named(decodeStop, encodeStop),
  'archive.manifest': ({ bytes }) => {
    const manifest = roundTrip(unhex(bytes), decodeManifest, encodeManifest)
    const last = manifest.chunks.length - 1
    return {
      value: dagJson(manifest),
      code: codeId(unhex(bytes)).toString(),
      lastChunkBytes: chunkLength(manifest, last),
    }
  },
  'archive.request': message(decodeArchiveRequest, encodeArchiveRequest),
  'archive.answer': message(decodeArchiveAnswer, encodeArchiveAnswer),
  'results.request': message(decodeResultsRequest, encodeResultsRequest),
  'status.request': message(decodeStatusRequest, encodeStatusRequest),
  'status.answer': message(decodeStatusAnswer, encodeStatusAnswer),
  'sync.request': message(decodeSyncRequest, encodeSyncRequest),
  'sync.answer': message(decodeSyncAnswer, encodeSyncAnswer),
  'sync.page': ({ bytes, after }) => {
    const page = decodeSyncAnswer(unhex(bytes))
    if (page.is !== 'items' && page.is !== 'statements') throw new TypeError('a vector of a page wants items')
    checkPage(page, after === undefined ? undefined : parseCid(String(after)))
    return {}
  },
  'tunnel.hello': message(decodeHello, encodeHello),
  'tunnel.welcome': message(decodeWelcome, encodeWelcome),
  'tunnel.frame': message(decodeFrame, encodeFrame),
}

function message<T>(decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array): Op {
  return ({ bytes }) => ({ value: dagJson(roundTrip(unhex(bytes), decode, encode)) })
}

function named<T>(decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array): Op {
  return ({ bytes }) => {
    const body = unhex(bytes)
    return { value: dagJson(roundTrip(body, decode, encode)), id: cidOfStructure(body).toString() }
  }
}

/** What was accepted must be what would be sent. */
function roundTrip<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array): T {
  const value = decode(bytes)
  if (hex(encode(value)) !== hex(bytes)) throw new TypeError('accepted bytes that it would write differently')
  return value
}
