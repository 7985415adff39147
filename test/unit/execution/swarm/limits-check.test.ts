import { describe, expect, it } from 'vitest'
import { runOptions } from '../../../../src/execution/docker/container-options.ts'
import { gatewayOptions } from '../../../../src/execution/docker/gateway-options.ts'
import { missingLimits } from '../../../../src/execution/swarm/limits-check.ts'
import type { Plan } from '../../../../src/execution/types.ts'

const PARENT = '/docker/launcher'
const handle = { name: 'thundercloud-r', gateway: 'thundercloud-r-gateway', socket: '/s' }
const plan = {
  ...{
    runId: 'r',
    service: 's',
    author: 'a',
    purpose: 'run',
    codeDir: '/code',
    command: ['node'],
    env: {},
    workdir: '',
  },
  ...{ ports: [], toolchain: ['node.js'], logDir: '/logs' },
  grant: {
    executor: 'swarm',
    memoryBytes: 2 ** 27,
    cpuMillicores: 500,
    diskBytes: 2 ** 25,
    pids: 32,
    network: { mode: 'none' },
  },
} satisfies Plan

/** What an engine says of two containers that it has made as they were asked for. */
function made() {
  const common = { handle, nodeId: 'n', image: 'i' }
  const wishes = { labels: [], volumes: [], workingDir: '' } as never
  const run = runOptions({ ...common, plan, wishes, volume: 'v', memory: { swap: true }, seccomp: true })
  const transport = { kind: 'stdio', main: 'main', files: {} } as const
  const gateway = gatewayOptions({ ...common, plan, transport, seccomp: true, lifetime: undefined })
  const inspected = (id: string, { User, HostConfig }: typeof run) =>
    structuredClone({ Id: id, Config: { User }, HostConfig: { ...HostConfig, CgroupParent: PARENT } })
  return { run: inspected('run', run), gateway: inspected('gateway', gateway) }
}

type Made = ReturnType<typeof made>
type Options = Made['run']['HostConfig'] & Record<string, unknown>

/** What an engine may have dropped, by the name that the sentence has for it. */
const DROPPED: [string, (made: Made) => void][] = [
  ['memory', ({ run }) => delete (run.HostConfig as Options).Memory],
  ['swap', ({ run }) => ((run.HostConfig as Options).MemorySwap = 2 ** 28)],
  ['cpu', ({ run }) => delete (run.HostConfig as Options).NanoCpus],
  ['pids', ({ run }) => delete (run.HostConfig as Options).PidsLimit],
  ['network', ({ run }) => ((run.HostConfig as Options).NetworkMode = 'default')],
  ['network', ({ gateway }) => ((gateway.HostConfig as Options).NetworkMode = 'bridge')],
  ['time', ({ run }) => ((run.HostConfig as Options).PidMode = '')],
  ['disk', ({ run }) => delete (run.HostConfig as Options).Tmpfs],
  ['user', ({ run }) => (run.Config.User = '')],
  ['user', ({ run }) => (run.Config.User = '0:0')],
  ["gateway's memory", ({ gateway }) => delete (gateway.HostConfig as Options).Memory],
  ["gateway's pids", ({ gateway }) => delete (gateway.HostConfig as Options).PidsLimit],
  ...(['run', 'gateway'] as const).flatMap((which): [string, (made: Made) => void][] => {
    const of = (all: Made) => all[which].HostConfig as Options
    return [
      ['capabilities', (all) => delete of(all).CapDrop],
      ['capabilities', (all) => (of(all).Privileged = true)],
      ['capabilities', (all) => (of(all).CapAdd = ['NET_ADMIN'])],
      [
        'privileges',
        (all) =>
          (of(all).SecurityOpt = of(all).SecurityOpt?.filter((option: string) => option !== 'no-new-privileges')),
      ],
      ['system calls', (all) => (of(all).SecurityOpt = ['no-new-privileges'])],
      ['read-only root', (all) => (of(all).ReadonlyRootfs = false)],
      ['open files', (all) => (of(all).Ulimits = [])],
      ['IPC', (all) => (of(all).IpcMode = 'shareable')],
      ['control group', (all) => (of(all).CgroupParent = '')],
    ]
  }),
]

describe('what a machine has made of a run', () => {
  const missingIn = (all: Made, cgroupParent: string | undefined = PARENT) =>
    missingLimits(plan, handle, { ...(all as never as Parameters<typeof missingLimits>[2]), cgroupParent })

  it('lacks nothing where it is what was asked for', () => {
    expect(missingIn(made())).toEqual([])
  })

  it.each(DROPPED)('lacks %s where the engine dropped it', (name, drop) => {
    const all = made()
    drop(all)
    expect(missingIn(all)).toEqual([name])
  })

  it('is in no control group of ours where the engine can have none', () => {
    const all = made()
    ;(all.run.HostConfig as Options).CgroupParent = ''
    expect(
      missingLimits(plan, handle, {
        ...(all as never as Parameters<typeof missingLimits>[2]),
        cgroupParent: undefined,
      }),
    ).toEqual([])
  })
})
