/** Logarithms of the probabilities of scores; of log-probabilities they are the same. */
export function logSoftmax(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const most = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = all.reduce((total, score) => total + Math.exp(score - most), 0);
  return all.map((score) => score - most - Math.log(sum));
}

export function softmax(scores: ArrayLike<number>): number[] {
  return logSoftmax(scores).map(Math.exp);
}
