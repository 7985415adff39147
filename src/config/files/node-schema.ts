import { isIP } from 'node:net'
import { z } from 'zod'
import { ALERT_NAMES, OTHER_ALERTS } from '../alert-names.ts'
import { tcpAddress } from '../network-fields.ts'
import { duration, keys, list, oneOf, size, whole } from '../zod-fields.ts'
import { alertsSchema } from './alerts-schema.ts'

/** What the network may cost this node. */
const quotas = keys({
  SERVICES_PER_AUTHOR: whole(1, 1_000_000).describe('live services that one author may have here').default(64),
  NEW_PER_AUTHOR_PER_MINUTE: whole(1, 1_000_000)
    .describe('new services of one author by gossip; updates and stops do not count')
    .default(4),
  NEW_AUTHORS_PER_PEER_PER_MINUTE: whole(1, 1_000_000).describe('new authors that one peer may bring').default(60),
  SYNC_PULLS_PER_PEER_PER_MINUTE: whole(1, 10_000_000)
    .describe('services that one peer may pull from here')
    .default(2048),
  JOURNAL_MAX_SERVICES: whole(16, 100_000_000)
    .describe('services remembered; refused ones of unknown authors are forgotten first')
    .default(100_000),
  QUEUE_MAX: whole(1, 1_000_000)
    .describe('announcements that may wait for their signature check or verdict')
    .default(1024),
  MISSED_MAX: whole(1, 1_000_000)
    .describe('ids remembered that a quota or a full queue ignored, to be pulled from a neighbour later')
    .default(4096),
  CODE_STORE: size(1024 * 1024)
    .describe('disk for code that was fetched or is served; the least used goes first')
    .prefault('10GiB'),
  BUILDS: size(1024 * 1024)
    .describe('disk for what builds made; what a run uses stays, of the rest the least used goes first')
    .prefault('5GiB'),
  LOGS: size(1024 * 1024)
    .describe('disk for the logs of all runs; of what has ended, the oldest goes first')
    .prefault('1GiB'),
})

const timeouts = keys({
  VERDICT: duration(1, 60).describe('a runner that has not answered by then has failed').prefault(2),
  FETCH: duration(1, 86_400).describe('to obtain the code of one service').prefault(600),
  BUILD: duration(1, 86_400).describe('to build it').prefault(900),
  STOP: duration(1, 600).describe('between asking a run to end and ending it').prefault(10),
})

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const
const API = 'false, or host:port like "127.0.0.1:4981"'
const FOLDER = 'the path of a folder'
const FILE = 'the path of a file'

const file = z.string(FILE).min(1, FILE).max(1024, FILE)

const peers = keys({
  LOW: whole(0, 1000)
    .describe(
      'below so many neighbours the node looks for more; 0 = gossip and sync with static nodes and those that name this one only',
    )
    .default(8),
})

/** What the node relays for others that cannot be dialled. */
const relay = keys({
  RESERVATIONS: whole(1, 1024).describe('nodes that can be reached through this one at a time').default(32),
  BYTES: size(64 * 1024)
    .describe('of one relayed connection, both ways together; then it ends, and the nodes make another')
    .prefault('256MiB'),
  SECONDS: duration(60, 86_400).describe('for which one relayed connection lasts').prefault('2h'),
  RATE: size(16 * 1024)
    .describe('bytes per second of all relayed connections together')
    .prefault('4MiB'),
})

export const nodeShape = {
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  NETWORK: z
    .string('a network name')
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'up to 32 lower-case letters, digits and "-", not beginning with "-"')
    .describe("the network's name; nothing signed for one network is valid in another")
    .default('thundercloud'),
  VISIBILITY: oneOf(['public', 'private'])
    .describe('"private": private addresses are dialled and announced, and many nodes may share one IP address')
    .default('public'),
  LISTEN: list(tcpAddress('listen'), 16).describe('where other nodes connect to').default(['/ip4/0.0.0.0/tcp/4980']),
  ANNOUNCE: list(tcpAddress('dial'), 16)
    .describe('more addresses to advertise, for instance of a forwarded port')
    .default([]),
  RELAY: relay
    .describe(
      'relays connections for nodes that cannot be dialled, within these bounds; {} takes the defaults, without it nothing is relayed',
    )
    .optional(),
  API: z
    .union([z.literal(false), z.string()], API)
    .transform((value, context) => {
      const parsed = value === false ? false : parseHostPort(value)
      if (parsed !== undefined) return parsed
      context.addIssue({ code: 'custom', message: API })
      return z.NEVER
    })
    .describe("where the HTTP API listens on TCP; false = nowhere, and the operator's socket is the only way")
    .prefault('127.0.0.1:4981'),
  API_TLS: keys({
    CERT: file.describe('the certificate and those between it and its authority, in PEM'),
    KEY: file.describe('its key in PEM, without a passphrase, which only its owner may read'),
  })
    .describe('files with which the API speaks TLS, relative to this file; they are read again when they change')
    .optional(),
  DATA: z
    .string(FOLDER)
    .min(1, FOLDER)
    .max(1024, FOLDER)
    .describe('folder of everything the node remembers, relative to this file')
    .default('data'),
  RUNTIME: z
    .string(FOLDER)
    .min(1, FOLDER)
    .max(1024, FOLDER)
    .describe(
      'folder of the sockets, relative to this file, where no cleaner of old files comes; default: below /run for root, below XDG_RUNTIME_DIR for others, else below the folder for temporary files',
    )
    .optional(),
  RUNNERS: z
    .string(FOLDER)
    .min(1, FOLDER)
    .max(1024, FOLDER)
    .describe('folder of the runners, relative to this file')
    .default('runners'),
  LOG_LEVEL: oneOf(LOG_LEVELS).describe('the least important line that is logged').default('info'),
  METRICS: z.boolean('true or false').describe('measures for Prometheus, at /metrics of the API').default(false),
  ALERTS: alertsSchema
    .describe(
      `what is done when a fault begins and when it has cleared, by the name of the fault: ${ALERT_NAMES.join(', ')}; "${OTHER_ALERTS}" is for those without an entry`,
    )
    .default({}),
  PEERS: peers.describe('which peers the node looks for').prefault({}),
  QUOTAS: quotas.describe('what the network may cost this node').prefault({}),
  TIMEOUTS: timeouts.describe('how long things may take').prefault({}),
}

export const nodeSchema = keys(nodeShape)

/** node.json with every default in place; sizes are bytes, times are seconds. */
export type NodeConfig = z.output<typeof nodeSchema>
export type Quotas = NodeConfig['QUOTAS']
export type Timeouts = NodeConfig['TIMEOUTS']

function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<host>[a-z0-9.-]+)):(?<port>\d{1,5})$/i.exec(text)
  const { six, host, port } = match?.groups ?? {}
  if (port === undefined || Number(port) > 65_535 || (six !== undefined && isIP(six) !== 6)) return undefined
  return { host: (six ?? host) as string, port: Number(port) }
}
