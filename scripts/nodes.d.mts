export const MAJORS: readonly number[];
export function nodeOf(major: number): string | undefined;
export function bringNode(major: number): Promise<string | undefined>;
