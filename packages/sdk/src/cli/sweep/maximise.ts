/**
 * The point inside the box where `value` is largest, by pattern search: steps along each coordinate that are doubled while they
 * help and halved when none does (Hooke and Jeeves, J. ACM 8, 212, 1961). Enough for the smooth, single-peaked functions here.
 */
export function maximise(
  value: (point: readonly number[]) => number,
  start: readonly number[],
  box: readonly (readonly [low: number, high: number])[],
): { point: number[]; value: number } {
  let point = [...start];
  let best = value(point);
  const steps = box.map(([low, high]) => (high - low) / 8);
  for (let round = 0; round < 60 && steps.some((step, i) => step > ((box[i]?.[1] ?? 0) - (box[i]?.[0] ?? 0)) * 1e-4); round++) {
    for (let i = 0; i < point.length; i++) {
      const moved = [1, -1].some((direction) => {
        const candidate = [...point];
        const [low, high] = box[i] as readonly [number, number];
        candidate[i] = Math.min(high, Math.max(low, (point[i] as number) + direction * (steps[i] as number)));
        const reached = value(candidate);
        if (reached <= best) return false;
        [point, best] = [candidate, reached];
        return true;
      });
      steps[i] = (steps[i] as number) * (moved ? 2 : 0.5);
    }
  }
  return { point, value: best };
}
