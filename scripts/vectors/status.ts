import { cidOfBytes, encodeCanonical } from '../../protocols/encoding.ts'
import { type Draft, hex, noCbor, refuses, type VectorFile } from './kit/kit.ts'
import { CODE } from './kit/samples.ts'

const logs = { v: 1, want: 'logs', service: CODE, tail: 100, follow: true }
const line = { is: 'log', stream: 'out', at: 1_767_225_600_123, line: 'listening' }

export function status(): VectorFile {
  return {
    about: 'Requests and answers of /thundercloud/status/1.',
    cases: [
      noCbor('status.request'),
      noCbor('status.answer'),
      request('receipt', { v: 1, want: 'receipt', service: CODE }),
      request('logs of the author', logs),
      request('logs with a token', { ...logs, token: Uint8Array.of(0xa0), follow: false, tail: 0 }),
      bad(request('receipt with a tail', { v: 1, want: 'receipt', service: CODE, tail: 1 }), ''),
      bad(request('tail 10001', { ...logs, tail: 10_001 }), 'tail'),
      bad(request('follow missing', { v: 1, want: 'logs', service: CODE, tail: 1 }), 'follow'),
      bad(request('token: text', { ...logs, token: 'a' }), 'token'),
      bad(request('something else', { ...logs, want: 'shell' }), 'want'),
      bad(request('receipt of a raw CID', { v: 1, want: 'receipt', service: cidOfBytes(Uint8Array.of(1)) }), 'service'),
      request('logs with a token of 512 bytes', { ...logs, token: new Uint8Array(512) }),
      bad(request('logs with a token of 513 bytes', { ...logs, token: new Uint8Array(513) }), 'token'),
      bad(request('65537 bytes', new Uint8Array(65_537 - 3)), ''),
      answer('receipt', { is: 'receipt', receipt: Uint8Array.of(0xa0) }),
      answer('receipt of 32768 bytes', { is: 'receipt', receipt: new Uint8Array(32_768) }),
      bad(answer('receipt of 32769 bytes', { is: 'receipt', receipt: new Uint8Array(32_769) }), 'receipt'),
      answer('a line', line),
      answer('a line of the node', { ...line, stream: 'node', line: '' }),
      answer('end', { is: 'end' }),
      answer('error', { is: 'error', message: 'logs of this service need the author\u2019s token' }),
      bad(answer('a line of 16385 bytes', { ...line, line: 'l'.repeat(16_385) }), 'line'),
      bad(answer('an unknown stream', { ...line, stream: 'in' }), 'stream'),
      bad(answer('end with a reason', { is: 'end', message: 'a' }), ''),
      bad(answer('of an unknown kind', { is: 'start' }), 'is'),
    ],
  }
}

function request(name: string, value: unknown): Draft {
  return { name: `request: ${name}`, op: 'status.request', bytes: hex(encodeCanonical(value)) }
}

function answer(name: string, value: unknown): Draft {
  return { name: `answer: ${name}`, op: 'status.answer', bytes: hex(encodeCanonical(value)) }
}

function bad(draft: Draft, field: string): Draft {
  return { ...draft, ...refuses('shape', field) }
}
