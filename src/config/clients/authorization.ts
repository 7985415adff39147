/** What a client sends to a server that asks who it is: a name with a password, or the header in its own form. */
export type Credentials = { readonly username: string; readonly password: string } | { readonly header: string }

/** The value of the `Authorization` header. A line break would begin another header: such credentials are none. */
export function authorizationOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined
  const header = 'header' in credentials ? credentials.header : `Basic ${base64(credentials)}`
  return /^[\x20-\x7e]{1,16384}$/.test(header) ? header : undefined
}

/** The name and the password in an address. */
export function credentialsIn(url: URL): Credentials | undefined {
  const [username, password] = [url.username, url.password].map(decode)
  return username === undefined || password === undefined || username + password === ''
    ? undefined
    : { username, password }
}

/** The address without them; undefined where it is none. */
export function withoutCredentials(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  if (url.username + url.password === '') return address
  url.username = ''
  url.password = ''
  return url.href
}

/** Do both lead to the same place? */
export function isSameAddress(one: string, other: string): boolean {
  const [first, second] = [one, other].map((address) => withoutCredentials(address)?.replace(/\/+$/, ''))
  return first !== undefined && first === second
}

function base64({ username, password }: { readonly username: string; readonly password: string }): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
