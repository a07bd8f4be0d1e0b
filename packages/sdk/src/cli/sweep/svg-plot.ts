import type { Series, Sweep } from './series.ts';

const WIDTH = 860;
const HEIGHT = 540;
const PLOT = { left: 84, top: 74, right: 836, bottom: 478 };

/** Colours that people with any common form of colour blindness tell apart (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];
/** Solid first; the first of a family is its asymptotic curve. */
const DASHES = ['', '9 4', '5 4', '2 4', '9 4 2 4', '12 3 2 3 2 3'];

interface Scale {
  /** From a value to a coordinate. */
  at(value: number): number;
  ticks: readonly { value: number; label: string }[];
}

/** The sweep as a stand-alone SVG. */
export function toSvg(sweep: Sweep): string {
  const x = linearScale(sweep.x.values, PLOT.left, PLOT.right);
  const values = sweep.series.flatMap((series) => series.values.filter((value) => value > 0));
  const y = sweep.y.logarithmic
    ? logarithmicScale(values, PLOT.bottom, PLOT.top)
    : linearScale([0, ...values], PLOT.bottom, PLOT.top);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="13">
<title id="title">${escapeXml(sweep.title)}</title>
<desc id="desc">${escapeXml(describe(sweep))}</desc>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${PLOT.left}" y="30" font-size="18" font-weight="600" fill="#111">${escapeXml(sweep.title)}</text>
<text x="${PLOT.left}" y="52" fill="#555">${escapeXml(sweep.subtitle)}</text>
${x.ticks.map(({ value, label }) => verticalTick(x.at(value), label)).join('\n')}
${y.ticks.map(({ value, label }) => horizontalTick(y.at(value), label)).join('\n')}
<rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top}" fill="none" stroke="#333"/>
<text x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 16}" text-anchor="middle" fill="#111">${escapeXml(sweep.x.label)}</text>
<text transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#111">${escapeXml(sweep.y.label)}</text>
${sweep.series.map((series) => curve(series, sweep.x.values, x, y)).join('\n')}
${legend(sweep.series)}
</svg>
`;
}

/** What a reader who cannot see the picture needs: where each curve starts and where it ends. */
function describe({ x, series }: Sweep): string {
  return series
    .map(({ label, values }) => {
      const last = values.findLastIndex((value) => value > 0);
      if (last < 0) return `${label}: no key anywhere`;
      const start = values.findIndex((value) => value > 0);
      return `${label}: ${(values[start] as number).toPrecision(3)} at ${x.values[start]}, key up to ${x.values[last]}`;
    })
    .join('; ');
}

function linearScale(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || 1;
  const step = niceStep(span / 8);
  const ticks: { value: number; label: string }[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++)
    ticks.push({ value: n * step, label: String(Number((n * step).toPrecision(6))) });
  return { at: (value) => from + ((value - low) / span) * (to - from), ticks };
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
}

function logarithmicScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(values.length === 0 ? 1e-6 : Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(values.length === 0 ? 1 : Math.max(...values))));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => ({
    value: 10 ** (low + i),
    label: `10${superscript(low + i)}`,
  }));
  return { at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from), ticks };
}

/** An integer in superscript digits. */
export const superscript = (value: number): string =>
  [...String(value)].map((digit) => (digit === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] as string))).join('');

const verticalTick = (at: number, label: string): string =>
  `<path d="M${round(at)} ${PLOT.top}V${PLOT.bottom}" stroke="#e2e2e2"/><text x="${round(at)}" y="${PLOT.bottom + 20}" text-anchor="middle" fill="#333">${label}</text>`;

const horizontalTick = (at: number, label: string): string =>
  `<path d="M${PLOT.left} ${round(at)}H${PLOT.right}" stroke="#e2e2e2"/><text x="${PLOT.left - 8}" y="${round(at + 4)}" text-anchor="end" fill="#333">${label}</text>`;

function stroke({ family, dash }: Series): string {
  const dashes = DASHES[dash % DASHES.length];
  return `fill="none" stroke="${COLOURS[family % COLOURS.length]}" stroke-width="2.2"${dashes ? ` stroke-dasharray="${dashes}"` : ''}`;
}

/** A line through the points that have a key; a gap where none is left. */
function curve(series: Series, xs: readonly number[], x: Scale, y: Scale): string {
  let path = '';
  let down = false;
  for (const [i, value] of series.values.entries()) {
    if (value > 0) path += `${down ? 'L' : 'M'}${round(x.at(xs[i] as number))} ${round(y.at(value))}`;
    down = value > 0;
  }
  return `<path d="${path}" ${stroke(series)}/>`;
}

function legend(series: readonly Series[]): string {
  const width = 58 + 7.2 * Math.max(...series.map(({ label }) => label.length));
  const left = PLOT.right - width - 10;
  const height = 14 + series.length * 20;
  const lines = series.map((one, i) => {
    const at = PLOT.top + 24 + i * 20;
    return `<path d="M${left + 8} ${at}h30" ${stroke(one)}/><text x="${left + 46}" y="${at + 4}" fill="#111">${escapeXml(one.label)}</text>`;
  });
  return `<rect x="${left}" y="${PLOT.top + 8}" width="${width}" height="${height}" fill="#fff" fill-opacity="0.9" stroke="#ccc"/>\n${lines.join('\n')}`;
}

const round = (value: number): number => Number(value.toFixed(1));

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
