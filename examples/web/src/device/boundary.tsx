import { Component, type ReactNode } from 'react'

export interface BoundaryProps {
  /** Shown instead of content that threw an error; `again` retries. */
  fallback: (error: unknown, again: () => void) => ReactNode
  children: ReactNode
}

/** Catches an error of its content, so that the rest of the page stays. */
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
