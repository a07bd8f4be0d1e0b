import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { freePort } from './testing/engines.ts';
import { afterThisTest, joinedRoom, startRelay } from './testing/relay-fixture.ts';

interface Point {
  asDouble?: number;
  count?: string;
  bucketCounts?: string[];
  explicitBounds?: number[];
}

/** A collector that writes down what it is sent, and answers with a status. */
async function collector(status = 200) {
  const requests: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let arrived = () => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(status).end('{}');
      arrived();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterThisTest(() => {
    server.closeAllConnections();
    server.close();
  });
  /** What was sent last, by the metric's name. */
  const points = () => {
    const { metrics } = JSON.parse(requests.at(-1)!.body).resourceMetrics[0].scopeMetrics[0];
    return new Map<string, Point>(
      metrics.map((metric: Record<string, { dataPoints: Point[] }> & { name: string }) => [
        metric.name,
        (metric.sum ?? metric.gauge ?? metric.histogram)!.dataPoints[0],
      ]),
    );
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => (arrived = resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, points, until };
}

const EVERY = { otlpIntervalMs: 100 };

describe('a relay with an OpenTelemetry collector', () => {
  it('sends it what it counts, again and again and when it stops, and nothing about rooms, members or addresses', async () => {
    const { url, requests, points, until } = await collector();
    const otlpHeaders = { authorization: 'Bearer of the collector' };
    const running = await startRelay({ otlpEndpoint: `${url}/tenant/`, otlpHeaders, ...EVERY });
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    ana!.push({ text: 'x' }, { text: 'y' });
    await bo!.until(() => bo!.cursor === 2);
    const before = requests.length;
    await until(() => requests.length > before + 1);
    expect(requests[0]).toMatchObject({
      path: '/tenant/v1/metrics',
      headers: { authorization: 'Bearer of the collector', 'content-type': 'application/json' },
    });
    const sent = points();
    expect(sent.get('qsec2_relay_frames_placed')?.asDouble).toBe(2);
    expect(sent.get('qsec2_relay_connections')?.asDouble).toBe(2);
    const commits = sent.get('qsec2_relay_commit_seconds')!;
    expect(commits.bucketCounts).toHaveLength(commits.explicitBounds!.length + 1);
    expect(commits.bucketCounts!.reduce((sum, count) => sum + Number(count), 0)).toBe(Number(commits.count));
    // As many as Prometheus is told.
    const page = await (await fetch(`${running.url}/metrics`)).text();
    expect(sent.size).toBe(page.match(/^# TYPE/gm)?.length);
    await running.relay.close();
    expect(points().get('qsec2_relay_draining')?.asDouble).toBe(1);
    const everything = JSON.stringify(requests);
    for (const secret of [room.room, ana!.seat]) expect(everything).not.toContain(secret);
  });

  it('goes on when the collector refuses or is not there, and says so in its log', async () => {
    const { url } = await collector(503);
    for (const [otlpEndpoint, reason] of [
      [url, 'Error HTTP_503'],
      [`http://127.0.0.1:${await freePort()}`, 'Error ECONNREFUSED'],
    ] as const) {
      const lines: string[] = [];
      let written = () => {};
      const warned = new Promise<void>((resolve) => (written = resolve));
      const write = (line: string) => {
        lines.push(line);
        written();
      };
      await startRelay({ otlpEndpoint, ...EVERY, logger: pino({ base: null }, { write }) });
      await warned;
      expect(JSON.parse(lines[0]!)).toMatchObject({ level: 40, reason, msg: 'metrics were not sent' });
    }
  });
});
