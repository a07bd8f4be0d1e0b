export function newerNode(): string | undefined;
export function bringNewerNode(): Promise<string | undefined>;
