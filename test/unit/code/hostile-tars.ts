import { END, paxRecord, type RawEntry, rawEntry, rawHeader, rawPax, rawTar } from './raw-tar.ts'

const LONG = `${'d'.repeat(90)}/${'f'.repeat(90)}`

/** Archives that must not be unpacked, each with one thing wrong. */
export function hostileTars() {
  const all: { name: string; tar: Buffer }[] = []
  const add = (name: string, tar: Buffer) => void all.push({ name, tar })
  const file = (name: string, entry: RawEntry) => add(name, rawTar({ content: 'x', ...entry }))

  for (const path of badPaths()) {
    if (Buffer.byteLength(path) <= 100) file(`path ${JSON.stringify(path)}`, { path })
    const alone = paxRecord('path', path)
    add(`pax path ${JSON.stringify(path)}`, rawPax(alone, { content: 'x' }))
    const far = paxRecord('path', `${'a/'.repeat(50)}${path}`)
    if (Buffer.byteLength(path) < 90) add(`long pax path to ${JSON.stringify(path)}`, rawPax(far, { content: 'x' }))
    file(`prefix ${JSON.stringify(path)}`, { path: 'etc/passwd', prefix: path.slice(0, 150) })
  }
  for (const bytes of ['ff', 'c0aec0ae2f61', 'eda080', '6180', 'f888808080']) {
    file(`path of bytes ${bytes}`, { path: Buffer.from(bytes, 'hex') })
    file(`name after zero ${bytes}`, { path: Buffer.from(`6100${bytes}`, 'hex') })
  }
  for (const type of ['1', '2']) {
    for (const link of ['/etc/passwd', '../../x', 'file', '.', '']) {
      for (const path of ['link', 'a/link']) add(`type ${type} ${path} to ${link}`, rawTar({ path, type, link }))
      add(`type ${type} to ${link}, then through it`, rawTar({ path: 'a', type, link }, { path: 'a/b', content: 'x' }))
    }
  }
  for (const type of '34567ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwyz\0 \xff/89-') {
    add(`type ${JSON.stringify(type)}`, rawTar({ path: 'a', type }))
    add(`type ${JSON.stringify(type)} with content`, rawTar({ path: 'a', type, content: 'content' }))
    add(`type ${JSON.stringify(type)} after a file`, rawTar({ path: 'a', content: 'x' }, { path: 'b', type }))
  }
  const modes = '0000600,0000777,0004755,0002755,0001644,0000755 ,0000000,7777777, 000644,0000664,-000644'
  for (const mode of modes.split(',')) file(`mode ${mode}`, { mode: mode.padEnd(8, '\0') })
  file('mode that ends early', { mode: '000755 \0' })
  for (const [field, values] of numberFields())
    for (const value of values) file(`${field} ${JSON.stringify(value)}`, { [field]: value })
  const binary = ['\x80\0\0\0\0\0\0\0\0\0\0\x01', '\xff'.repeat(12)]
  const digits = '77777777777\0,00000000000\0,1          \0,           1,-0000000001\0,0x000000001\0,00000000001 '
  for (const size of [...digits.split(','), ...binary]) {
    const entry = { content: 'x', size: Buffer.from(size, 'latin1') }
    file(`size ${JSON.stringify(size)}`, entry)
    add(`size ${JSON.stringify(size)} of one file of two`, rawTar({ path: 'a', ...entry }, { path: 'b', content: 'y' }))
  }
  for (const magic of ['ustar  \0', '\0\0\0\0\0\0\0\0', 'ustar\x0001', 'ustar\x00\x00\x00', 'USTAR\x0000', 'ustar 00'])
    file(`magic ${JSON.stringify(magic)}`, { magic })
  for (const text of ['root', ' ', '\x01']) {
    for (const field of ['owner', 'group', 'link', 'prefix']) file(`${field} ${text}`, { [field]: text })
    file(`link name after zero ${text}`, { link: `\0${text}` })
  }
  for (let at = 0; at < 12; at++) file(`byte ${at} of the tail`, { tail: Buffer.from([...Buffer.alloc(at), 1]) })
  for (const checksum of ['        ', '0000000\0', '7777777\0', '000000\0 ']) file(`checksum ${checksum}`, { checksum })
  file('checksum in the other spelling', { checksum: otherChecksum({ content: 'x' }) })
  for (const padding of [1, 32, 255]) file(`padding ${padding}`, { padding })

  const orders: Record<string, string[]> = {
    twice: ['a', 'a'],
    'twice, later': ['a', 'b', 'a'],
    descending: ['b', 'a'],
    'in the order of UTF-16': ['\u{1f600}', '\uff5e'],
    'file and folder': ['a', 'a/b'],
    'file and folder, not side by side': ['a', 'a!', 'a/b'],
    'file and folder, deep': ['a/b', 'a/b.c', 'a/b/c/d'],
  }
  for (const [name, paths] of Object.entries(orders))
    add(name, rawTar(...paths.map((path) => ({ path, content: 'x' }))))

  paxTricks(add)
  framing(add)
  return all
}

