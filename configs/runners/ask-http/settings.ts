export type Settings = { readonly url: URL; readonly timeoutMs: number }

/** Room for the node's own 2000 ms: a late no is still an answer, and a hang would be a failure. */
const MAX_TIMEOUT_MS = 1500

/** CUSTOM, read; throws one sentence. */
export function readSettings(custom: Readonly<Record<string, unknown>>): Settings {
  const { URL: text, TIMEOUT_MS: timeoutMs = 1000 } = custom
  if (typeof text !== 'string' || !/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new Error(`CUSTOM.URL is ${JSON.stringify(text)}; allowed is an address like "http://127.0.0.1:8099/ask"`)
  }
  if (typeof timeoutMs !== 'number' || !Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
    throw new Error(
      `CUSTOM.TIMEOUT_MS is ${JSON.stringify(timeoutMs)}; allowed is a whole number from 1 to ${MAX_TIMEOUT_MS}`,
    )
  }
  return { url: new URL(text), timeoutMs }
}
