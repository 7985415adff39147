import { z } from 'zod'
import { flag, keys, list, oneOf, record, utf8, whole } from '../../config/zod-fields.ts'
import { MAX_NODES, MAX_SECONDS, name, nodeIndex, number, path, range, seconds, share } from './fields.ts'
import { attackerSchema, instructionSchema, selection } from './instruction-schema.ts'

/** Links that a scenario lists itself: a topology that was read from a file is one of them. */
const MAX_EDGES = 20_000_000
/** More than a node passes in thirty days. */
const MAX_CRASH_POINT = 1_000_000_000

const group = keys({
  name: name(),
  share: share().describe('of all nodes; those of all groups together are 1'),
  runner: path().describe('"andromeda", or the file of a runner').default('andromeda'),
  policy: z
    .union([path(), z.record(z.string(), z.unknown())], "a file with a runner's configuration, or the configuration")
    .describe("keys of a runner's configuration, or the file that has them")
    .default({}),
})

const topology = z.discriminatedUnion(
  'kind',
  [
    keys({ kind: z.literal('random-regular'), degree: whole(1, 64) }),
    keys({ kind: z.literal('small-world'), degree: whole(2, 64), rewire: share() }),
    keys({ kind: z.literal('scale-free'), links: whole(1, 32).describe('that each node has when it joins') }),
    keys({
      kind: z.literal('regions'),
      degree: whole(1, 64),
      local: share().describe('of the links that stay in the region').default(0.7),
    }),
    keys({ kind: z.literal('file'), path: path().describe('GML, or CSV with two columns of node numbers') }),
    keys({
      kind: z.literal('edges'),
      edges: z
        .array(z.tuple([nodeIndex(), nodeIndex()], 'two node numbers'), 'a list of pairs of node numbers')
        .max(MAX_EDGES, `a list of at most ${MAX_EDGES} pairs of node numbers`),
    }),
  ],
  '{ kind: "random-regular" | "small-world" | "scale-free" | "regions" | "file" | "edges", ... }',
)

const latency = z.union(
  [
    range(0, 60_000),
    keys({
      regions: list(name(), 64).describe('names; nodes are dealt out to them'),
      shares: list(share(), 64).describe('of all nodes, for each region; default: equal ones').optional(),
      matrix: list(list(number(0, 60_000), 64), 64).describe(
        'one way, from the region of the row to that of the column',
      ),
    }),
  ],
  '{ min, max } or { regions, matrix }',
)

const links = keys({
  latencyMs: latency.describe('one way').prefault({ min: 20, max: 80 }),
  jitterMs: number(0, 60_000).describe('added to each message, from 0 to this').default(0),
  bytesPerSecond: number(1, 1e12).describe('that a node can send; what is more waits').default(10_000_000),
  loss: share()
    .describe('of all messages that are lost once, and arrive when they have been sent again, as TCP does')
    .default(0),
  drop: share().describe('of all messages that never arrive; the virtual engine alone knows such links').default(0),
})

const churn = keys({
  sharePerMinute: share().describe('of the nodes that leave in each minute'),
  downSeconds: range(0, MAX_SECONDS).describe('how long they stay away').prefault({ min: 30, max: 120 }),
  crash: share().describe('of those that leave: as many leave without a word').default(0.5),
})

const partition = keys({
  at: seconds(),
  until: seconds(),
  cut: selection().describe('these are cut from all others'),
}).refine((value) => value.at < value.until, 'a partition whose at is before its until')

const crash = keys({
  node: nodeIndex().describe('whose process is killed'),
  point: whole(1, MAX_CRASH_POINT).describe('at its crash point of this number; the first is 1'),
  downSeconds: number(0, MAX_SECONDS).describe('until it is started again').default(5),
  powerCut: flag()
    .describe('its machine loses its power: what runs ends, and what is not synced is lost')
    .default(false),
})

const assertion = keys({
  metric: name(),
  op: oneOf(['>=', '<=', '>', '<', '==']),
  value: z.number('a number'),
  of: record(z.string(), z.union([z.string(), z.number()]), 16, 'an object that names a part of the metric').optional(),
})

/** A scenario, as people write it: each key for itself. */
export const scenarioKeys = keys({
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  title: utf8(200, 1).describe('one line'),
  description: utf8(4000).describe('what it shows').default(''),
  seed: utf8(200, 1).describe('all chance follows from it').default('1'),
  nodes: whole(1, MAX_NODES).describe('how many'),
  seconds: number(0.001, MAX_SECONDS).describe('how long it lasts, in its own time'),
  groups: list(group, 256)
    .min(1, 'a list of at least one group')
    .describe('who the nodes are')
    .prefault([{ name: 'all', share: 1 }]),
  topology: topology.describe('who is a neighbour of whom').prefault({ kind: 'random-regular', degree: 8 }),
  links: links.describe('what lies between neighbours').prefault({}),
  verdictMs: range(0, 60_000).describe('how long a runner takes').prefault({ min: 1, max: 1 }),
  churn: churn.describe('nodes that come and go').optional(),
  partitions: list(partition, 256).describe('times at which the mesh is in parts').default([]),
  crashes: list(crash, 1000)
    .describe('processes of whole nodes that are killed at a numbered point of their work')
    .default([]),
  attackers: list(attackerSchema, 16).describe('nodes that break the rules').default([]),
  dht: flag()
    .describe('nodes find code, and runs of a service, through the DHT; false = at their neighbours alone')
    .default(false),
  scoring: flag().describe('gossip scores its peers').default(true),
  tickets: flag()
    .describe('redirection depth; false = plain gossip, in which every willing node forwards')
    .default(true),
  instructions: list(instructionSchema, 10_000).describe('what happens when').default([]),
  assertions: list(assertion, 256).describe('what must be true of the metrics in the end').default([]),
  stop: keys({
    quietSeconds: number(0.001, MAX_SECONDS)
      .describe('it ends when nothing was delivered, and no instruction was carried out, for so long')
      .optional(),
  })
    .describe('when it ends earlier')
    .prefault({}),
})

export type ScenarioKeys = z.output<typeof scenarioKeys>
