/** Whether a standby of the database confirms what is written: else a failover may lose what was answered. */
export interface Standbys {
  readonly isConfirming: boolean
  /** A node that has none is not ready. */
  readonly isRequired: boolean
  close(): void
}
