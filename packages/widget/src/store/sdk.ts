/** The SDK is loaded with the first panel, never with the launcher. */
export const loadSdk = () => import('@qsec2/sdk');
