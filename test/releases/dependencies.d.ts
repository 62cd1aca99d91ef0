export function linkDependencies(folder: string): void