function badPaths(): string[] {
  const cron = '../../../../etc/cron.d/x'
  const roots = `/etc/passwd //etc / ../x .. ${cron} a/../x a/../../x a/.. ./a . a/./b a/. a//b a/ a/b/`.split(' ')
  const breaks = ['a\nb', 'a\rb', 'a\tb']
  const signs = 'a\\b ..\\x C:\\x \\\\host\\share \x01 a\x1b[31m a\x7f a\u0080b a\u009bb'.split(' ')
  const long = ['n'.repeat(256), `${'n'.repeat(256)}/x`, `${'d/'.repeat(512)}x`]
  return [...roots, ...breaks, ...signs, ...long]
}

function numberFields(): [keyof RawEntry, string[]][] {
  const wrong = ['0000001\0', '000000 \0', '0000000 ', '       \0', '\0\0\0\0\0\0\0\0', '0001750\0', '00000000']
  return [
    ['uid', wrong],
    ['gid', wrong],
    ['mtime', ['00000000001\0', '0000000000 \0', '\0', '14000000000\0', '00000000000 ']],
    ['device', ['0000001\x000000000\0', '0000000\x000000001\0', '', '000000 \x00000000 \0', '\0']],
  ]
}

function otherChecksum(entry: RawEntry): string {
  const sum = rawHeader(entry).subarray(148, 154).toString('latin1')
  return `0${sum.slice(0, 6)}\0`.padEnd(8, ' ')
}

