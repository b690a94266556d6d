/** Functions of one number, as torch has them. */

/** Base terms and activations by name, as functions of x and of the parameter in the settings. */
export const FUNCTIONS: Record<string, (x: number, parameter: number | null) => number> = {
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  elu: (x, alpha) => (x > 0 ? x : (alpha ?? 1) * Math.expm1(x)),
  leaky_relu: (x, slope) => (x > 0 ? x : (slope ?? 0.01) * x),
  softplus: (x, parameter) => {
    const beta = parameter ?? 1;
    // As in torch: a straight line where softplus is one to the last digit.
    return beta * x > 20 ? x : Math.log1p(Math.exp(beta * x)) / beta;
  },
  hardtanh: (x) => Math.min(1, Math.max(-1, x)),
  identity: (x) => x,
  x: (x) => x,
};

/** Abramowitz and Stegun, formula 7.1.26: to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}
