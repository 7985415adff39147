import { cidOfBytes, encodeCanonical } from '../../protocols/encoding.ts'
import { type Draft, hex, noCbor, refuses, type VectorFile } from './kit/kit.ts'
import { CODE } from './kit/samples.ts'

const chunk = { v: 1, want: 'chunk', service: CODE, index: 0 }

export function results(): VectorFile {
  return {
    about: 'Requests of /thundercloud/results/1. The answers are those of /thundercloud/archive/1.',
    cases: [
      noCbor('results.request'),
      request('receipt', { v: 1, want: 'receipt', service: CODE }),
      request('manifest', { v: 1, want: 'manifest', service: CODE }),
      request('chunk', chunk),
      request('chunk with a token', { ...chunk, index: 4095, token: Uint8Array.of(0xa0) }),
      request('a token of 512 bytes', { ...chunk, token: new Uint8Array(512) }),
      bad(request('a token of 513 bytes', { ...chunk, token: new Uint8Array(513) }), 'token'),
      bad(request('chunk 4096', { ...chunk, index: 4096 }), 'index'),
      bad(request('chunk without a place', { v: 1, want: 'chunk', service: CODE }), 'index'),
      bad(request('manifest with a place', { ...chunk, want: 'manifest' }), ''),
      bad(request('of a raw CID', { ...chunk, service: cidOfBytes(Uint8Array.of(1)) }), 'service'),
      bad(request('something else', { ...chunk, want: 'list' }), 'want'),
      bad(request('v 2', { ...chunk, v: 2 }), 'v'),
    ],
  }
}

function request(name: string, value: unknown): Draft {
  return { name: `request: ${name}`, op: 'results.request', bytes: hex(encodeCanonical(value)) }
}

function bad(draft: Draft, field: string): Draft {
  return { ...draft, ...refuses('shape', field) }
}
