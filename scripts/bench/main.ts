import { parseArgs } from 'node:util'
import { runApiBench } from './api/api.ts'
import { runArchiveBench } from './archive/archive.ts'
import { runCliBench } from './cli/cli.ts'
import { runGossipBench } from './gossip/gossip.ts'
import { runInterferenceBench } from './interference/interference.ts'
import { runQuorumBench } from './quorum/quorum.ts'
import { runReevaluationBench } from './reevaluation/reevaluation.ts'
import { runReplayBench } from './replay/replay.ts'
import { runReplicasBench } from './replicas/replicas.ts'
import { runRunnerBench } from './runner/runner.ts'
import { runSimBench } from './sim/sim.ts'
import { runSpreadBench } from './spread/spread.ts'
import { runStartBench } from './start/start.ts'
import { runTrustBench } from './trust/trust.ts'

const USAGE = `npm run bench -- <api|cli|gossip|archive|spread|interference|replay|runner|trust|quorum|reevaluation|start|replicas|sim> [--json] [--rounds N] [--seconds N] [--nodes N]

  api           what the HTTP API takes: strangers' announcements, publications, forgeries; a page of a list with 100,000 services
  cli           what \`--version\`, \`help\` and \`list\` cost, from source and from the package; memory of an idle node
  gossip        30 nodes in one process: verify, decide, journal, redirect; against raw gossipsub with StrictSign
  archive       64 MiB from one peer, verified on disk; against a raw libp2p stream
  spread        16 MiB from one node to 30 with links of 10 Mbit/s: time until the last has it, copies that left the publisher
  interference  latency of gossip through a node, quiet and while it fetches and serves archives; a round takes --seconds (60)
  replay        \`policy replay\` over a journal of 100,000 services, with both of its runners
  runner        verdicts of Andromeda with every rule and all statements, through the runner's process; event-loop delay
  trust         statements checked per second, against the bare libraries; what five hubs say looked up in a mesh of 30 nodes
  quorum        from a hub's attestation to the start, and to the end, of a service on ten of twenty whole nodes
  reevaluation  a policy that admits 1,000 services that were only redirected before: the preview, the time, the node's event loop
  start         from an announcement to the first line of output, on the host and in Docker; against bubblewrap and dockerode alone
  replicas      services that want three replicas on 20 nodes (--nodes): until three run, after two runs are killed, after the mesh was in halves, after two nodes were
                cut off, after two were killed, 30 at once
  sim           virtual nodes: one service over a million, plain and with everything in its way; 100 services over 10,000`

const BENCHES = {
  api: runApiBench,
  cli: runCliBench,
  gossip: runGossipBench,
  archive: runArchiveBench,
  spread: runSpreadBench,
  interference: runInterferenceBench,
  replay: runReplayBench,
  runner: runRunnerBench,
  trust: runTrustBench,
  quorum: runQuorumBench,
  reevaluation: runReevaluationBench,
  start: runStartBench,
  replicas: runReplicasBench,
  sim: runSimBench,
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      nodes: { type: 'string' },
    },
  })
  const [name] = positionals
  const counts = Object.assign(
    {},
    ...(['rounds', 'seconds', 'nodes'] as const).map((option) => countOf(option, values[option])),
  )
  if (name !== undefined && Object.hasOwn(BENCHES, name)) {
    await BENCHES[name as keyof typeof BENCHES]({ json: values.json, ...counts })
  } else {
    console.error(USAGE)
    process.exitCode = 2
  }
}

function countOf(option: string, text: string | undefined): Record<string, number> {
  if (text === undefined) return {}
  const count = Number(text)
  if (Number.isInteger(count) && count > 0) return { [option]: count }
  throw new Error(`--${option} is "${text}"; it must be a whole number, at least 1`)
}

await main()
