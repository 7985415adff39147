import { mean, quantile } from '../observation/samples.ts'
import { metric } from '../observation/types.ts'

/** Where the distribution over the nodes is read. */
const SHARES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]

type State = { sent: Float64Array; received: Float64Array }

export const nodeBytes = metric({
  id: 'node-bytes',
  describe: 'Bytes that a node sent and received.',
  match: ['traffic'],
  start: (): State => ({ sent: new Float64Array(0), received: new Float64Array(0) }),
  capture(state, { table: { sentBytes, receivedBytes } }) {
    state.sent = sentBytes.slice().sort()
    state.received = receivedBytes.slice().sort()
  },
  dump: ({ sent, received }) => ({
    values: {
      sentBytesPerNodeMean: mean(sent),
      sentBytesPerNodeP99: quantile(sent, 0.99),
      receivedBytesPerNodeMean: mean(received),
      receivedBytesPerNodeP99: quantile(received, 0.99),
    },
    tables: {
      'node-bytes': {
        columns: ['quantile', 'sent_bytes', 'received_bytes'],
        rows: SHARES.map((share) => [share, quantile(sent, share), quantile(received, share)]),
      },
    },
  }),
})
