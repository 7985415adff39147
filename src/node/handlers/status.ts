import { anySignal } from 'any-signal'
import { checkAccess } from '../../../protocols/access.ts'
import { addressOfPeerId, decodeAddress } from '../../../protocols/address.ts'
import type { KeyCache } from '../../../protocols/signature.ts'
import {
  decodeStatusRequest,
  encodeStatusAnswer,
  type StatusAnswer,
  type StatusRequest,
} from '../../../protocols/streams/status.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { truncateUtf8 } from '../../base/format.ts'
import type { LogLine } from '../../base/run-record.ts'
import type { MessageStream } from '../../base/stream.ts'
import { receiptContentOf, unknownService } from '../../services/receipt-content.ts'
import type { Receipts } from '../../services/receipts.ts'
import type { Services } from '../../services/registry.ts'

const MAX_LINE_BYTES = 16 * 1024

export interface StatusComponents {
  clock: Clock
  keys: KeyCache
  services: Services
  receipts: Receipts
  onAsked(service: string, peer: string): void
  logs(id: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine>
}

/** Answers other peers: what this node does with a service (to anyone), and its logs (with the author's access token). */
export function createStatusServer(components: StatusComponents, init: { network: string }) {
  const { clock, keys, services, receipts } = components

  async function* answers(request: StatusRequest, peer: string, signal: AbortSignal): AsyncGenerator<StatusAnswer> {
    const id = request.service.toString()
    const entry = services.get(id)
    if (request.want === 'receipt') {
      components.onAsked(id, peer)
      const content = entry === undefined ? unknownService(id) : receiptContentOf(services, id)
      yield { is: 'receipt', receipt: receipts.sign(content) }
      return
    }
    if (entry === undefined) {
      yield { is: 'error', message: 'this node knows no such service' }
      return
    }
    const author = decodeAddress(entry.signed.body.author)
    const asked = {
      service: request.service,
      author,
      peer: addressOfPeerId(peer),
      right: 'logs' as const,
      token: request.token,
    }
    checkAccess(asked, { network: init.network, keys, nowSeconds: nowSeconds(clock) })
    for await (const { stream, at, line } of components.logs(id, { ...request, signal })) {
      yield { is: 'log', stream, at, line: truncateUtf8(line, MAX_LINE_BYTES) }
    }
    yield { is: 'end' }
  }

  return async function serveStatus(stream: MessageStream, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const encoded = await stream.read({ signal })
    if (encoded === undefined) return
    const gone = new AbortController()
    // the end of the asker's stream stops a log that is followed, also where the asker ended its own side long before
    const ended = anySignal([signal, gone.signal])
    const watch = watchEnd(stream, gone, ended)
    try {
      for await (const answer of answers(decodeStatusRequest(encoded), stream.peer, ended)) {
        await stream.write(encodeStatusAnswer(answer), { signal: ended })
      }
    } catch (error) {
      if (!ended.aborted)
        await stream.write(encodeStatusAnswer({ is: 'error', message: truncateUtf8(messageOf(error), 512) }))
    } finally {
      await stream.end().catch(() => {})
      gone.abort()
      await watch
      ended.clear()
    }
  }
}

async function watchEnd(stream: MessageStream, gone: AbortController, signal: AbortSignal): Promise<void> {
  try {
    while ((await stream.read({ signal })) !== undefined);
  } catch {
    gone.abort()
  }
}
