import { asymptoticKeyFraction, binaryEntropy, secretKeyLength } from '../../bb84/index.ts';
import type { Series, Sweep } from './series.ts';
import { superscript } from './svg-plot.ts';

export interface QberSweep {
  rates: readonly number[];
  /** Sifted bits of the finite-key curves. */
  blocks: readonly number[];
  /** Share of them that is compared in public. */
  sample: number;
  efficiency: number;
  epsSec: number;
  epsCor: number;
}

/** Secret bits per sifted bit against the error rate, for single photons. */
export function sweepQber({ rates, blocks, sample, efficiency, epsSec, epsCor }: QberSweep): Sweep {
  const finite = (bound: 'serfling' | 'tight', family: number): Series[] =>
    blocks.map((sifted, i) => {
      const k = Math.round(sifted * sample);
      const n = sifted - k;
      const fraction = (qber: number): number =>
        secretKeyLength({ n, k, qber, leak: efficiency * n * binaryEntropy(qber), epsSec, epsCor, bound }) / sifted;
      const exponent = Math.log10(sifted);
      const size = Number.isInteger(exponent) ? `10${superscript(exponent)}` : String(sifted);
      return {
        label: `${size} sifted bits, ${bound === 'tight' ? 'exact tail' : 'Serfling'}`,
        column: `${bound}_${sifted.toExponential().replace('e+', 'e')}`,
        family,
        dash: i + 1,
        values: rates.map(fraction),
      };
    });
  return {
    title: 'Secret key fraction of BB84 with single photons',
    subtitle: `sample ${(100 * sample).toPrecision(3)} %, f = ${efficiency}, ε = ${epsSec}; the asymptotic curve compares no bits`,
    x: { label: 'error rate (QBER)', column: 'qber', values: rates },
    y: { label: 'secret bits per sifted bit', logarithmic: false },
    series: [
      {
        label: 'asymptotic',
        column: 'asymptotic',
        family: 0,
        dash: 0,
        values: rates.map((qber) => asymptoticKeyFraction(qber, efficiency)),
      },
      ...finite('tight', 1),
      ...finite('serfling', 2),
    ],
  };
}
