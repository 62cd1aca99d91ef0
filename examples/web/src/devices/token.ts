/** The server issues no tokens to this page: asking again does not help. */
export class TokenRefused extends Error {}

/** Asks the demo server for a token. In an app, this is where your backend says who somebody is. */
export async function demoToken(user: string): Promise<string> {
  const response = await fetch('/demo/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
    signal: AbortSignal.timeout(10_000),
  })
  if (response.status === 403 || response.status === 404) throw new TokenRefused(`no token: ${response.status}`)
  const { token } = response.ok ? ((await response.json()) as { token?: string }) : {}
  if (token === undefined) throw new Error(`no token: ${response.status}`)
  return token
}
