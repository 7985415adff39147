import type { Observer } from '../observation/types.ts'
import { coverage } from './coverage.ts'
import { deliveryLatency } from './delivery-latency.ts'
import { depthReach } from './depth-reach.ts'
import { disconnects } from './disconnects.ts'
import { duplicates } from './duplicates.ts'
import { firstService } from './first-service.ts'
import { hops } from './hops.ts'
import { loadFairness } from './load-fairness.ts'
import { lookupTime } from './lookup-time.ts'
import { nodeBytes } from './node-bytes.ts'
import { rejections } from './rejections.ts'
import { replicas } from './replicas.ts'
import { revocationTime } from './revocation-time.ts'
import { verdicts } from './verdicts.ts'

/** What is measured in every run. */
export const METRICS: readonly Observer[] = [
  coverage,
  depthReach,
  deliveryLatency,
  duplicates,
  nodeBytes,
  hops,
  verdicts,
  replicas,
  revocationTime,
  loadFairness,
  lookupTime,
  rejections,
  disconnects,
  firstService,
]
