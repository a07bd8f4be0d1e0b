import type { RelaySettings } from './config/settings.ts';
import type { Reading } from './metrics.ts';

/** Longest a collector may take. */
const TIMEOUT_MS = 10_000;
/** The same while the relay stops. */
const FAREWELL_MS = 1000;
/** opentelemetry.proto.metrics.v1.AggregationTemporality: since the start of the process. */
const CUMULATIVE = 2;

export interface OtlpOptions {
  /** Tells this process from others of the same service. */
  instance: string;
  read(): Promise<Reading[]>;
  onError(error: unknown): void;
}

type Settings = Pick<RelaySettings, 'otlpHeaders' | 'otlpIntervalMs' | 'otlpServiceName'> & { otlpEndpoint: string };

/** Sends the relay's metrics to an OpenTelemetry collector: OTLP 1, metrics over HTTP in JSON. */
export class OtlpExporter {
  readonly #settings: Settings;
  readonly #options: OtlpOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = Date.now();
  #sending: Promise<void> | undefined;

  /** @returns undefined where the settings name no collector. */
  static of(settings: RelaySettings, options: OtlpOptions): OtlpExporter | undefined {
    const { otlpEndpoint } = settings;
    return otlpEndpoint === undefined ? undefined : new OtlpExporter({ ...settings, otlpEndpoint }, options);
  }

  private constructor(settings: Settings, options: OtlpOptions) {
    this.#settings = settings;
    this.#options = options;
    // One at a time: a collector that is slow gets fewer.
    this.#timer = setInterval(() => this.#send(TIMEOUT_MS), settings.otlpIntervalMs);
    this.#timer.unref();
  }

  /** Sends what was counted to the last. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.#send(FAREWELL_MS);
  }

  #send(timeoutMs: number): Promise<void> {
    this.#sending ??= this.#post(timeoutMs)
      .catch(this.#options.onError)
      .finally(() => {
        this.#sending = undefined;
      });
    return this.#sending;
  }

  async #post(timeoutMs: number): Promise<void> {
    const { otlpEndpoint, otlpHeaders } = this.#settings;
    const body = JSON.stringify(this.#request(await this.#options.read()));
    const response = await fetch(`${otlpEndpoint.replace(/\/$/, '')}/v1/metrics`, {
      method: 'POST',
      headers: { ...otlpHeaders, 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw Object.assign(new Error('refused by the collector'), { code: `HTTP_${response.status}` });
  }

  /** opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest */
  #request(readings: readonly Reading[]) {
    const { otlpServiceName } = this.#settings;
    const attributes = [
      { key: 'service.name', value: { stringValue: otlpServiceName } },
      { key: 'service.instance.id', value: { stringValue: this.#options.instance } },
    ];
    const times = { startTimeUnixNano: nanoseconds(this.#startedAt), timeUnixNano: nanoseconds(Date.now()) };
    const metrics = readings.map((reading) => metric(reading, times));
    return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: '@qsec2/relay' }, metrics }] }] };
  }
}

/** 64-bit integers are strings in the JSON of Protocol Buffers. */
const nanoseconds = (milliseconds: number): string => `${BigInt(milliseconds) * 1_000_000n}`;

function metric(reading: Reading, times: { startTimeUnixNano: string; timeUnixNano: string }) {
  // Collectors that speak Prometheus put the ending back.
  const head = { name: reading.name.replace(/_total$/, ''), description: reading.help };
  if (reading.kind === 'histogram') {
    const { bounds, counts, sum } = reading.values;
    const count = `${counts.reduce((total, each) => total + each, 0)}`;
    const point = { ...times, count, sum, bucketCounts: counts.map(String), explicitBounds: bounds };
    return { ...head, histogram: { aggregationTemporality: CUMULATIVE, dataPoints: [point] } };
  }
  const dataPoints = [{ ...times, asDouble: reading.value }];
  if (reading.kind === 'gauge') return { ...head, gauge: { dataPoints } };
  return { ...head, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } };
}
