/** Narrower than this the panel takes the whole window, and the page behind it is out of reach. */
const PHONE = '(max-width: 479.98px)';

/**
 * Opens and closes the panel's `<dialog>`: beside the page on a desktop, modal on a phone, where the browser itself keeps
 * the focus inside and the page inert.
 */
export class PanelFrame {
  readonly #dialog: () => HTMLDialogElement | undefined;
  readonly #phone = window.matchMedia(PHONE);
  #open = false;

  constructor(dialog: () => HTMLDialogElement | undefined) {
    this.#dialog = dialog;
  }

  connect(): void {
    this.#phone.addEventListener('change', this.#reopen);
    window.visualViewport?.addEventListener('resize', this.#fit);
  }

  disconnect(): void {
    this.#phone.removeEventListener('change', this.#reopen);
    window.visualViewport?.removeEventListener('resize', this.#fit);
  }

  /** @param still without the motion from the launcher: a link opened the panel, and the key agreement needs the processor. */
  show(open: boolean, still = false): void {
    this.#open = open;
    const dialog = this.#dialog();
    if (!dialog) return;
    if (!open) {
      void this.#close(dialog);
      return;
    }
    dialog.classList.remove('leaving');
    dialog.classList.toggle('still', still);
    if (!dialog.open) this.#enter(dialog);
    this.#focus(dialog);
  }

  #enter(dialog: HTMLDialogElement): void {
    if (this.#phone.matches) dialog.showModal();
    else dialog.show();
    this.#fit();
  }

  async #close(dialog: HTMLDialogElement): Promise<void> {
    if (!dialog.open) return;
    dialog.classList.add('leaving');
    await Promise.allSettled(dialog.getAnimations().map(({ finished }) => finished));
    // Opened again while it was leaving: then it stays.
    if (this.#open) return;
    dialog.classList.remove('leaving');
    dialog.close();
  }

  /** To the message field when one can send; else to the panel itself, which reads out what it is and opens no keyboard. */
  #focus(dialog: HTMLDialogElement): void {
    const field = dialog.querySelector<HTMLElement>('textarea[data-on]');
    (field ?? dialog).focus({ preventScroll: true });
  }

  readonly #reopen = () => {
    const dialog = this.#dialog();
    if (!dialog?.open) return;
    dialog.close();
    this.#enter(dialog);
  };

  /** On-screen keyboards cover fixed boxes: the panel keeps to what is visible. */
  readonly #fit = () => {
    const dialog = this.#dialog();
    const viewport = window.visualViewport;
    if (!dialog || !viewport) return;
    dialog.style.setProperty('--_visible-height', `${Math.round(viewport.height)}px`);
  };
}
