import { spawn } from 'node:child_process'
import { existsSync, promises as files, readFileSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { errnoOf } from '../../../../src/base/errors.ts'
import { type CgroupRoots, findCgroups } from '../../../../src/execution/host/cgroup-roots.ts'
import {
  cgroupStats,
  createCgroup,
  joinFiles,
  killCgroup,
  limitCgroup,
  oomKills,
  removeCgroup,
} from '../../../../src/execution/host/cgroups.ts'
import { type Cgroup2Tree, cgroup2Tree } from '../../../fixtures/execution/cgroup2-tree.ts'
import { until } from '../../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'
import { needs } from '../../../require.ts'

const SHIM = 4242
const SERVICE = 4243
const OWNER = process.getuid?.() === 0 ? 61_234 : process.getuid?.()
const GRANT = { memoryBytes: 64 * 2 ** 20, cpuMillicores: 500, pids: 32 }

describe('control groups of version 2', () => {
  let base: string
  let root: string
  let tree: Cgroup2Tree | undefined

  beforeEach(async () => {
    base = await tempDir()
    root = join(base, 'cgroup')
  })
  afterEach(async () => {
    tree?.[Symbol.dispose]()
    vi.restoreAllMocks()
    await files.rm(base, { recursive: true, force: true })
  })

  const machine = async (controllers = ['cpu', 'memory', 'pids'], options = {}) => {
    tree = await cgroup2Tree(root, controllers, options)
    return tree
  }
  const find = async ({ mount = root, own = '/', more = '' } = {}) => {
    await files.writeFile(join(base, 'mounts'), `cgroup2 ${mount} cgroup2 rw,nsdelegate 0 0\n${more}`)
    await files.writeFile(join(base, 'self'), `0::${own}\n`)
    return findCgroups(join(base, 'mounts'), join(base, 'self'))
  }
  const text = (dir: string, file: string) => readFileSync(join(dir, file), 'utf8').trim()
  const run = async (owner = OWNER, name = 'node-run') => {
    const groups = await find()
    return { dir: join(root, 'thundercloud', name), ...(await createCgroup(groups, name, GRANT, owner)) }
  }
  const join0 = async (pid: number, paths: readonly string[]) => {
    tree?.as(pid)
    for (const path of paths) await writeFile(path, '0', { flag: 'r+' })
  }

  describe('are found', () => {
    const at = (parent: string, ...names: string[]): CgroupRoots => ({
      version: 2,
      roots: Object.fromEntries(names.map((name) => [name, parent])),
    })

    it('where the node may make them, with the controllers that the machine has', async () => {
      await machine(['memory', 'pids', 'io'])
      expect(await find()).toEqual(at(join(root, 'thundercloud'), 'memory', 'pids'))
    })

    it('beside the group of a service to which its group is delegated, not in that: it has members', async () => {
      const tree = await machine()
      const service = join(root, 'tc.service')
      for (const controller of ['memory', 'pids'])
        await writeFile(join(root, 'cgroup.subtree_control'), `+${controller}`)
      await mkdir(join(service, 'node'), { recursive: true })
      await writeFile(join(service, 'node', 'cgroup.procs'), `${SHIM}`)
      expect(await find({ mount: service, own: '/node' })).toEqual(at(join(service, 'thundercloud'), 'memory', 'pids'))
      expect(tree.membersOf(join(service, 'node'))).toEqual([SHIM])
    })

    it.each([
      { title: 'a group with members enables nothing', member: true, own: '/' },
      { title: 'what lies above the mount is not its own', member: true, own: '/../other' },
    ])('not where $title, and nothing is left', async ({ member, own }) => {
      await machine()
      await mkdir(join(root, 'container'))
      if (member) await writeFile(join(root, 'container', 'cgroup.procs'), `${SHIM}`)
      expect(await find({ mount: join(root, 'container'), own })).toEqual({ version: 1, roots: {} })
      expect(existsSync(join(root, 'container', 'thundercloud'))).toBe(false)
      expect(existsSync(join(root, 'thundercloud'))).toBe(false)
    })

    it('and those of version 1 where they hold the controllers', async () => {
      await machine(['hugetlb'])
      const v1 = join(base, 'memory')
      const more = `cgroup ${v1} cgroup rw,memory 0 0\n`
      expect(await find({ more })).toEqual({ version: 1, roots: { memory: join(v1, 'thundercloud') } })
    })
  })

  describe('of a run', () => {
    it('limit what the shim moves into them, and not the shim', async () => {
      const tree = await machine()
      const { dir, shim, ...cgroup } = await run()
      await join0(SHIM, shim)
      await join0(SERVICE, joinFiles(cgroup))
      const limited = join(dir, 'limited')
      expect(tree.membersOf(join(dir, 'shim'))).toEqual([SHIM])
      expect(tree.membersOf(limited)).toEqual([SERVICE])
      const limits = ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max', 'cpu.max']
      expect(limits.map((file) => text(limited, file))).toEqual([
        `${GRANT.memoryBytes}`,
        '0',
        '1',
        '32',
        '50000 100000',
      ])
      expect(text(join(dir, 'shim'), 'memory.max')).toBe('max')
    })

    it("give the run's user the right to move its own, and no other", async () => {
      await machine()
      const { dir } = await run()
      const owner = async (path: string) => (await files.stat(join(dir, path))).uid
      expect(await Promise.all(['cgroup.procs', 'limited/cgroup.procs'].map(owner))).toEqual([OWNER, OWNER])
      const kept = ['', 'limited', 'limited/memory.max', 'cgroup.subtree_control', 'shim/cgroup.procs']
      expect(new Set(await Promise.all(kept.map(owner)))).toEqual(new Set([process.getuid?.()]))
    })

    it('are one group where the node is an ordinary user, also on a kernel that counts no swap', async () => {
      const tree = await machine(undefined, { lacks: ['memory.swap.max', 'memory.oom.group'] })
      const groups = await find()
      const { shim, ...cgroup } = await createCgroup(groups, 'node-run', GRANT)
      expect(shim).toEqual([])
      await join0(SERVICE, joinFiles(cgroup))
      expect(tree.membersOf(join(root, 'thundercloud', 'node-run'))).toEqual([SERVICE])
      expect(await removeCgroup(cgroup)).toBe(false)
    })

    it('that wait get the limits of their run later', async () => {
      await machine()
      const groups = await find()
      const { shim: _, ...cgroup } = await createCgroup(groups, 'slot', { memoryBytes: 1, pids: 2 }, OWNER)
      const limited = dirname(joinFiles(cgroup)[0] as string)
      expect(text(limited, 'cpu.max')).toBe('max 100000')
      await limitCgroup(cgroup, { cpuMillicores: 1 })
      expect(text(limited, 'cpu.max')).toBe('1000 100000')
      await limitCgroup(cgroup, GRANT)
      expect(['memory.max', 'pids.max', 'cpu.max'].map((file) => text(limited, file))).toEqual([
        `${GRANT.memoryBytes}`,
        '32',
        '50000 100000',
      ])
    })

    it('say what the run uses, and that the kernel ended it', async () => {
      const tree = await machine()
      const { dir, shim, ...cgroup } = await run()
      await join0(SERVICE, joinFiles(cgroup))
      await tree.spend(join(dir, 'limited'), 1_500_000)
      await tree.allocate(SERVICE, 2 ** 20)
      expect(await cgroupStats(cgroup)).toEqual({ memoryBytes: 2 ** 20, pids: 1, cpuMs: 1500 })
      expect(await oomKills(cgroup)).toBe(0)
      await join0(SERVICE + 1, joinFiles(cgroup))
      await tree.allocate(SERVICE, 2 * GRANT.memoryBytes)
      expect(await oomKills(cgroup)).toBe(2)
      expect(tree.membersOf(join(dir, 'limited'))).toEqual([])
    })

    it('stay while a process is in one of them, and go when all are killed', async () => {
      const tree = await machine()
      const { dir, shim, ...cgroup } = await run()
      await join0(SHIM, shim)
      await join0(SERVICE, joinFiles(cgroup))
      const handle = { version: 2, dirs: { memory: dir, cpu: dir } } as const
      expect(await removeCgroup(handle)).toBe(false)
      expect([tree.membersOf(join(dir, 'shim')), tree.membersOf(join(dir, 'limited'))]).toEqual([[SHIM], [SERVICE]])
      await killCgroup(handle)
      expect(await removeCgroup(handle)).toBe(true)
      expect(existsSync(dir)).toBe(false)
      expect(await removeCgroup(handle)).toBe(true)
    })

    it('of a kernel without cgroup.kill: each process gets a signal, and never the group of the node', async () => {
      await machine(undefined, { lacks: ['cgroup.kill'] })
      const { dir, shim, ...cgroup } = await run()
      await join0(SHIM, shim)
      await join0(SERVICE, joinFiles(cgroup))
      // how a process of another namespace is listed
      await files.appendFile(join(dir, 'limited', 'cgroup.procs'), '0\n')
      const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
      await killCgroup({ version: 2, dirs: { memory: dir } })
      expect(kill.mock.calls.toSorted()).toEqual([
        [SHIM, 'SIGKILL'],
        [SERVICE, 'SIGKILL'],
      ])
    })
  })

  const real = '/sys/fs/cgroup/unified'
  const controllers = existsSync(real) ? readFileSync(join(real, 'cgroup.controllers'), 'utf8').trim().split(' ') : []
  it.skipIf(!needs('root') || !controllers.includes('hugetlb'))("are files with this kernel's rules", async () => {
    await machine(['hugetlb'])
    const member = spawn('sleep', ['60'], { stdio: 'ignore' })
    onTestFinished(() => void member.kill('SIGKILL'))
    const answers = async (above: string) => {
      const top = join(above, `thundercloud-test-${process.pid}`)
      const code = (act: Promise<unknown>) => act.then(() => 'ok', errnoOf)
      const write = (path: string, value: string, flag = 'w') => code(writeFile(join(top, path), value, { flag }))
      await writeFile(join(above, 'cgroup.subtree_control'), '+hugetlb')
      await mkdir(join(top, 'p'), { recursive: true })
      const limit = join(top, 'p', 'hugetlb.2MB.max')
      return {
        'what the group above has not': await write('p/cgroup.subtree_control', '+hugetlb'),
        'one of two': await write('cgroup.subtree_control', '+hugetlb +memory'),
        'a file before': existsSync(limit),
        'what it has': await write('cgroup.subtree_control', '+hugetlb'),
        'a file after': existsSync(limit),
        'no limit': await write('p/hugetlb.2MB.max', 'much'),
        'a limit': await write('p/hugetlb.2MB.max', '0'),
        'a file that is not there': [await write('p/none', '0'), await write('p/none', '0', 'r+')],
        'a member': await write('p/cgroup.procs', `${member.pid}`),
        'a member beside groups': await write('cgroup.procs', `${member.pid}`),
        'a group of members that enables': await write('p/cgroup.subtree_control', '+hugetlb'),
        'a group with members that goes': await code(rmdir(join(top, 'p'))),
        'a group with groups that goes': await code(rmdir(top)),
        'a killed group': await write('cgroup.kill', '1'),
        'an empty group that goes': await until(async () => (await code(rmdir(join(top, 'p')))) === 'ok'),
        'the last': await code(rmdir(top)),
      }
    }
    const expected = await answers(root)
    expect(await answers(real)).toEqual(expected)
  })
})
