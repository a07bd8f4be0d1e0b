import Router from '@koa/router';
import Koa from 'koa';
import { type Gauges, type Metrics, renderMetrics } from '../metrics.ts';
import { VERSION } from '../package-files.ts';
import { type FairRequestsOptions, fairRequests } from './fair-requests.ts';
import type { Health } from './health.ts';
import { landing } from './landing.ts';
import { serveFolder } from './static.ts';
import { statusPage } from './status.ts';

export interface AppOptions {
  health: Health;
  /** Whose requests count against what; absent: nobody's, on a port that is not open to the world. */
  fair: FairRequestsOptions | undefined;
  /** Metrics and status page; absent: they are on a port of their own. */
  operations: Operations | undefined;
  /** Folder served at /, before anything of the relay's own. */
  demoDir: string | undefined;
  /** Folder of the widget's files, if they and what to do with them are served. */
  widgetFiles: string | undefined;
  onError(error: unknown): void;
}

export interface Operations {
  metrics: Metrics;
  gauges(): Promise<Gauges>;
  durability: string;
}

/** Browsers that reached it over TLS once do not ask without for half a year (RFC 6797 §6.1). Other names of the domain are not the relay's to speak for. */
const HSTS = 'max-age=15768000';

/** A client that gives up what it asked for is no failure of the relay, and would fill its log. */
const GIVEN_UP = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** What the relay serves over plain HTTP. */
export function createApp({ health, fair, operations, demoDir, widgetFiles, onError }: AppOptions): Koa {
  const app = new Koa();
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (!GIVEN_UP.has(error.code ?? '')) onError(error);
  });
  if (fair) app.use(fairRequests(fair));
  app.use(async (ctx, next) => {
    if (!hasPath(ctx)) {
      ctx.status = 400;
      return;
    }
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'no-referrer');
    // What the relay serves is no part of another page, but its scripts, which this does not concern.
    ctx.set('Content-Security-Policy', "frame-ancestors 'self'");
    if (fair?.addresses.isOverTls(ctx.req)) ctx.set('Strict-Transport-Security', HSTS);
    await next();
  });
  const router = new Router();
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/readyz', async (ctx) => {
    const { ready, ...rest } = await health.readiness();
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ready' : 'not ready', ...rest };
  });
  if (operations) addOperations(router, operations);
  app.use(router.routes());
  if (demoDir !== undefined) app.use(serveFolder(demoDir));
  if (widgetFiles !== undefined) app.use(serveFolder(widgetFiles)).use(landing(VERSION));
  return app;
}

/** Koa throws when it is asked for the path of what is no URL. */
function hasPath(ctx: Koa.Context): boolean {
  try {
    return ctx.path !== undefined;
  } catch {
    return false;
  }
}

/** What an operator looks at, for a port that is not open to the world. */
export function createOperationsApp(operations: Operations, health: Health, onError: (error: unknown) => void): Koa {
  return createApp({ health, fair: undefined, operations, demoDir: undefined, widgetFiles: undefined, onError });
}

function addOperations(router: Router, { metrics, gauges, durability }: Operations): void {
  router.get('/metrics', async (ctx) => {
    ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
    ctx.body = renderMetrics(metrics, await gauges());
  });
  router.get('/status', async (ctx) => {
    ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    ctx.type = 'html';
    ctx.body = statusPage(metrics, await gauges(), durability);
  });
}
