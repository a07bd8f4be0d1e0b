import type { StoragePort } from '@qsec2/sdk';

export function fileStorage(folder: string): Promise<StoragePort>;
