export function isCutOff(root?: string): boolean;
export function missingPackages(root?: string): string[];
export function clear(folders: readonly string[], root?: string): void;
