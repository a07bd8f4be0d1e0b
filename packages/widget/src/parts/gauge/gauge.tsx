import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { AgreementView } from '../../store/view';
import { h } from '../../vdom';
import { angleOf, arc, band95, pointAt, round, SCALE_END } from './gauge.logic';

interface GaugeProps {
  /** Tells the gauges of one document apart. */
  id: string;
  agreement: AgreementView | undefined;
  t: Dictionary;
  format: Format;
  /** The figures stand beside the dial, for where height is short. */
  compact?: boolean;
}

const RADIUS = 88;
const TICKS = [0, 0.05, SCALE_END];

/** The measured error rate against the limit. The hatching marks the danger zone for those who do not see its colour. */
export const Gauge: FunctionalComponent<GaugeProps> = ({ id, agreement, t, format, compact = false }) => {
  const limit = agreement?.threshold ?? 0.11;
  const rate = agreement?.qber?.combined;
  const { sampled = 0, sifted = 0, provenance } = agreement?.counts ?? {};
  const band = rate === undefined ? undefined : band95(rate, sampled);
  const above = rate !== undefined && rate > limit;
  const say = above ? t.gaugeAbove : t.gaugeBelow;
  const mark = pointAt(limit, RADIUS + 20);

  return (
    <figure class={{ gauge: true, above, compact }} part="gauge">
      <div
        class="gauge-meter"
        role="meter"
        aria-label={t.gaugeLabel}
        aria-valuemin="0"
        aria-valuemax="25"
        aria-valuenow={String(round(Math.min(rate ?? 0, SCALE_END) * 100))}
        aria-valuetext={rate === undefined ? t.gaugeNone : say(format.percentNumber(rate), format.percentNumber(limit))}
      >
        <svg viewBox="0 0 240 134" aria-hidden="true">
          <defs>
            <pattern id={`${id}-hatch`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect class="hatch-ground" width="6" height="6" />
              <rect class="hatch-line" width="2" height="6" />
            </pattern>
          </defs>
          <path class="gauge-safe" d={arc(0, limit, RADIUS)} />
          <path class="gauge-danger" d={arc(limit, SCALE_END, RADIUS)} stroke={`url(#${id}-hatch)`} />
          {band && <path class="gauge-band" d={arc(band.low, Math.min(band.high, SCALE_END), RADIUS - 14)} />}
          <path class="gauge-limit" d={`M${point(limit, RADIUS - 10)}L${point(limit, RADIUS + 12)}`} />
          {TICKS.map((tick) => (
            <text
              class="gauge-tick"
              x={round(pointAt(tick, RADIUS + 17).x)}
              y={round(pointAt(tick, RADIUS + 17).y + (tick % SCALE_END ? 2 : 14))}
            >
              {format.percentNumber(tick)}
            </text>
          ))}
          <text class="gauge-limit-text" x={round(mark.x - 4)} y={round(mark.y + 1)}>
            {t.limit(format.percent(limit))}
          </text>
          {rate !== undefined && (
            <g class="gauge-needle" style={{ transform: `rotate(${round(angleOf(rate))}deg)` }}>
              <path d="M120 116.6 46 117.6v.8l74 1z" />
            </g>
          )}
          <circle class="gauge-hub" cx="120" cy="118" r="5.5" />
        </svg>
      </div>
      <figcaption>
        <strong class="gauge-value">{rate === undefined ? '–' : format.percent(rate)}</strong>
        <span class="gauge-caption">{rate === undefined ? t.measuring : t.errorRate}</span>
        {sampled > 0 && <span class="gauge-caption">{t.checkedOf(format.count(sampled), format.count(sifted))}</span>}
        {band && <span class="gauge-caption">{t.band(format.percent(band.low), format.percent(band.high))}</span>}
        {provenance && <span class="tag">{provenance === 'simulated' ? t.simulated : t.hardware}</span>}
      </figcaption>
    </figure>
  );
};

const point = (rate: number, radius: number): string => {
  const { x, y } = pointAt(rate, radius);
  return `${round(x)} ${round(y)}`;
};
