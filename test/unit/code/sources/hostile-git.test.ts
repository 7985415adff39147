import { describe, expect, test } from 'vitest'
import type { Page } from '../../../fixtures/code/source-server.ts'
import { ABOUT, line, outcome, packed } from './git-stand-in.ts'
import { commitOf, deltaOf, idOf, type PackObject, packOf, treeOf } from './packs.ts'

describe('a hostile server of git', () => {
  test.each<[string, Page, Page, RegExp]>([
    ['speaks no version 2', line('hello\n'), '', /does not speak version 2/],
    ['is none', '<html></html>', '', /does not answer as a git server/],
    [
      'redirects to a private address',
      (response) => response.writeHead(302, { location: 'http://10.0.0.1/x/info/refs?service=git-upload-pack' }).end(),
      '',
      /10\.0\.0\.1:80 is not among the hosts/,
    ],
    [
      'redirects the second request',
      ABOUT,
      (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      /answers 302/,
    ],
    ['sends no pack', ABOUT, '0000', /has no commit/],
    [
      'sends what is no pack',
      ABOUT,
      packed(Buffer.from('PACKnothing at all')),
      /the pack of the commit cannot be read/,
    ],
    [
      'says so in words',
      ABOUT,
      Buffer.concat([line('packfile\n'), line('\x03no \x1b[31mroom\n')]),
      /the git server says: no .*room/,
    ],
    ['sends half a line', ABOUT, '00ff', /is cut/],
    [
      'sends without end',
      ABOUT,
      (response) => {
        const more = () => response.write(packed(Buffer.alloc(60_000)).subarray(0, -4), (error) => error ?? more())
        more()
      },
      /more than the 4 MiB that may be downloaded/,
    ],
  ])('that %s ends in one sentence', async (_, about, pack, message) => {
    expect(await outcome(about, pack)).toMatch(message)
  })
})

describe('a pack', () => {
  const FILES = [{ path: 'a', content: 'hello hello\n' }]
  const { id, objects } = commitOf({ name: 'a', content: 'hello hello\n' })
  const base = idOf('blob', 'hello ')
  /** "hello " twice, and the line feed */
  const delta = deltaOf(6, 12, 0x90, 6, 0x90, 5, 1, 10)
  const twice: PackObject = { type: 'reference', base, content: delta }
  const [commit, tree] = objects as [PackObject, PackObject]
  const read = (...args: Parameters<typeof packOf>) => outcome(ABOUT, packed(packOf(...args)), id, FILES)

  test('whole objects, and deltas of objects that come before or after', async () => {
    expect(await read(objects)).toBe('taken')
    const plain: PackObject = { type: 'blob', content: 'hello ' }
    expect(await read([commit, tree, plain, twice])).toBe('taken')
    expect(await read([twice, commit, tree, plain])).toBe('taken')
  })

  const zeros = (bytes: number) => Buffer.alloc(bytes)
  const hostileTree = (...entries: Parameters<typeof treeOf>) => {
    const content = treeOf(...entries)
    const own = `tree ${idOf('tree', content)}\n`
    return {
      id: idOf('commit', own),
      objects: [{ type: 'commit', content: own }, { type: 'tree', content }, ...objects] as PackObject[],
    }
  }
  test.each<[string, Parameters<typeof packOf>, RegExp]>([
    [
      'an object that unpacks to more than its header says',
      [[{ type: 'blob', content: zeros(3_000_000), size: 10 }]],
      /not what its header says/,
    ],
    ['an object that unpacks to less', [[{ type: 'blob', content: 'x', size: 10 }]], /not what its header says/],
    [
      'an object of 10 GB',
      [[{ type: 'blob', content: 'x', size: 10_000_000_000 }]],
      /has a file of 9\.3 GiB; of git at most 100 MiB/,
    ],
    [
      'a delta that makes 10 GB',
      [
        [
          { type: 'blob', content: 'hello ' },
          { type: 'reference', base, content: deltaOf(6, 10_000_000_000) },
        ],
      ],
      /has a file of 9\.3 GiB/,
    ],
    [
      'many zeros',
      [Array.from({ length: 8 }, () => ({ type: 'blob', content: zeros(20_000_000) }))],
      /the pack of the commit has objects of more than/,
    ],
    [
      'a delta beyond its base',
      [
        [
          { type: 'blob', content: 'hello ' },
          { type: 'reference', base, content: deltaOf(6, 12, 0x91, 1, 6) },
        ],
      ],
      /does not fit/,
    ],
    [
      'a delta of another base',
      [
        [
          { type: 'blob', content: 'hello ' },
          { type: 'reference', base, content: deltaOf(7, 6, 0x90, 6) },
        ],
      ],
      /does not fit/,
    ],
    [
      'a delta that is cut',
      [
        [
          { type: 'blob', content: 'hello ' },
          { type: 'reference', base, content: deltaOf(6, 6, 0x90) },
        ],
      ],
      /does not fit/,
    ],
    ['a delta of nothing', [[{ type: 'reference', base, content: delta }]], /based on one that is not there/],
    ['a delta of itself', [[{ type: 'offset', base: 0, content: delta }]], /based on none/],
    ['a delta of the middle of something', [[commit, { type: 'offset', base: 3, content: delta }]], /based on none/],
    ['more objects than it says', [objects, { count: 2 }], /more than its objects/],
    ['fewer objects than it says', [objects, { count: 4 }], /no end|no type|not what its header says/],
    ['a history', [objects, { count: 1_000_000 }], /has 1,?000,?000 objects; at most 2,?001/],
    ['something behind it', [objects, { after: 'more' }], /more than its objects/],
    ['without the commit', [[tree]], /has no object/],
    ['without the files', [[commit, tree]], /has no object/],
  ])('with %s is refused', async (_, args, message) => {
    expect(await read(...args)).toMatch(message)
  })

  test('whose checksum is another, or that is cut, is refused', async () => {
    const pack = packOf(objects)
    for (const bytes of [
      pack.subarray(0, -1),
      Buffer.concat([pack.subarray(0, -1), Buffer.of(0)]),
      pack.subarray(0, 5),
    ]) {
      expect(await outcome(ABOUT, packed(bytes), id)).toMatch(/checksum is another/)
    }
  })

  test.each<[string, ReturnType<typeof hostileTree>, RegExp]>([
    ['that climbs', hostileTree({ mode: '100644', name: '..', id: base }), /has no object|the part "\.\."/],
    ['with a slash', hostileTree({ mode: '100644', name: 'a/b', id: base }), /not what git writes/],
    [
      'that is a folder of itself',
      hostileTree({ mode: '40000', name: 'a', id }),
      /is a commit, and not a tree|has no object/,
    ],
    ['that is not UTF-8', hostileTree({ mode: '100644', name: Buffer.of(0x61, 0xff), id: base }), /not UTF-8/],
    ['that is a submodule', hostileTree({ mode: '160000', name: 'a', id }), /is a submodule/],
  ])('with a name %s is refused', async (_, hostile, message) => {
    expect(await outcome(ABOUT, packed(packOf(hostile.objects)), hostile.id)).toMatch(message)
  })
})
