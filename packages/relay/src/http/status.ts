import type { Gauges, Metrics } from '../metrics.ts';

/** A read-only page for a person: how many, how fast, since when. Nothing in it comes from a client. */
export function statusPage(metrics: Metrics, gauges: Gauges, durability: string): string {
  const rows: [string, string][] = [
    ['State', gauges.draining ? 'stopping' : 'serving'],
    ['Up', duration(gauges.uptimeSeconds)],
    ['Durability', durability],
    ['Connections', count(gauges.connections)],
    ['Rooms', count(gauges.rooms)],
    ['Seats', count(gauges.seats)],
    ['Frames placed', count(metrics.framesPlaced)],
    ['Frames refused', count(metrics.framesRefused)],
    ['Batches sent', count(metrics.batchesSent)],
    ['Bytes sent', count(metrics.bytesSent)],
    ['Gaps announced', count(metrics.gaps)],
    ['Connections cut', count(metrics.connectionsCut)],
    ['Connections refused', count(metrics.connectionsRefused)],
    ['Failures', count(metrics.failures)],
    ...(gauges.forwardedNotBelieved > 0
      ? [
          ['Forwarded by who is not in RELAY_TRUSTED_PROXIES, and not believed', count(gauges.forwardedNotBelieved)] as [
            string,
            string,
          ],
        ]
      : []),
  ];
  const body = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${value}</td></tr>`).join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width"><title>QSEC2 relay</title><style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:32rem;margin:3rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:500}td{text-align:right;font-variant-numeric:tabular-nums}
tr{border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}th,td{padding:.4rem 0}</style></head>
<body><h1>QSEC2 relay</h1><table>${body}</table></body></html>`;
}

const count = (value: number): string => value.toLocaleString('en');

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const days = Math.floor(minutes / 1440);
  return `${days} d ${Math.floor((minutes % 1440) / 60)} h ${minutes % 60} min`;
}
