/** The server issues no tokens to this page; a retry does not help. */
export class TokenRefused extends Error {}

/** Requests a token from the demo server. In an app, your backend authenticates the user here. */
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
