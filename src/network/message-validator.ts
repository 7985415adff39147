/** accept: forward these very bytes. ignore: do not. reject: do not, and the sender pays. */
export type ValidationResult = 'accept' | 'ignore' | 'reject'

/** Bytes that came by gossip. `from` is the neighbour that sent them, not their author. */
export type IncomingMessage = { readonly data: Uint8Array; readonly from: string; readonly messageId: Uint8Array }

/**
 * Decides what becomes of an arrival, asked once per message id in two minutes. It may take its time (a verdict that is
 * awaited): the message is forwarded, and served to peers that request it, from the moment of the answer. It must answer
 * in bounded time; a validator that throws has ignored.
 */
export type MessageValidator = (arrival: IncomingMessage) => Promise<ValidationResult>
