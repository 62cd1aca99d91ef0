import type { ReactNode } from 'react'
import { balanced } from '../isolation.ts'

/** Other people's words (a name, a label, a field, a message): whatever they contain, the text around them keeps its order. */
export function TheirWords({ children }: { children: string }): ReactNode {
  return <bdi>{balanced(children)}</bdi>
}