function paxTricks(add: (name: string, tar: Buffer) => void): void {
  const long = paxRecord('path', LONG)
  const tricks: Record<string, string> = {
    'a short path': paxRecord('path', 'short'),
    'two paths': long + paxRecord('path', `${LONG}2`),
    'the same path twice': long + long,
    'a size': long + paxRecord('size', '1'),
    'only a size': paxRecord('size', '1000'),
    'a link': long + paxRecord('linkpath', '/etc/passwd'),
    'a time': long + paxRecord('mtime', '1.5'),
    'an owner': long + paxRecord('uid', '0'),
    'a character set': paxRecord('hdrcharset', 'BINARY') + long,
    'a GNU sparse map': long + paxRecord('GNU.sparse.map', '0,1'),
    'a GNU sparse name': paxRecord('GNU.sparse.name', LONG),
    'an extended attribute': long + paxRecord('SCHILY.xattr.security.capability', 'x'),
    'a length that is too long': long.replace(/^\d+/, (digits) => String(Number(digits) + 1)),
    'a length that is too short': long.replace(/^\d+/, (digits) => String(Number(digits) - 1)),
    'a length with a zero before it': `0${long}`,
    'a length with a sign': `+${long}`,
    'no length': long.replace(/^\d+ /, ''),
    'no line feed': long.slice(0, -1),
    'a line feed in the path': paxRecord('path', `${LONG}\nx`),
    'a zero in the path': paxRecord('path', `${LONG}\0x`),
    'an empty path': paxRecord('path', ''),
    nothing: '',
    'something else': 'hello',
    'a key that looks like it': paxRecord('Path', LONG),
    'a path that ends with a slash': paxRecord('path', `${LONG}/`),
    'a path out of the folder': paxRecord('path', `${'../'.repeat(40)}etc/passwd`),
    'an absolute path': paxRecord('path', `/${LONG}`),
  }
  for (const [name, records] of Object.entries(tricks))
    add(`pax record with ${name}`, rawPax(records, { content: 'x' }))
  add('pax header with another name', rawPax(long, { content: 'x' }, { path: 'PaxHeaders.0/x' }))
  add('pax header with another mode', rawPax(long, { content: 'x' }, { mode: '0000755\0' }))
  add('pax header with a time', rawPax(long, { content: 'x' }, { mtime: '00000000001\0' }))
  add('pax padding', rawPax(long, { content: 'x' }, { padding: 1 }))
  add('file after pax with its own name', rawPax(long, { content: 'x', path: LONG.slice(0, 100) }))
  add('file after pax with a prefix', rawPax(long, { content: 'x', prefix: 'd' }))
  add('link after pax', rawPax(long, { type: '2', link: '/etc/passwd' }))
  add('folder after pax', rawPax(long, { type: '5' }))
  const record = rawEntry({ path: '././@PaxHeader', type: 'x', content: long })
  add('pax after pax', Buffer.concat([record, rawPax(long, { content: 'x' })]))
  add('pax and no file', Buffer.concat([record, END]))
  add('pax and the end of all', record)
  add('huge pax', rawPax(paxRecord('path', 'd/'.repeat(60_000)), { content: 'x' }))
  add('pax that says it is huge', rawPax(long, { content: 'x' }, { size: '77777777777\0' }))
  const outside = paxRecord('path', '../x')
  add('global pax', rawTar({ type: 'g', path: 'pax_global_header', content: outside }, { path: 'a', content: 'x' }))
  const gnu = (type: string, of: RawEntry) => rawTar({ type, path: '././@LongLink', content: `${LONG}\0` }, of)
  add('GNU long name', gnu('L', { path: LONG.slice(0, 100), content: 'x' }))
  add('GNU long link', gnu('K', { path: 'a', type: '2', link: 'x' }))
  add('a long path split over the prefix', rawTar({ path: 'f'.repeat(90), prefix: 'd'.repeat(90), content: 'x' }))
}

function framing(add: (name: string, tar: Buffer) => void): void {
  const good = rawTar({ path: 'a', content: 'hello' }, { path: 'b/c', content: Buffer.alloc(700, 'y') })
  for (const cut of [1, 100, 511, 512, 513, 517, 1024, 1025, 1536, 2000, 2236, 2560, 2561, 3000, 3072, 3583]) {
    add(`cut after ${cut}`, good.subarray(0, cut))
  }
  add('nothing', Buffer.alloc(0))
  add('one block of zeros', Buffer.alloc(512))
  add('no files', END)
  add('padded to ten KiB', Buffer.concat([good, Buffer.alloc(10_240 - good.byteLength)]))
  for (const more of [1, 511, 512, 1024]) add(`${more} zeros after the end`, Buffer.concat([good, Buffer.alloc(more)]))
  for (const more of [1, 511, 512]) add(`${more} bytes after the end`, Buffer.concat([good, Buffer.alloc(more, 'x')]))
  add('a second archive after the end', Buffer.concat([good, good]))
  add('a hidden file after the end', Buffer.concat([good, rawTar({ path: 'z', content: 'x' })]))
  const [a, b] = [rawEntry({ path: 'a' }), rawEntry({ path: 'b' })]
  add('a block of zeros between files', Buffer.concat([a, Buffer.alloc(512), b, END]))
  add('one block of zeros at the end', good.subarray(0, -512))
  add('zeros before all', Buffer.concat([Buffer.alloc(512), good]))
  add('gzip', Buffer.from('1f8b0800000000000003', 'hex'))
  for (const seed of [1, 2, 3, 4, 5])
    add(`noise ${seed}`, Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 31 * seed + (at >> 3)) & 0xff)))
  // one changed bit anywhere in a header must be seen; content is what hashes are for
  for (let at = 0; at < 512; at += 3) {
    const flipped = Buffer.from(good)
    flipped[1024 + at] = (flipped[1024 + at] as number) ^ 0x04
    add(`a flipped bit at ${at} of a header`, flipped)
  }
}
