import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Docker from 'dockerode'
import { describe, expect, type TestContext, test } from 'vitest'
import { RunRefusedError } from '../../../src/execution/index.ts'
import { dockerExecutor } from '../../fixtures/execution/executors.ts'
import { storeImage } from '../../fixtures/execution/images.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { planFor, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'
import { type RawEntry, rawTar } from '../../unit/code/raw-tar.ts'

const UP = '../'.repeat(12)
const folder = (path: string): RawEntry => ({ path, type: '5', mode: '0000755\0' })
const symbolic = (path: string, link: string): RawEntry => ({ path, type: '2', link })
const hard = (path: string, link: string): RawEntry => ({ path, type: '1', link })

/** A layer above another one, from the path of a folder of this machine, without its first slash. */
const LAYERS: Readonly<Record<string, (victim: string) => RawEntry[]>> = {
  'a whiteout with ".."': (victim) => [{ path: `${UP}${victim}/.wh.kept` }],
  'an opaque whiteout with ".."': (victim) => [{ path: `${UP}${victim}/.wh..wh..opq` }],
  'a whiteout of "."': () => [{ path: 'below/.wh..' }],
  'a whiteout of ".."': () => [{ path: '.wh...' }],
  'a whiteout through a link': (victim) => [symbolic('out', `/${victim}`), { path: 'out/.wh.kept' }],
  'an opaque whiteout through a link': (victim) => [symbolic('out', `/${victim}`), { path: 'out/.wh..wh..opq' }],
  'a whiteout through a link of the layer below': () => [{ path: 'lower/.wh.kept' }, { path: 'lower/.wh..wh..opq' }],
  'a file through a link': (victim) => [symbolic('out', `${UP}${victim}`), { path: 'out/written', content: 'x' }],
  'a file with ".."': (victim) => [{ path: `${UP}${victim}/written`, content: 'x' }],
  'an absolute path': (victim) => [folder(`/${victim}`), { path: `/${victim}/written`, content: 'x' }],
  'a hard link out': (victim) => [hard('taken', `${UP}${victim}/kept`)],
  'a hard link through a link': (victim) => [symbolic('out', `/${victim}`), hard('taken', 'out/kept')],
}

describe.skipIf(!needs('engine'))('layers of an image', () => {
  const dirs = runDirs()

  /** What becomes of an image with such a layer, and what its run can read of this machine. */
  async function load(entries: RawEntry[], victim: string, onTestFinished: TestContext['onTestFinished']) {
    const links = { lower: victim }
    const content = { files: ['gone', 'whole/a', 'below/b'], links, above: [rawTar(...entries)] }
    const { digest, dir, id } = await storeImage(join(await tempDir(), 'image'), content)
    const engine = new Docker()
    onTestFinished(() =>
      engine
        .getImage(id)
        .remove({ force: true })
        .catch(() => {}),
    )
    const executor = dockerExecutor(dirs, { toolchains: {} })
    const script =
      'for f in /gone /whole/a /taken /out/kept /lower/kept; do [ -f $f ] && read l < $f; echo "$f $? $l"; done'
    const { codeDir: _codeDir, ...plan } = await planFor(executor, dirs, '', {
      command: ['/bin/sh', '-c', script],
      toolchain: ['docker'],
    })
    return runToEnd(executor, { ...plan, image: { digest, dir } }).then(
      ({ out }) => out,
      (error: unknown) => error,
    )
  }

  test('remove what they say, within the image', async ({ onTestFinished }) => {
    const out = await load([{ path: '.wh.gone' }, folder('whole'), { path: 'whole/.wh..wh..opq' }], '/', onTestFinished)
    expect(out).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\/gone 1/), expect.stringMatching(/^\/whole\/a 1/)]),
    )
  })

  test.for(Object.entries(LAYERS))('reach nothing outside of it: %s', async ([, layer], { onTestFinished }) => {
    const victim = join(await tempDir(), 'victim')
    await mkdir(victim, { mode: 0o777 })
    await writeFile(join(victim, 'kept'), 'secret\n')
    const result = await load(layer(victim.slice(1)), victim, onTestFinished)
    expect(await readdir(victim)).toEqual(['kept'])
    expect(await readFile(join(victim, 'kept'), 'utf8')).toBe('secret\n')
    // either of the two, as the engine has it; not something that would be tried again
    if (!Array.isArray(result)) expect(result).toBeInstanceOf(RunRefusedError)
    else expect(result.join('\n')).not.toContain('secret')
  })
})
