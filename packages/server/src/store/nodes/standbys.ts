/** Whether a standby of the database confirms writes. Otherwise a failover may lose acknowledged changes. */
export interface Standbys {
  readonly isConfirming: boolean
  /** A node without a standby is not ready. */
  readonly isRequired: boolean
  close(): void
}
