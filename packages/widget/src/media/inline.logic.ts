/** What a browser shows by itself without running anything of it; everything else is a card. */
export type Inline = 'image' | 'audio' | 'video' | undefined;

export function inlineOf(type: string): Inline {
  if (/^image\/(?:png|jpeg|gif|webp|avif|bmp)$/.test(type)) return 'image';
  const [kind] = type.split('/');
  return kind === 'audio' || kind === 'video' ? kind : undefined;
}
