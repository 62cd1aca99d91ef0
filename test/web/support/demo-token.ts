/** Signs in on a demo server, as the page does. */
export async function demoToken(url: string, user: string): Promise<string> {
  const response = await fetch(`${url}/demo/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  })
  return ((await response.json()) as { token: string }).token
}
