/** The SDK is loaded with the first panel, never with the launcher; what the widget does not use of it is never loaded. */
export const loadSdk = () => import('./sdk-used');
