/**
 * Returns the area under the ROC curve of a test that tells two sets of samples apart by their size: how often a sample of `b`
 * is larger than one of `a`, where ties count half. 0.5 means that they cannot be told apart. Computed from Mann and Whitney's
 * U, the sum of ranks ("On a test of whether one of two random variables is stochastically larger than the other", 1947).
 */
export function areaUnderCurve(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map(value => ({ value, isB: false })), ...b.map(value => ({ value, isB: true }))]
  all.sort((one, other) => one.value - other.value)
  let rankSum = 0
  for (let start = 0; start < all.length; ) {
    let end = start
    while (end < all.length && all[end]?.value === all[start]?.value) end++
    const rank = (start + 1 + end) / 2
    for (let index = start; index < end; index++) if (all[index]?.isB) rankSum += rank
    start = end
  }
  return (rankSum - (b.length * (b.length + 1)) / 2) / (a.length * b.length)
}
