import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTarReader } from '../../../src/code/archive/tar-read.ts'
import { packOutputs } from '../../../src/code/index.ts'
import type { Run } from '../../../src/execution/index.ts'
import { linesOf, MIB, type PlanChange } from '../../fixtures/execution/run-fixture.ts'
import { system } from '../../fixtures/system.ts'
import type { KitContext } from './kit-context.ts'

const LIMITS = { maxBytes: 4 * MIB, maxEntries: 2000 }
/** Not empty, and the same on every executor: what a task leaves has one name, wherever it ran. */
const TREE = 'bafyreifgy3pmiq7rdisrdl2aby7yrjocm3hxjeqrsuug2zd7f22sshnyci'

type Left =
  | { problem: string }
  | { code: string | undefined; files: Record<string, string>; missing: readonly string[]; leftOut: object }

/** What a task leaves below /work, when it has ended with 0. */
export function describeOutputs({ create, dirs, executor, nodeId, plan }: KitContext): void {
  const pack = async (run: Run, paths: readonly string[]): Promise<Left> => {
    const left = await run.outputs?.(paths)
    if (left === undefined || 'problem' in left) return { problem: left?.problem ?? 'nothing is kept' }
    const dir = await mkdtemp(join(dirs().base, 'packed-'))
    try {
      const { code, missing, leftOut } = await packOutputs({ clock: system.clock }, left.paths, { dir, ...LIMITS })
      const files: Record<string, string> = {}
      if (code !== undefined) readInto(files, await readFile(join(dir, 'tar')))
      return { code: code?.toString(), files, missing, leftOut }
    } finally {
      await rm(dir, { recursive: true })
    }
  }
  const left = async (
    paths: readonly string[],
    script: string,
    change: PlanChange = {},
    later?: (run: Run) => Promise<Run>,
  ) => {
    const ready = await plan(`const fs = require('fs'); process.chdir('/work'); fs.mkdirSync('out');${script}`, {
      outputs: { ...LIMITS, paths },
      ...change,
    })
    const run = await executor().start(ready)
    try {
      const end = await run.wait({ signal: AbortSignal.timeout(50_000) })
      expect({ end, err: (await linesOf(ready.logDir)).err }).toMatchObject({
        end: { exitCode: 0, reason: 'exit' },
        err: [],
      })
      return await pack((await later?.(run)) ?? run, paths)
    } finally {
      await executor().remove(run.handle)
    }
  }

  describe('what a task leaves', () => {
    it('is there when it has ended, and is the same archive on every executor', async () => {
      const script = `fs.mkdirSync('out/deep/er', { recursive: true }); fs.writeFileSync('out/deep/er/a.txt', 'a');
        fs.writeFileSync('out/run', '#!/bin/sh\\n', { mode: 0o600 }); fs.linkSync('out/run', 'out/${'l'.repeat(120)}');
        fs.writeFileSync('report', 'r', { mode: 0 }); fs.writeFileSync('secret', 's'); fs.mkdirSync('out/empty')`
      const found = await left(['out', './report'], script)
      expect(found).toMatchObject({
        files: {
          'out/deep/er/a.txt': 'a',
          'out/run*': '#!/bin/sh\n',
          [`out/${'l'.repeat(120)}*`]: '#!/bin/sh\n',
          report: 'r',
        },
        missing: [],
        code: TREE,
      })
    })

    it('follows no link, on the way or at the end, and takes files alone', async () => {
      const script = `for (const [path, to] of [['out/passwd', '/etc/passwd'], ['out/code', '/code'], ['code', '/code'], ['up', '..'], ['etc', '/etc'], ['out/self', '.']]) fs.symlinkSync(to, path);
        try { require('child_process').execFileSync('mkfifo', ['out/pipe']) } catch {}; fs.writeFileSync(Buffer.from([...Buffer.from('out/'), 0xff]), 'x');
        fs.writeFileSync('out/new\\nline', 'x'); fs.writeFileSync('out/good', 'good')`
      const paths = ['out', 'code/main.js', 'etc/passwd', 'up/etc/passwd', 'out/self/good', 'etc', 'gone', 'out/good/x']
      expect(await left(paths, script)).toMatchObject({
        files: { 'out/good': 'good' },
        missing: ['code/main.js', 'etc/passwd', 'up/etc/passwd', 'out/self/good', 'etc', 'gone', 'out/good/x'],
        leftOut: { links: 4, names: 2 },
      })
    })

    it('is not changed by what the task leaves running', async () => {
      const writer = `setInterval(() => { const fs = require('fs'); fs.rmSync('/work/out', { recursive: true, force: true }); try { fs.symlinkSync('/etc', '/work/out') } catch {} }, 1)`
      const script = `fs.writeFileSync('out/hosts', 'mine'); const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(writer)}], { detached: true, stdio: 'ignore' }); child.unref(); setTimeout(() => process.exit(0), 300)`
      const found = await left(['out/hosts'], script)
      // it may have been taken away in time, and never led elsewhere
      expect('files' in found ? (found.files['out/hosts'] ?? 'mine') : found).toBe('mine')
    })

    it('is all of the folder where its path is the folder', async () => {
      expect(await left(['.'], `fs.writeFileSync('a', '1'); fs.writeFileSync('out/b', '2')`)).toMatchObject({
        files: { a: '1', 'out/b': '2' },
        missing: [],
      })
    })

    it('is nothing, in one sentence, where it is more than is taken', async () => {
      const scripts = [
        `fs.writeFileSync('out/a', Buffer.alloc(5 * 1024 * 1024))`,
        `fs.ftruncateSync(fs.openSync('out/a', 'w'), 2 ** 33 - 1)`,
        `for (let i = 0; i < 2001; i++) fs.writeFileSync('out/' + i, '')`,
      ]
      for (const script of scripts) {
        const text = await left(['out'], script).then(
          (found) => ('problem' in found ? found.problem : 'it was taken'),
          String,
        )
        expect(text).toMatch(/more than/)
      }
    }, 120_000)

    it('is nothing also where one folder has more names than fit in the memory of what copies them', async () => {
      const script = `fs.writeFileSync('out/a', ''); for (let i = 0; i < 250_000; i++) fs.linkSync('out/a', 'out/' + i)`
      const found = await left(['out'], script, { grant: { diskBytes: 8192 * MIB, memoryBytes: 1024 * MIB } }).then(
        (one) => ('problem' in one ? one.problem : 'it was taken'),
        String,
      )
      expect(found).toMatch(/more than/)
    }, 60_000)

    it('is held to the disk that was granted', async () => {
      const script = `try { fs.writeFileSync('out/a', Buffer.alloc(3 * 1024 * 1024)) } catch (error) { fs.rmSync('out/a'); fs.writeFileSync('out/error', error.code) }`
      const found = await left(['out/error'], script, { grant: { diskBytes: 2 * MIB } })
      expect(found).toMatchObject({ files: { 'out/error': 'ENOSPC' } })
    })

    it('is found by a node that was killed meanwhile', async () => {
      const found = await left(['out'], `fs.writeFileSync('out/a', '1')`, {}, async (run) => {
        const adopted = (await create(dirs(), nodeId).adopt()).find(
          (one) => JSON.stringify(one.run.handle) === JSON.stringify(run.handle),
        )
        expect(adopted?.state).toBe('ended')
        return adopted?.run ?? run
      })
      expect(found).toMatchObject({ files: { 'out/a': '1' } })
    })

    it('is there beyond the time that the task had, while no node takes it', async () => {
      const lifetime = { afterMs: 3000, graceMs: 0 }
      const script = `fs.writeFileSync('out/a', '1'); setTimeout(() => {}, 1000)`
      const found = await left(['out'], script, { lifetime }, async (run) => {
        // one that began later and does not end by itself: when its time was over, the other's was
        const later = await executor().start(await plan('setInterval(() => {}, 1000)', { lifetime }))
        expect((await later.wait({ signal: AbortSignal.timeout(50_000) })).exitCode).not.toBe(0)
        await executor().remove(later.handle)
        return run
      })
      expect(found).toMatchObject({ files: { 'out/a': '1' } })
    })

    it('goes with the run', async () => {
      const paths = ['out']
      const ready = await plan(`require('fs').mkdirSync('/work/out')`, { outputs: { ...LIMITS, paths } })
      const run = await executor().start(ready)
      await run.wait({ signal: AbortSignal.timeout(50_000) })
      await executor().remove(run.handle)
      expect(await pack(run, paths)).toEqual({ problem: expect.stringContaining('gone') })
    })
  })
}

function readInto(files: Record<string, string>, tar: Uint8Array): void {
  let last = ''
  const sink = {
    file: ({ path, executable }: { path: string; executable: boolean }) => {
      last = executable ? `${path}*` : path
      files[last] = ''
    },
    data: (bytes: Uint8Array) => {
      files[last] += Buffer.from(bytes).toString()
    },
    close() {},
    link: ({ path }: { path: string }) => {
      files[path] = 'a link'
    },
  }
  const reader = createTarReader(sink, { maxBytes: 64 * MIB, maxEntries: 4000 })
  reader.push(tar)
  reader.end()
}
