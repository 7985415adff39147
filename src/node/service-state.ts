/** What this node does with one service, in the words of a receipt. */
export type ServiceState =
  | 'published'
  | 'deciding'
  | 'refused'
  | 'redirected'
  | 'parked'
  | 'accepted'
  | 'running'
  | 'done'
  | 'failed'
  | 'stopped'
  | 'expired'
