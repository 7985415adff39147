import { expect, it } from 'vitest'
import type { RunRecord } from '../../../src/base/run-record.ts'
import type { ReceiptContent } from '../../../src/services/receipts.ts'
import type { ServiceEntry } from '../../../src/services/registry.ts'
import { runReasons } from '../../../src/services/run-reasons.ts'
import { createStateNotifier, type StateNotifierComponents } from '../../../src/services/state-notifier.ts'

it('sends a receipt when a run begins to build, and another that says that an earlier output is used', () => {
  const run = { state: 'building', restarts: 0 } as RunRecord & { detail?: string }
  const entry = {
    record: { redirect: false },
    signed: { body: { name: 'a', author: new Uint8Array([0xed, 0x01, ...new Array(32).fill(1)]) } },
    run,
  }
  const sent: ReceiptContent[] = []
  const services = {
    get: () => entry as unknown as ServiceEntry,
    state: () => 'building',
    runReasons: () => runReasons({ run, healthy: false, service: { kind: 'service' }, healthyMs: 1 }),
  }
  const components = {
    events: { emit: () => {} },
    services,
    receipts: { send: (content: ReceiptContent) => void sent.push(content) },
    lastLines: async () => [],
    isDrained: () => false,
  } as unknown as StateNotifierComponents
  const { notify } = createStateNotifier(components, new AbortController().signal)
  notify('a')
  run.detail = 'the output of an earlier build is used'
  notify('a', run.detail)
  notify('a', run.detail)
  expect(sent.map(({ state, reasons }) => [state, ...reasons.map(({ message }) => message)])).toEqual([
    ['building'],
    ['building', 'the output of an earlier build is used'],
  ])
})

it('sends a receipt when a source of the code fails, and none when it fails again', () => {
  const entry = {
    record: { redirect: false },
    signed: { body: { name: 'a', author: new Uint8Array([0xed, 0x01, ...new Array(32).fill(1)]) } },
    run: { state: 'fetching', restarts: 0 },
  }
  let failures = ''
  const sent: ReceiptContent[] = []
  const components = {
    events: { emit: () => {} },
    services: {
      get: () => entry,
      state: () => 'accepted',
      runReasons: () => [{ rule: 'origin', outcome: 'fail', message: failures }],
    },
    receipts: { send: (content: ReceiptContent) => void sent.push(content) },
    lastLines: async () => [],
    sourceFailures: () => failures,
    isDrained: () => false,
  } as unknown as StateNotifierComponents
  const { notify } = createStateNotifier(components, new AbortController().signal)
  notify('a')
  for (const failure of ['no such commit', 'no such commit', 'no such commit\nno such host']) {
    failures = failure
    notify('a')
  }
  expect(sent.map(({ reasons }) => reasons.map(({ message }) => message))).toEqual([
    ['no such commit'],
    ['no such commit\nno such host'],
  ])
})

it('sends what a run has used to a publisher that is connected, whichever key the service has', () => {
  const entry = {
    record: { redirect: false },
    signed: { body: { author: new Uint8Array([0xed, 0x01, ...new Array(32).fill(1)]), replyTo: ['/p2p/publisher'] } },
    run: { state: 'running' },
  }
  const sent: object[] = []
  const components = {
    services: { get: () => entry, state: () => 'running', runReasons: () => [] },
    receipts: { send: (_: ReceiptContent, to: object) => void sent.push(to) },
  } as unknown as StateNotifierComponents
  createStateNotifier(components, new AbortController().signal).reportUsage('a')
  expect(sent).toMatchObject([{ replyTo: ['/p2p/publisher'], onlyConnected: true }])
})
