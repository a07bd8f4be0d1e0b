interface DropZoneOptions {
  /** Whether files can be sent now. */
  accepts: () => boolean;
  /** Files are dragged over it, or no longer. */
  over: (dropping: boolean) => void;
  drop: (files: readonly File[]) => void;
}

/** Where files are dropped. Handlers for the element they are dropped on. */
export class DropZone {
  readonly #options: DropZoneOptions;

  constructor(options: DropZoneOptions) {
    this.#options = options;
  }

  readonly handlers = {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files') || !this.#options.accepts()) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      this.#options.over(true);
    },
    onDragLeave: ({ currentTarget, relatedTarget }: DragEvent) => {
      const inside = currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget);
      if (!inside) this.#options.over(false);
    },
    onDrop: (event: DragEvent) => {
      this.#options.over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0 || !this.#options.accepts()) return;
      event.preventDefault();
      this.#options.drop(files);
    },
  };
}
