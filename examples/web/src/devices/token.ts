/** The server answered, and gives this page no token. */
export class TokenRefused extends Error {}

/** Asks the demo server for a token. In an app, this is where your backend says who somebody is. */
export async function demoToken(user: string): Promise<string> {
  const response = await fetch('/demo/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = (await response.json()) as { token?: string; error?: { message: string } }
  if (answer.token === undefined) throw new TokenRefused(answer.error?.message ?? `no token: ${response.status}`)
  return answer.token
}
