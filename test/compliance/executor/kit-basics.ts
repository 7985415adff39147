import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { MIB, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

/** A command, what it writes, and what it sees of the disk. */
export function describeBasics({ it, create, dirs, executor, json, logs, nodeId, outcome, plan }: KitContext): void {
  describe('a command', () => {
    it('ends with its exit code', async () => {
      expect((await outcome('process.exitCode = 7')).end).toMatchObject({ exitCode: 7, reason: 'exit' })
      expect((await outcome('')).end).toMatchObject({ exitCode: 0, reason: 'exit' })
    })

    it('that is no program ends with 127 and says so', async () => {
      const { end, err } = await outcome('', { command: ['no-such-program'] })
      expect(end).toMatchObject({ exitCode: 127, reason: 'exit' })
      expect(err.join()).toContain('no-such-program')
    })

    it('gets its arguments as they are', async () => {
      const args = ['a b', '"quoted"', "it's", '$HOME', '*', '', '-x', '--', 'ü\n2']
      const command = ['node', 'main.js', ...args]
      const seen = await json('console.log(JSON.stringify(process.argv.slice(2)))', { command })
      expect(seen).toEqual(args)
    })

    it('gets its environment and nothing of the node', async () => {
      process.env.THUNDERCLOUD_KIT_SECRET = 'secret'
      const seen = await json('console.log(JSON.stringify(process.env))', { env: { GREETING: 'a "b" $c', EMPTY: '' } })
      expect(seen).toMatchObject({ GREETING: 'a "b" $c', EMPTY: '', HOME: '/work' })
      expect(JSON.stringify(seen)).not.toContain('secret')
    })

    it('starts in its working folder', async () => {
      const script = `console.log(JSON.stringify([process.cwd(), require('fs').readFileSync('here.txt', 'utf8')]))`
      const seen = await json(script, { workdir: 'below', command: ['node', '../main.js'] })
      expect(seen).toEqual(['/code/below', 'below'])
    })
  })

  describe('output', () => {
    it('of both kinds is kept, line by line, also without a last newline', async () => {
      const script = `console.log('one'); console.error('bad'); process.stdout.write('two\\nthree')`
      const { out, err } = await outcome(script)
      expect({ out, err }).toEqual({ out: ['one', 'two', 'three'], err: ['bad'] })
    })

    it('that is no text harms no log', async () => {
      const script = `process.stdout.write(Buffer.from([27, 91, 50, 74, 0, 255, 254, 10, 111, 107, 10]))`
      const { end, out } = await outcome(script)
      expect(end.exitCode).toBe(0)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out.join('')).not.toMatch(/[\u0000-\u0008\u001b]/)
      expect(out.at(-1)).toBe('ok')
    })

    it('of any length is cut into lines that have one', async () => {
      const { out } = await outcome(`process.stdout.write('x'.repeat(100_000))`)
      expect(out.slice(0, -1).every((line) => line.endsWith('\u2026'))).toBe(true)
      expect(out.join('').replaceAll('\u2026', '')).toBe('x'.repeat(100_000))
      expect(Math.max(...out.map((line) => line.length))).toBeLessThanOrEqual(16 * 1024)
    })

    it('without end fills no disk and can be stopped', async () => {
      const flood = await plan(
        `const line = 'y'.repeat(1000) + '\\n'.repeat(1); for (;;) require('fs').writeSync(1, line.repeat(60))`,
      )
      await runToEnd(executor(), flood, async (run) => {
        const ended = run.wait()
        const full = (logs.keep + 1) * logs.maxBytes
        const seen = new Set<string>()
        await until(async () => {
          expect(await sizeOf(flood.logDir, logs.keep)).toBeLessThanOrEqual(full + 128 * 1024)
          const oldest = await stat(join(flood.logDir, 'run.log.1')).catch(() => undefined)
          if (oldest !== undefined) seen.add(`${oldest.ino} ${oldest.mtimeMs}`)
          // files that were full once have been dropped again
          return seen.size > logs.keep + 3
        })
        await run.stop({ graceMs: 0 })
        expect(await ended).toMatchObject({ reason: 'stopped' })
      })
    })
  })

  describe('the file system', () => {
    it('is read-only but for /work and /tmp', async () => {
      const paths = ['/', '/code', '/code/below', '/etc', '/usr', '/dev', '/work', '/tmp', '/proc', '/opt']
      const script = `const fs = require('fs'); const can = {}
        for (const dir of ${JSON.stringify(paths)}) { try { fs.writeFileSync(dir + '/probe', 'x'); can[dir] = true } catch (e) { can[dir] = false } }
        console.log(JSON.stringify(can))`
      const seen = await json(script)
      const writable = Object.keys(seen).filter((dir) => seen[dir])
      expect(writable.sort()).toEqual(['/tmp', '/work'])
    })

    it('lets a build write its code', async () => {
      const build = await plan(`require('fs').writeFileSync('built.txt', 'made')`, { purpose: 'build' })
      await chmod(build.codeDir as string, 0o777)
      expect((await runToEnd(executor(), build)).end.exitCode).toBe(0)
      expect(await readFile(join(build.codeDir as string, 'built.txt'), 'utf8')).toBe('made')
    })

    it('names what builds, as the next process does, and starts nothing', async () => {
      const build = await plan('', { purpose: 'build' })
      const id = await executor().builderId(build)
      expect(id).toContain(executor().name)
      expect(await create(dirs(), nodeId).builderId({ ...build, runId: 'other', service: 'other' })).toBe(id)
      expect(await executor().adopt()).toEqual([])
    })

    it('gives no more disk than granted', async () => {
      const script = `const fs = require('fs'); const fd = fs.openSync('/work/big', 'w'); let written = 0
        try { for (;;) written += fs.writeSync(fd, Buffer.alloc(1024 * 1024)) } catch (error) { console.log(JSON.stringify({ written, code: error.code })) }`
      const seen = await json(script, { grant: { diskBytes: 8 * MIB } })
      expect(seen.code).toBe('ENOSPC')
      expect(seen.written).toBeLessThanOrEqual(8 * MIB)
    })

    it('shows nothing of the machine but its programs', async () => {
      const script = `const fs = require('fs'); const list = dir => { try { return fs.readdirSync(dir) } catch { return [] } }
        const passwd = fs.readFileSync('/etc/passwd', 'utf8').trim().split('\\n').length
        console.log(JSON.stringify({ root: list('/root'), home: list('/home'), sys: list('/sys/class/net').length > 3, passwd, pids: list('/proc').filter(n => /^\\d+$/.test(n)).length, disks: list('/dev').filter(n => /^(sd|vd|nvme|mem|kmsg)/.test(n)) }))`
      const seen = await json(script)
      expect(seen).toMatchObject({ root: [], home: [], disks: [] })
      expect(seen.passwd).toBeLessThanOrEqual(2)
      expect(seen.pids).toBeLessThan(6)
    })
  })
}

async function sizeOf(dir: string, keep: number): Promise<number> {
  const names = ['run.log', ...Array.from({ length: keep + 2 }, (_, n) => `run.log.${n + 1}`)]
  const sizeOfFile = async (name: string) => (await stat(join(dir, name)).catch(() => ({ size: 0 }))).size
  const sizes = await Promise.all(names.map(sizeOfFile))
  return sizes.reduce((sum, size) => sum + size, 0)
}
