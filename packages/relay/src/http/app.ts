import Router from '@koa/router';
import Koa from 'koa';
import type { Health } from './health.ts';
import { serveFolder } from './static.ts';

export interface AppOptions {
  health: Health;
  /** Folder served at /. */
  demoDir: string | undefined;
  onError(error: unknown): void;
}

/** What the relay serves over plain HTTP. */
export function createApp({ health, demoDir, onError }: AppOptions): Koa {
  const app = new Koa();
  app.on('error', onError);
  app.use(async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'no-referrer');
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
  app.use(router.routes());
  if (demoDir !== undefined) app.use(serveFolder(demoDir));
  return app;
}
