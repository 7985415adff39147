/** Changes of the policy. */
export type PolicyEvents = {
  /** It is in force. */
  'node:policy': { hash: string }
}
