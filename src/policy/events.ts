/** Changes of the policy. */
export type PolicyEvents = {
  /** It is in force. */
  'node:policy': { hash: string }
  /** What is on the disk was not put in force when it was read again; what was in force before still is. */
  'node:policy-refused': { reason: string }
}
