import type { CDPSession, Page } from 'playwright-core'

type Tree = Awaited<ReturnType<typeof axTree>>['nodes']

/** Returns what a screen reader says about a region, in its order, from Chromium's own accessibility tree: `heading: Merge`. */
export async function heardIn(page: Page, region: string): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const { nodes } = await axTree(session)
  await session.detach()
  const root = nodes.find(({ role, name }) => role?.value === 'region' && name?.value === region)
  if (!root) throw new Error(`the accessibility tree has no region “${region}”`)
  return childrenOf(nodes, root).flatMap(node => linesOf(nodes, node))
}

function axTree(session: CDPSession) {
  return session.send('Accessibility.getFullAXTree')
}

function linesOf(nodes: Tree, node: Tree[number]): string[] {
  const role = String(node.role?.value ?? '')
  const name = String(node.name?.value ?? '').trim()
  if (role === 'InlineTextBox' || role === 'LineBreak') return []
  if (node.ignored) return childrenOf(nodes, node).flatMap(child => linesOf(nodes, child))
  if (role === 'StaticText') return name === '' ? [] : [`text: ${name}`]
  // Controls and headings are read by their names. Their text is the same.
  if (['button', 'heading'].includes(role)) return [`${role}: ${name}`]
  const inner = childrenOf(nodes, node).flatMap(child => linesOf(nodes, child))
  const isQuiet = ['generic', 'paragraph', 'ListMarker', 'none'].includes(role)
  return isQuiet ? inner : [name === '' ? role : `${role}: ${name}`, ...inner]
}

function childrenOf(nodes: Tree, { childIds = [] }: Tree[number]): Tree {
  return childIds.flatMap(id => nodes.find(({ nodeId }) => nodeId === id) ?? [])
}
