import { Component, type ReactNode } from 'react'

export interface BoundaryProps {
  /** Instead of what could not be shown; `again` tries it anew. */
  fallback: (error: unknown, again: () => void) => ReactNode
  children: ReactNode
}

/** Keeps an error of what it holds from taking the whole page away. */
export class Boundary extends Component<BoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return this.props.fallback(error, () => this.setState({ error: undefined }))
  }
}
