/**
 * Distribution function of Student's t with `degrees` (a whole number) degrees of freedom.
 * Formulae 26.7.3 and 26.7.4 of Abramowitz & Stegun, Handbook of Mathematical Functions.
 */
export function studentTCdf(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let series = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    series += term;
  }
  const within = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * series) : Math.sin(angle) * series;
  return (1 + within) / 2;
}

/** The value below which Student's t lies with the given probability (0.5 < probability < 1), by bisection. */
export function studentTQuantile(probability: number, degrees: number): number {
  let high = 1;
  while (studentTCdf(high, degrees) < probability) high *= 2;
  let low = 0;
  for (let halvings = 0; halvings < 100; halvings++) {
    const middle = (low + high) / 2;
    if (studentTCdf(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
