import { describe, expect, it } from 'vitest'
import { andromeda } from '../../../../src/runner/andromeda/index.ts'
import { network } from '../../../../src/runner/andromeda/rules/network.ts'
import type { AvailableExecutor } from '../../../../src/runner/index.ts'
import { configOf, serviceOf, snapshotOf } from '../support.ts'
import { type Case, table } from './table.ts'

const able = (...networks: ('allowlist' | 'open')[]) => ({
  capacity: { ...snapshotOf().capacity, executors: [{ name: 'docker' as const, networks }] },
})
const both = able('allowlist', 'open')
const asks = (
  says: string,
  outcome: Case['outcome'],
  NETCAP: object,
  asked: string[],
  more: Partial<Case> = {},
): Case => ({
  says,
  outcome,
  settings: { NETCAP },
  service: { network: asked },
  node: both,
  ...more,
})
const list = (...ALLOW: string[]) => ({ MODE: 'allowlist', ALLOW })

table(network, [
  { says: 'asks for none', outcome: 'pass', message: 'asks for no network' },
  asks('NETCAP {} grants nothing', 'fail', {}, ['api.github.com:443'], {
    message: 'asks for api.github.com:443, and NETCAP grants no network',
    needs: { field: 'network', must: 'be', value: 'empty' },
  }),
  asks('exactly what is listed', 'pass', list('api.github.com:443'), ['api.github.com:443']),
  asks('another port', 'fail', list('api.github.com:443'), ['api.github.com:80'], {
    message: 'asks for api.github.com:80: NETCAP.ALLOW does not cover it',
    needs: { field: 'network', must: 'be', value: 'without api.github.com:80' },
  }),
  asks(
    'one of two is not listed',
    'fail',
    list('a.example.org:1', '*.b.example.org:2'),
    ['x.b.example.org:2', 'evil.io:443'],
    {
      message: 'asks for evil.io:443: NETCAP.ALLOW does not cover it',
      reasons: 1,
    },
  ),
  asks('below a wildcard', 'pass', list('*.example.org:443'), ['a.example.org:443', 'b.a.example.org:443']),
  asks('a narrower wildcard', 'pass', list('*.example.org:443'), ['*.a.example.org:443']),
  asks('the wildcard itself', 'pass', list('*.example.org:443'), ['*.example.org:443']),
  asks('a wider wildcard', 'fail', list('*.a.example.org:443'), ['*.example.org:443']),
  asks('a wildcard where one name is listed', 'fail', list('a.example.org:443'), ['*.example.org:443']),
  asks('not below, only alike', 'fail', list('*.example.org:443'), ['evilexample.org:443']),
  asks("a wildcard's own base", 'fail', list('*.example.org:443'), ['example.org:443']),
  asks('a port that is not among PORTS', 'fail', { ...list('a.example.org:22'), PORTS: [443] }, ['a.example.org:22'], {
    message: 'asks for a.example.org:22: port 22 is not in NETCAP.PORTS',
  }),
  asks('open: any public name', 'pass', { MODE: 'open' }, ['a.example.org:22', '*.example.net:1', '8.8.8.8:53']),
  ...[
    'localhost:80',
    '127.0.0.1:80',
    '10.1.2.3:80',
    '172.31.0.1:80',
    '192.168.0.1:80',
    '169.254.169.254:80',
    '0.0.0.0:80',
    '2130706433:80',
    '0x7f.1:80',
    '100.64.0.1:80',
    'printer.local:80',
    'db:5432',
    'metadata.google.internal:80',
  ].map((target) =>
    asks(`open: not ${target}`, 'fail', { MODE: 'open' }, [target], { message: /it is no public name/ }),
  ),
  asks('open: a private one that is listed', 'pass', { MODE: 'open', ALLOW: ['10.1.2.3:80'] }, ['10.1.2.3:80']),
  asks(
    'more is refused than a receipt should hold',
    'fail',
    list('x.y:1'),
    Array.from({ length: 9 }, (_, i) => `h${i}.z:1`),
    { reasons: 4 },
  ),
  asks('no executor grants network', 'fail', list('a.b:443'), ['a.b:443'], {
    node: able(),
    message: 'asks for a.b:443, which NETCAP allows, and the executors here grant no network',
    needs: { field: 'network', must: 'be', value: 'empty' },
  }),
  asks('no executor says what it grants', 'fail', { MODE: 'open' }, ['a.b:443'], { node: {} }),
  asks('an executor that can only grant all is not for a list', 'fail', list('a.b:443'), ['a.b:443'], {
    node: able('open'),
  }),
  asks('no executor at all: the rule "toolchain" says so', 'pass', list('a.b:443'), ['a.b:443'], {
    node: { capacity: { ...snapshotOf().capacity, executors: [] } },
  }),
])

describe('the network of a grant', () => {
  const granted = (NETCAP: object, asked: string[], executors: AvailableExecutor[], MODES = {}) => {
    const capacity = { ...snapshotOf().capacity, executors }
    const { run } = andromeda(serviceOf({ network: asked }), snapshotOf(configOf({ NETCAP, MODES }), { capacity }))
    return run === false ? false : { on: run.executor, ...run.network }
  }
  const all: AvailableExecutor = { name: 'docker', networks: ['allowlist', 'open'] }

  it('is what was asked for, not what is allowed', () => {
    const NETCAP = { ...list('*.b.c:443', 'd.e:1'), RATE_KBPS: 8000 }
    expect(granted(NETCAP, ['a.b.c:443'], [all])).toEqual({
      on: 'docker',
      mode: 'allowlist',
      allow: ['a.b.c:443'],
      rateKbps: 8000,
    })
    expect(granted(NETCAP, [], [all])).toEqual({ on: 'docker', mode: 'none' })
  })

  it('is open only where NETCAP is, nothing narrows it, and the executor can', () => {
    expect(granted({ MODE: 'open' }, ['a.b:443'], [all])).toEqual({ on: 'docker', mode: 'open' })
    expect(granted({ MODE: 'open', PORTS: [443] }, ['a.b:443'], [all])).toMatchObject({ allow: ['a.b:443'] })
    expect(granted({ MODE: 'open' }, ['a.b:443'], [{ name: 'docker', networks: ['allowlist'] }])).toMatchObject({
      mode: 'allowlist',
      allow: ['a.b:443'],
    })
    expect(granted({ MODE: 'open', ALLOW: ['10.0.0.1:1'] }, ['10.0.0.1:1', 'a.b:443'], [all])).toMatchObject({
      allow: ['10.0.0.1:1', 'a.b:443'],
    })
  })

  it('comes from the executor that can grant it, though another is preferred', () => {
    const executors: AvailableExecutor[] = [{ name: 'docker' }, { name: 'host', networks: ['allowlist'] }]
    expect(granted(list('a.b:443'), ['a.b:443'], executors)).toMatchObject({ on: 'host', mode: 'allowlist' })
    expect(granted(list('a.b:443'), [], executors)).toMatchObject({ on: 'docker', mode: 'none' })
  })

  it('is never wider than NETCAP where the rule only warns', () => {
    const MODES = { network: 'warn' }
    expect(granted(list('a.b:443'), ['a.b:443', 'evil.io:443'], [all], MODES)).toMatchObject({ allow: ['a.b:443'] })
    expect(granted({}, ['evil.io:443'], [all], MODES)).toMatchObject({ mode: 'none' })
    expect(granted(list('a.b:443'), ['a.b:443'], [{ name: 'docker' }], MODES)).toMatchObject({ mode: 'none' })
  })
})
