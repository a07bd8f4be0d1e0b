/**
 * The SDK is loaded with the first panel, never with the launcher; what the widget does not use of it is never loaded. Who asks while it
 * is being loaded waits for the same load; one that failed is tried again.
 */
export function loadSdk(): Promise<typeof import('./sdk-used')> {
  loading ??= import('./sdk-used');
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}
let loading: Promise<typeof import('./sdk-used')> | undefined;
