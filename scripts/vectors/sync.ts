import { addressBytes } from '../../protocols/address.ts'
import { type CID, cidOfBytes, cidOfStructure, encodeCanonical } from '../../protocols/encoding.ts'
import {
  MAX_ANNOUNCEMENT_BYTES,
  MAX_STATEMENT_BYTES,
  MAX_SYNC_ITEMS,
  MAX_SYNC_STATEMENTS,
} from '../../protocols/limits.ts'
import { blsSignerOf, type Draft, hex, noCbor, refuses, signerOf, type VectorFile } from './kit/kit.ts'

const A = cidOfStructure(Uint8Array.of(1))
const B = cidOfStructure(Uint8Array.of(2))
/** The name of plain bytes: no service, stop or statement has such an id. */
const RAW = cidOfBytes(Uint8Array.of(1))
const HUB = addressBytes(signerOf('hub').address)
const BLS_HUB = addressBytes(blsSignerOf('hub').address)

export function sync(): VectorFile {
  return {
    about: 'Requests and answers of /thundercloud/sync/1.',
    cases: [noCbor('sync.request'), noCbor('sync.answer'), ...requests(), ...answers(), ...pages()],
  }
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
    bad(request('list after a raw CID', { v: 1, want: 'list', after: RAW }), 'after'),
    bad(request('pull a raw CID', { v: 1, want: 'pull', ids: [A, RAW] }), 'ids[1]'),
    bad(request('offer a raw CID', { v: 1, want: 'offer', items: [[RAW, 1]] }), 'items[0][0]'),
    bad(request('pull the statement of a raw CID', { v: 1, want: 'pull-statements', ids: [RAW] }), 'ids[0]'),
    request('tell 16384 bytes', { v: 1, want: 'tell', announcement: new Uint8Array(MAX_ANNOUNCEMENT_BYTES) }),
    bad(
      request('tell 16385 bytes', { v: 1, want: 'tell', announcement: new Uint8Array(MAX_ANNOUNCEMENT_BYTES + 1) }),
      'announcement',
    ),
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
    bad(answer('items with a raw CID', { is: 'items', items: [[RAW, 1]], more: false }), 'items[0][0]'),
    bad(answer('statements with a raw CID', { is: 'statements', items: [[RAW, HUB]], more: false }), 'items[0][0]'),
    bad(
      answer('announcement of 16385 bytes', {
        is: 'announcement',
        announcement: new Uint8Array(MAX_ANNOUNCEMENT_BYTES + 1),
      }),
      'announcement',
    ),
    bad(
      answer('statement of 4097 bytes', { is: 'statement', statement: new Uint8Array(MAX_STATEMENT_BYTES + 1) }),
      'statement',
    ),
  ]
}

/** Does the answer lead on from `after`? */
function pages(): Draft[] {
  const [first, second] = A.toString() < B.toString() ? [A, B] : [B, A]
  const page = (name: string, ids: CID[], more: boolean, after?: CID): Draft => ({
    name: `page: ${name}`,
    op: 'sync.page',
    bytes: hex(encodeCanonical({ is: 'items', items: ids.map((id) => [id, 1]), more })),
    ...(after === undefined ? {} : { after: after.toString() }),
  })
  return [
    page('two in order', [first, second], true),
    page('the next one', [second], false, first),
    page('empty, and the last', [], false, second),
    bad(page('descending', [second, first], false), 'items[1]'),
    bad(page('one id twice', [first, first], false), 'items[1]'),
    bad(page('begins with after', [first, second], false, first), 'items[0]'),
    bad(page('before after', [first], false, second), 'items[0]'),
    bad(page('empty, and there is more', [], true), 'more'),
    {
      name: 'page: statements, descending',
      op: 'sync.page',
      bytes: hex(
        encodeCanonical({
          is: 'statements',
          items: [
            [second, HUB],
            [first, HUB],
          ],
          more: false,
        }),
      ),
      ...refuses('shape', 'items[1]'),
    },
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
