import { addressBytes } from '../../protocols/address.ts'
import { cidOfStructure, encodeCanonical } from '../../protocols/encoding.ts'
import { MAX_SYNC_ITEMS, MAX_SYNC_STATEMENTS } from '../../protocols/limits.ts'
import { blsSignerOf, type Draft, hex, refuses, signerOf, type VectorFile } from './kit.ts'

const A = cidOfStructure(Uint8Array.of(1))
const B = cidOfStructure(Uint8Array.of(2))
const HUB = addressBytes(signerOf('hub').address)
const BLS_HUB = addressBytes(blsSignerOf('hub').address)

export function sync(): VectorFile {
  return { about: 'Requests and answers of /thundercloud/sync/1.', cases: [...requests(), ...answers()] }
}

function requests(): Draft[] {
  return [
    request('list', { v: 1, want: 'list' }),
    request('list, next page', { v: 1, want: 'list', after: A }),
    request('pull', { v: 1, want: 'pull', ids: [A, B] }),
    request('pull nothing', { v: 1, want: 'pull', ids: [] }),
    request('offer', {
      v: 1,
      want: 'offer',
      items: [
        [A, 2],
        [B, 0],
      ],
    }),
    request('tell', { v: 1, want: 'tell', announcement: Uint8Array.of(0x80) }),
    request('statements', { v: 1, want: 'statements' }),
    request('statements, next page', { v: 1, want: 'statements', after: A }),
    request('pull statements', { v: 1, want: 'pull-statements', ids: [A, B] }),
    bad(request('v 2', { v: 2, want: 'list' }), 'v'),
    bad(request('something else', { v: 1, want: 'push' }), 'want'),
    bad(request('list with ids', { v: 1, want: 'list', ids: [] }), ''),
    bad(request('offer without a depth', { v: 1, want: 'offer', items: [[A]] }), 'items[0]'),
    bad(request('offer of depth 9', { v: 1, want: 'offer', items: [[A, 9]] }), 'items[0][1]'),
    bad(request('offer with a third entry', { v: 1, want: 'offer', items: [[A, 1, 1]] }), 'items[0]'),
    bad(request('pull text', { v: 1, want: 'pull', ids: [A.toString()] }), 'ids[0]'),
    bad(request('pull 1025', { v: 1, want: 'pull', ids: Array(MAX_SYNC_ITEMS + 1).fill(A) }), 'ids'),
    bad(request('statements by depth', { v: 1, want: 'statements', depth: 1 }), ''),
    bad(request('pull statements of nobody', { v: 1, want: 'pull-statements' }), 'ids'),
    bad(
      request('pull 513 statements', { v: 1, want: 'pull-statements', ids: Array(MAX_SYNC_STATEMENTS + 1).fill(A) }),
      'ids',
    ),
    bad(request('65537 bytes', new Uint8Array(65_537 - 3)), ''),
  ]
}

function answers(): Draft[] {
  return [
    answer('items', {
      is: 'items',
      items: [
        [A, 3],
        [B, 0],
      ],
      more: true,
    }),
    answer('no items', { is: 'items', items: [], more: false }),
    answer('announcement', { is: 'announcement', announcement: Uint8Array.of(0x80) }),
    answer('statements', {
      is: 'statements',
      items: [
        [A, HUB],
        [B, BLS_HUB],
      ],
      more: false,
    }),
    answer('statement', { is: 'statement', statement: Uint8Array.of(0xa0) }),
    answer('end', { is: 'end' }),
    answer('error', { is: 'error', message: 'too often' }),
    bad(answer('more is missing', { is: 'items', items: [] }), 'more'),
    bad(
      answer('513 statements', {
        is: 'statements',
        items: Array(MAX_SYNC_STATEMENTS + 1).fill([A, HUB]),
        more: false,
      }),
      'items',
    ),
    bad(answer('statement by a depth', { is: 'statements', items: [[A, 1]], more: false }), 'items[0][1]'),
    bad(answer('statement by nobody', { is: 'statements', items: [[A]], more: false }), 'items[0]'),
    bad(answer('statement as text', { is: 'statement', statement: 'a0' }), 'statement'),
    bad(answer('of an unknown kind', { is: 'list' }), 'is'),
    bad(answer('error without a word', { is: 'error' }), 'message'),
  ]
}

function request(name: string, value: unknown): Draft {
  return { name: `request: ${name}`, op: 'sync.request', bytes: hex(encodeCanonical(value)) }
}

function answer(name: string, value: unknown): Draft {
  return { name: `answer: ${name}`, op: 'sync.answer', bytes: hex(encodeCanonical(value)) }
}

function bad(draft: Draft, field: string): Draft {
  return { ...draft, ...refuses('shape', field) }
}
